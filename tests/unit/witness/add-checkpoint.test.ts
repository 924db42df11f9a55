/** The protocol of C2SP tlog-witness against our witness, over HTTP: the order of the checks, the status codes, what is kept. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/enclave/ledger/hash.ts';
import { parseNote, parseVerifierKey, verifyNote } from '../../../src/protocol/log/signed-note.ts';
import { createWitness } from '../../../src/witness/server.ts';
import { digestOf, enrolAnew } from '../../../src/witness/store.ts';
import { naiveRoot } from '../../support/memory-storage.ts';
import { makeWitness, naiveProof, type TestWitness } from '../../support/witnesses.ts';

const origin = 'example.com/log';

/** A log's key, and checkpoints by it. */
function makeLog(name = origin) {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = createPublicKey(createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })));
  const typed = Buffer.concat([Buffer.of(1), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), typed])).subarray(0, 4);
  return {
    verifierKey: `${name}+${id.toString('hex')}+${typed.toString('base64')}`,
    checkpoint(size: number, root: Buffer, extension = '') {
      const text = `${name}\n${size}\n${root.toString('base64')}\n${extension}`;
      return `${text}\n\u2014 ${name} ${Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString('base64')}\n`;
    },
  };
}

const leaves = Array.from({ length: 12 }, (_, index) => sha256(Buffer.of(index)));
const rootOf = (size: number) => (size === 0 ? sha256(Buffer.alloc(0)) : naiveRoot(leaves.slice(0, size)));
const proofOf = (old: number, size: number) => (old === 0 || old >= size ? [] : naiveProof(old, leaves.slice(0, size)));

let log: ReturnType<typeof makeLog>;
let witness: TestWitness;
beforeEach(async () => {
  log = makeLog();
  witness = await makeWitness('witness.example/w1');
  await witness.start([log.verifierKey]);
});
afterEach(() => witness.remove());

async function post(body: string) {
  const response = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
  return { status: response.status, body: await response.text(), type: response.headers.get('content-type') };
}

const bodyOf = (old: number | string, note: string, proof: readonly Buffer[] = []) =>
  `${[`old ${old}`, ...proof.map((hash) => hash.toString('base64'))].join('\n')}\n\n${note}`;
const add = (old: number, size: number, note = log.checkpoint(size, rootOf(size))) =>
  post(bodyOf(old, note, proofOf(old, size)));

test('cosigns each checkpoint that goes on from the one before, with the time and its key', async () => {
  for (const [old, size] of [
    [0, 0],
    [0, 3],
    [3, 3],
    [3, 8],
    [8, 9],
    [9, 12],
  ] as const) {
    const note = log.checkpoint(size, rootOf(size), 'an extension line\n');
    const answer = await add(old, size, note);
    expect([answer.status, answer.body.split('\n').length]).toEqual([200, 2]);
    const [signer] = await verifyNote(parseNote(note + answer.body), [parseVerifierKey(witness.verifierKey)]);
    expect(Math.abs((signer?.time ?? 0) - Date.now() / 1000)).toBeLessThan(5);
    const read = await fetch(`${witness.url}/${digestOf(origin)}/checkpoint`);
    expect(await read.text()).toBe(note + answer.body);
  }
});

describe('answers in the order of the specification:', () => {
  beforeEach(() => add(0, 5));

  const other = makeLog('example.com/other');
  const impostor = makeLog();
  test.each<[string, number, () => Promise<{ status: number }>]>([
    ['a log that it does not know, whatever else is wrong', 404, () => add(9, 3, other.checkpoint(3, rootOf(3)))],
    ['another key for a log that it knows', 403, () => add(9, 3, impostor.checkpoint(3, rootOf(3)))],
    ['a signature over another text', 403, () => add(5, 8, log.checkpoint(8, rootOf(8)).replace('\n8\n', '\n9\n'))],
    ['old above the size', 400, () => add(9, 8)],
    ['old that is not its newest', 409, () => add(3, 8)],
    ['old 0, to learn the size', 409, () => add(0, 8)],
    ['a wrong proof', 422, () => post(bodyOf(5, log.checkpoint(8, rootOf(8)), proofOf(4, 8)))],
    ['a proof that is missing', 422, () => post(bodyOf(5, log.checkpoint(8, rootOf(8))))],
    ['a proof for the same size', 422, () => post(bodyOf(5, log.checkpoint(5, rootOf(5)), [randomBytes(32)]))],
    ['another root of the same size', 422, () => add(5, 5, log.checkpoint(5, randomBytes(32)))],
    ['no first line', 400, () => post(log.checkpoint(8, rootOf(8)))],
    ['a size with a zero in front', 400, () => post(bodyOf('05', log.checkpoint(8, rootOf(8)), proofOf(5, 8)))],
    ['a hash that is too short', 400, () => post(bodyOf(5, log.checkpoint(8, rootOf(8)), [randomBytes(31)]))],
    [
      'more than 63 hashes',
      400,
      () =>
        post(
          bodyOf(
            5,
            log.checkpoint(8, rootOf(8)),
            Array.from({ length: 64 }, () => randomBytes(32)),
          ),
        ),
    ],
    ['nothing', 400, () => post('')],
    ['a note without a signature', 400, () => post('old 5\n\nexample.com/log\n8\n')],
    ['a body that is too large', 413, () => post('x'.repeat(70_000))],
    ['another method', 405, () => fetch(`${witness.url}/add-checkpoint`)],
    ['another path', 404, () => fetch(`${witness.url}/witness.json`)],
  ])('%s: %i', async (_, status, attempt) => {
    expect((await attempt()).status).toBe(status);
    // And nothing was cosigned by it.
    expect((await add(5, 8)).status).toBe(200);
  });

  test('a conflict names the newest size', async () => {
    expect(await add(3, 8)).toEqual({ status: 409, body: '5\n', type: 'text/x.tlog.size' });
  });
});

test('an empty log has the empty root, and a first contact no proof', async () => {
  expect((await add(0, 0, log.checkpoint(0, randomBytes(32)))).status).toBe(422);
  expect((await post(bodyOf(0, log.checkpoint(8, rootOf(8)), [randomBytes(32)]))).status).toBe(422);
});

test('a disk that fails half-way: what may have been read by then is never followed by another history', async () => {
  const blocked = join(witness.folder, 'witness.json.new');
  mkdirSync(blocked);
  expect((await add(0, 3)).status).toBe(500);
  const read = await fetch(`${witness.url}/${digestOf(origin)}/checkpoint`);
  expect(await read.text()).toContain('\u2014 witness.example/w1 ');
  rmdirSync(blocked);
  expect(await add(0, 3, log.checkpoint(3, randomBytes(32)))).toMatchObject({ status: 409, body: '3\n' });
  expect((await add(3, 3, log.checkpoint(3, randomBytes(32)))).status).toBe(422);
  expect((await add(3, 3)).status).toBe(200);
});

test('of submissions at once that follow the same checkpoint one is cosigned', async () => {
  await add(0, 5);
  const forks = [8, 8, 9, 10, 12].map((size, at) =>
    at === 1 ? post(bodyOf(5, log.checkpoint(8, rootOf(8)), proofOf(5, 8))) : add(5, size),
  );
  const statuses = (await Promise.all(forks)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
});

describe('what it remembers', () => {
  beforeEach(() => add(0, 5));

  test('outlasts it', async () => {
    await witness.start([log.verifierKey]);
    expect((await add(0, 8)).body).toBe('5\n');
    expect((await add(5, 8)).status).toBe(200);
  });

  test('is there before the answer is', async () => {
    const file = join(witness.folder, digestOf(origin), 'checkpoint');
    expect(readFileSync(file, 'utf8')).toContain('\n5\n');
    expect(readdirSync(join(witness.folder, digestOf(origin)))).toEqual(['checkpoint']);
  });

  test('is never taken for nothing: without it the witness does not start', async () => {
    await witness.stop();
    rmSync(join(witness.folder, digestOf(origin)), { recursive: true });
    await expect(witness.start([log.verifierKey])).rejects.toThrow('--enrol-anew example.com/log');
  });

  test.each(['witness.json', `${digestOf(origin)}/checkpoint`])('is not read from a damaged %s', async (name) => {
    await witness.stop();
    const file = join(witness.folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20));
    await expect(witness.start([log.verifierKey])).rejects.toThrow(`${name} `);
    await expect(witness.start([log.verifierKey])).rejects.toThrow('restore it');
  });

  test('is given up by word only, and kept as evidence', async () => {
    await witness.stop();
    enrolAnew(witness.folder, origin);
    expect(readdirSync(join(witness.folder, digestOf(origin)))).toEqual([expect.stringMatching(/^checkpoint\.until-/)]);
    await witness.start([log.verifierKey]);
    expect((await add(0, 3)).status).toBe(200);
    expect(() => enrolAnew(witness.folder, 'example.com/unknown')).toThrow('never cosigned');
  });

  test('belongs to one name and one key', () => {
    const options = { folder: witness.folder, name: 'somebody/else', logs: [log.verifierKey] };
    expect(() => createWitness(options)).toThrow('must not be used under another name');
    expect(() => createWitness({ ...options, logs: ['nonsense'] })).toThrow('no verifier key');
    expect(existsSync(join(witness.folder, 'witness.json'))).toBe(true);
  });
});
