/**
 * Whoever owns the whole host can roll back all that it owns at once, database, anchor and sealing, and no anchor on that
 * host notices. The user who comes back does: the stamped body names what they were shown (DESIGN §5).
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/enclave/ledger/hash.ts';
import { activityEntry } from '../../src/enclave/log-entries.ts';
import { decode } from '../../src/protocol/cbor.ts';
import { leafHash } from '../../src/protocol/log-hash.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { createResident, type Resident } from '../support/resident.ts';
import { activityBody, reasonOf, type WireAnswer } from '../support/wire.ts';

type Head = { size: number; index: number; leaf: string };

let enclave: EnclaveInMemory;
let owner: Resident;
beforeEach(async () => {
  enclave = await startEnclave();
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
});
afterEach(() => enclave.remove());

const parameters = () => ({
  signWith: owner.addresses[0],
  payload: '00'.repeat(32),
  encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
  hashFunction: 'HASH_FUNCTION_NO_OP',
});

function sign(knownHead?: unknown): Promise<WireAnswer> {
  const plain = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', parameters());
  const body = knownHead === undefined ? plain : JSON.stringify({ ...JSON.parse(plain), knownHead });
  return enclave.wire({
    kind: 'submit',
    name: 'sign_raw_payload',
    body,
    stamp: owner.byPasskey.stamp(body),
    proof: true,
  });
}

function ask(knownHead: unknown): Promise<WireAnswer> {
  const body = JSON.stringify({ organizationId: owner.organizationId, knownHead });
  return enclave.wire({ kind: 'query', name: 'whoami', body, stamp: owner.byPasskey.stamp(body) });
}

/** What a user keeps of a receipt. */
function headOf({ body }: WireAnswer): Head {
  const { claims, row, cose } = decode(Buffer.from(body.receipt as string, 'base64url')) as unknown as Receipt;
  // {396: {-1: [proof]}}, and then the proof, [size, index, path].
  const at = Buffer.from(cose).indexOf(Buffer.from('a119018ca12081', 'hex')) + 7;
  const length = cose[at] === 0x58 ? (cose[at + 1] as number) : Buffer.from(cose).readUInt16BE(at + 1);
  const start = at + (cose[at] === 0x58 ? 2 : 3);
  const [size, index] = decode(Buffer.from(cose).subarray(start, start + length)) as [number, number];
  return { size, index, leaf: leafHash(activityEntry(Buffer.from(row), sha256(claims))).toString('hex') };
}

test('what the user was shown goes along unnoticed as long as the log holds it, across restarts', async () => {
  const first = headOf(await sign());
  const second = headOf(await sign(first));
  for (let index = 0; index < 5; index++) expect((await sign(first)).status).toBe(200);
  await enclave.restart();
  expect((await sign(first)).status).toBe(200);
  expect((await sign(second)).status).toBe(200);
  expect((await ask(second)).status).toBe(200);
});

describe('a host that was rolled back as a whole', () => {
  test('is refused by the first user who comes back, in submissions and reads', async () => {
    const rollBack = enclave.save();
    // The start that follows adds an entry of its own.
    for (let index = 0; index < 2; index++) await sign();
    const seen = headOf(await sign());
    await rollBack();
    // Who does not look is served: this is what no anchor on the host can help.
    expect((await ask(null)).status).toBe(200);
    for (const answer of [await sign(seen), await ask(seen)]) {
      expect(answer.status).toBe(400);
      expect(reasonOf(answer)).toBe('STATE_ROLLED_BACK');
      expect(answer.body.activity).toBeUndefined();
    }
  });

  test('and grown again past what the user saw is refused as a fork', async () => {
    const rollBack = enclave.save();
    const seen = headOf(await sign());
    await rollBack();
    for (let index = 0; index < 4; index++) expect((await sign()).status).toBe(200);
    const answer = await sign(seen);
    expect(answer.status).toBe(400);
    expect(reasonOf(answer)).toBe('FORK_DETECTED');
  });

  test('leaves an old leaf that a user may know at its place: only what was seen since is missed', async () => {
    const old = headOf(await sign());
    const rollBack = enclave.save();
    await sign();
    await rollBack();
    expect((await sign(old)).status).toBe(200);
  });
});

test('api cannot make a fork look right, nor the truth like a fork that goes unexplained', async () => {
  const seen = headOf(await sign());
  await enclave.restart();
  enclave.storage.answer = (fetch, rows) =>
    fetch.what === 'inclusion' ? { what: 'inclusion', path: Buffer.alloc(64, 7) } : rows;
  expect(reasonOf(await sign(seen))).toBe('FORK_DETECTED');
  enclave.storage.answer = (fetch, rows) =>
    fetch.what === 'inclusion' ? { what: 'inclusion', path: Buffer.alloc(0) } : rows;
  expect((await sign(seen)).status).toBe(503);
  enclave.storage.answer = (_, rows) => rows;
  expect((await sign(seen)).status).toBe(200);
});

test('taking knownHead out of a stamped body breaks the stamp', async () => {
  const seen = headOf(await sign());
  const plain = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', parameters());
  const stamp = owner.byPasskey.stamp(JSON.stringify({ ...JSON.parse(plain), knownHead: seen }));
  const { status } = await enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body: plain, stamp });
  expect(status).toBe(401);
});

test.each([
  ['no object', 'yes'],
  ['a list', [1, 2]],
  ['a negative size', { size: -1, index: -2, leaf: '00'.repeat(32) }],
  ['a fraction', { size: 1.5, index: 0, leaf: '00'.repeat(32) }],
  ['an index beyond its size', { size: 3, index: 3, leaf: '00'.repeat(32) }],
  ['a short leaf', { size: 3, index: 1, leaf: '00' }],
  ['another member', { size: 3, index: 1, leaf: '00'.repeat(32), extra: 1 }],
])('%s is told what was expected', async (_, knownHead) => {
  const { status, body } = await sign(knownHead);
  expect(status).toBe(400);
  expect(JSON.stringify(body.details)).toContain('knownHead');
});
