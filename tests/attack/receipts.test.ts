/**
 * `api`, the company or anybody else who passes a receipt on, as the attacker of DESIGN §1: no part of it can be altered, left
 * out or taken from another receipt without the verifier saying which step fails.
 */
import { createHash, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportDataOf } from '../../sdk/src/attestation/verify-evidence.ts';
import type { StepName } from '../../sdk/src/verify/step.ts';
import { type Verification, verifyReceipt } from '../../sdk/src/verify/verify-receipt.ts';
import { verifyFiles } from '../../src/cli/verify.ts';
import { type Cbor, decode, encode } from '../../src/protocol/cbor.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { createResident, type Resident } from '../support/resident.ts';
import { createFakeTpm } from '../support/tpm-quote.ts';
import { activityBody, query } from '../support/wire.ts';

type Fields = Record<string, Cbor | undefined>;
type Signed = { body: string; receipt: Buffer; withStamps: Buffer; result: unknown };

let enclave: EnclaveInMemory;
let owner: Resident;
let first: Signed;
let second: Signed;
let logKey: string;

const payload = 'pay 5 to bob';

async function sign(by: 'byPasskey' | 'byApiKey'): Promise<Signed> {
  const parameters = {
    signWith: owner.addresses[0],
    payload,
    encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
    hashFunction: 'HASH_FUNCTION_KECCAK256',
  };
  const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', parameters);
  const stamp = owner[by].stamp(body);
  const { body: answer } = await enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp, proof: true });
  const ask = { activityId: answer.activity?.id, stamps: true };
  const { body: later } = await query(enclave.wire, owner.byPasskey, 'get_receipt', ask);
  const [result] = Object.values(answer.activity?.result ?? {});
  return { body, receipt: bytes(answer.receipt), withStamps: bytes(later.receipt), result };
}

const bytes = (text: unknown) => Buffer.from(text as string, 'base64url');
const open = (receipt: Uint8Array) => decode(receipt) as Fields;
const failures = ({ steps }: Verification): StepName[] =>
  steps.filter(({ ok }) => ok === false).map(({ name }) => name);

beforeAll(async () => {
  enclave = await startEnclave();
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
  first = await sign('byPasskey');
  second = await sign('byApiKey');
  const { steps } = await verifyReceipt(first.receipt);
  logKey = /countersign\/[0-9a-f]{16}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+/.exec(JSON.stringify(steps))?.[0] as string;
});
afterAll(() => enclave.remove());

test('untouched, both verify', async () => {
  for (const { body, receipt, withStamps, result } of [first, second]) {
    for (const each of [receipt, withStamps]) {
      const verification = await verifyReceipt(each, { body, result, payload, logKey });
      expect(verification.steps.filter(({ ok }) => ok === false)).toEqual([]);
      expect(verification.ok).toBe(true);
    }
  }
});

test.each(['receipt', 'withStamps'] as const)('each byte, by any bit: %s', async (which) => {
  for (const original of [first[which], second[which]]) {
    let tried = 0;
    for (let at = 0; at < original.length; at++) {
      const altered = Buffer.from(original);
      altered[at] = (altered[at] as number) ^ (1 << (at % 8));
      const { ok, steps } = await verifyReceipt(altered, { logKey });
      expect(ok, `byte ${at}: ${JSON.stringify(steps)}`).toBe(false);
      tried++;
    }
    expect(tried).toBe(original.length);
  }
});

test('cut short at any place, or with anything behind it', async () => {
  for (let length = 0; length < first.withStamps.length; length += 7) {
    expect((await verifyReceipt(first.withStamps.subarray(0, length))).ok).toBe(false);
  }
  expect((await verifyReceipt(Buffer.concat([first.receipt, Buffer.of(0)]))).ok).toBe(false);
});

describe('each claim', () => {
  const other = '00000000-0000-4000-8000-000000000000';
  const changes: [string, (claims: Fields) => Fields][] = [
    ['organization', () => ({ organization: other })],
    ['activity', () => ({ activity: other })],
    ['type', () => ({ type: 'ACTIVITY_TYPE_CREATE_WALLET' })],
    ['status', () => ({ status: 'ACTIVITY_STATUS_REJECTED' })],
    ['request', () => ({ request: Buffer.alloc(32) })],
    ['votes: none', () => ({ votes: [] })],
    ['votes: twice', ({ votes }) => ({ votes: [...(votes as Cbor[]), ...(votes as Cbor[])] })],
    ['votes: credential', (claims) => vote(claims, { credential: 'AAAA' })],
    ['votes: publicKey', (claims) => vote(claims, { publicKey: Buffer.alloc(77) })],
    ['votes: selection', (claims) => vote(claims, { selection: 'VOTE_SELECTION_REJECTED' })],
    ['votes: at', (claims) => vote(claims, { at: 0 })],
    ['votes: body', (claims) => vote(claims, { body: Buffer.alloc(32) })],
    ['decision: outcome', (claims) => decision(claims, { outcome: 'OUTCOME_DENY_EXPLICIT' })],
    ['decision: decidedBy', (claims) => decision(claims, { decidedBy: other })],
    ['decision: policies', (claims) => decision(claims, { policies: Buffer.alloc(32) })],
    ['signed: none', () => ({ signed: [] })],
    ['signed: another', () => ({ signed: [{ payload: Buffer.alloc(32), signature: Buffer.alloc(32) }] })],
    ['result', () => ({ result: null })],
    ['headBefore', () => ({ headBefore: Buffer.alloc(32) })],
    ['headAfter', () => ({ headAfter: Buffer.alloc(32) })],
    ['sequence', ({ sequence }) => ({ sequence: (sequence as number) + 1 })],
    ['time', ({ time }) => ({ time: (time as number) + 1 })],
    ['enclave', () => ({ enclave: Buffer.alloc(32) })],
    ['one more', () => ({ comment: 'true' })],
  ];
  const vote = ({ votes }: Fields, change: Fields): Fields => ({ votes: [{ ...(votes as Fields[])[0], ...change }] });
  const decision = (claims: Fields, change: Fields): Fields => ({
    decision: { ...(claims.decision as Fields), ...change },
  });

  test.each(changes)('%s: not in the log', async (_, change) => {
    const receipt = open(first.receipt);
    const claims = open(receipt.claims as Buffer);
    const altered = { ...receipt, claims: encode({ ...claims, ...change(claims) } as Cbor) };
    const verification = await verifyReceipt(encode(altered as Cbor), { logKey });
    expect(failures(verification)).toEqual(expect.arrayContaining(['inclusion', 'proof']));
  });

  test('left out: no receipt', async () => {
    const receipt = open(first.receipt);
    for (const name of Object.keys(open(receipt.claims as Buffer))) {
      const claims = { ...open(receipt.claims as Buffer), [name]: undefined };
      const verification = await verifyReceipt(encode({ ...receipt, claims: encode(claims as Cbor) } as Cbor));
      expect(failures(verification)).toEqual(['receipt']);
    }
  });
});

test.each<[string, StepName]>([
  ['claims', 'inclusion'],
  ['row', 'inclusion'],
  ['cose', 'inclusion'],
])('%s of another receipt of the same log', async (name, step) => {
  const altered = { ...open(first.receipt), [name]: open(second.receipt)[name] };
  expect(failures(await verifyReceipt(encode(altered as Cbor), { logKey }))).toContain(step);
});

test('left out of the receipt: none', async () => {
  for (const name of Object.keys(open(first.receipt))) {
    const altered = { ...open(first.receipt), [name]: undefined };
    expect(failures(await verifyReceipt(encode(altered as Cbor)))).toEqual(['receipt']);
  }
});

describe('by others', () => {
  const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
  const pair = () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    return { raw, sign: (message: Uint8Array) => signWith(null, message, privateKey) };
  };

  /** A whole receipt that says what its maker likes: a log of one entry, with a log key and an enclave of his own. */
  function forge(change: Fields, statementChange: Fields = {}) {
    const [boot, log] = [pair(), pair()];
    const receipt = open(first.receipt);
    const statement = encode({ ...open(receipt.statement as Buffer), bootKey: boot.raw, ...statementChange } as Cbor);
    const claims = encode({ ...open(receipt.claims as Buffer), enclave: sha256(statement), ...change } as Cbor);
    const row = Buffer.alloc(32);
    const digest = sha256(row, sha256(claims));
    const root = sha256(Buffer.of(0), encode({ v: 1, kind: 'activity', digest }));
    const origin = `countersign/${sha256(log.raw).toString('hex', 0, 8)}`;
    const typed = Buffer.concat([Buffer.of(1), log.raw]);
    const id = sha256(Buffer.from(`${origin}\n`), typed).subarray(0, 4);
    const forgedKey = `${origin}+${id.toString('hex')}+${typed.toString('base64')}`;
    const lines = (receipt.checkpoint as string).split('\n\n')[0]?.split('\n').slice(3, 6) ?? [];
    const text = [
      origin,
      '1',
      root.toString('base64'),
      ...lines,
      `enclave ${sha256(statement).toString('base64')}`,
      '',
    ];
    const signature = Buffer.concat([id, log.sign(Buffer.from(text.join('\n')))]).toString('base64');
    const checkpoint = `${text.join('\n')}\n\u2014 ${origin} ${signature}\n`;
    const header = Buffer.concat([
      Buffer.from('a40127045820', 'hex'),
      sha256(statement),
      Buffer.from('0fa101', 'hex'),
      encode(forgedKey),
      Buffer.from('19018b01', 'hex'),
    ]);
    const proof = encode(encode([1, 0, []]));
    const signed = boot.sign(encode(['Signature1', header, Buffer.alloc(0), root]));
    const cose = Buffer.concat([
      Buffer.from('d284', 'hex'),
      encode(header),
      Buffer.from('a119018ca12081', 'hex'),
      proof,
      Buffer.of(0xf6),
      encode(signed),
    ]);
    return encode({ v: 1, claims, row, cose, checkpoint, statement });
  }

  test('a forged log is one by its key alone, and the verifier says that nothing was compared', async () => {
    const forged = forge({ status: 'ACTIVITY_STATUS_COMPLETED' });
    expect(failures(await verifyReceipt(forged, { logKey }))).toEqual(['checkpoint']);
    const { steps } = await verifyReceipt(forged);
    expect(steps.find(({ name }) => name === 'checkpoint')).toMatchObject({
      ok: null,
      words: expect.stringContaining('nothing was given to compare with'),
    });
  });

  test('forged code is another measurement, another statement is another enclave', async () => {
    const forged = forge({}, { measurement: Buffer.alloc(48, 1) });
    const measurements = [(open(open(first.receipt).statement as Buffer).measurement as Buffer).toString('hex')];
    expect(failures(await verifyReceipt(forged, { measurements }))).toEqual(['enclave']);
    expect(failures(await verifyReceipt(first.receipt, { measurements }))).toEqual([]);
    const knownStatement = open(first.receipt).statement as Buffer;
    expect(failures(await verifyReceipt(forge({}), { knownStatement }))).toEqual(['enclave']);
    expect(failures(await verifyReceipt(first.receipt, { knownStatement }))).toEqual([]);
  });

  test('settings that were not in force are not those of the checkpoint', async () => {
    expect(failures(await verifyReceipt(forge({}, { settings: Buffer.alloc(32, 1) })))).toEqual(['enclave']);
  });

  test('what it says is no words of the command’s own', async () => {
    const version = '1\u001b[2K\r\n✓ checkpoint  the key is the one that was given\u202e';
    const file = join(mkdtempSync(join(tmpdir(), 'countersign-forged-')), 'receipt');
    writeFileSync(file, forge({}, { version }));
    const { text } = await verifyFiles([file]);
    rmSync(dirname(file), { recursive: true });
    expect(text).not.toMatch(/^✓ checkpoint/m);
    for (const control of ['\u001b', '\r', '\u202e']) expect(text).not.toContain(control);
    expect(text).toContain('anybody could have made this receipt');
    expect(text).not.toContain('verified:');
  });

  test('a TPM of one’s own vouches for nothing, and nor does an attestation without evidence', async () => {
    const forged = forge({});
    const statement = open(forged).statement as Buffer;
    const folder = mkdtempSync(join(tmpdir(), 'countersign-forged-'));
    writeFileSync(join(folder, 'receipt'), forged);
    const quoted = createFakeTpm().quote(reportDataOf(statement, Buffer.alloc(0)), Buffer.alloc(32, 1));
    for (const evidence of [{ platform: 'none' }, quoted]) {
      const attestation = { statement: statement.toString('base64url'), evidence };
      writeFileSync(join(folder, 'attestation.json'), JSON.stringify(attestation));
      const { text } = await verifyFiles([join(folder, 'receipt'), '--attestation', join(folder, 'attestation.json')]);
      expect(text).toContain('· attestation');
      expect(text).toContain('anybody could have made this receipt');
    }
    rmSync(folder, { recursive: true });
  });

  test('times that no calendar has are no crash', async () => {
    const { ok, steps } = await verifyReceipt(forge({ time: Number.MAX_SAFE_INTEGER }));
    expect(ok).toBe(true);
    expect(steps[0]?.words).toContain('9007199254740991 ms');
  });
});

describe('stamps', () => {
  const withStamps = async (signed: Signed, change: (stamp: Fields) => Fields) => {
    const receipt = open(signed.withStamps);
    const stamps = (receipt.stamps as Fields[]).map((stamp) => ({ ...stamp, ...change(stamp) }));
    return verifyReceipt(encode({ ...receipt, stamps } as Cbor), { logKey });
  };
  const flip = (value: Cbor | undefined) => {
    const altered = Buffer.from(value as Buffer);
    altered[altered.length - 1] = (altered[altered.length - 1] as number) ^ 1;
    return altered;
  };

  test.each(['body', 'authenticatorData', 'clientDataJson', 'signature'])('altered %s of a passkey', async (name) => {
    expect(failures(await withStamps(first, (stamp) => ({ [name]: flip(stamp[name]) })))).toContain(
      // JSON that ends otherwise is still read; what counts is that its bytes are signed.
      'stamps',
    );
  });

  test.each(['body', 'signature'])('altered %s of an API key', async (name) => {
    expect(failures(await withStamps(second, (stamp) => ({ [name]: flip(stamp[name]) })))).toEqual(['stamps']);
  });

  test('of another request, of the other kind, or one less', async () => {
    const [passkeys] = open(first.withStamps).stamps as Fields[];
    const [apiKeys] = open(second.withStamps).stamps as Fields[];
    expect(failures(await withStamps(first, () => ({ ...passkeys, body: Buffer.from(second.body) })))).toEqual([
      'stamps',
    ]);
    const receipt = open(first.withStamps);
    for (const stamps of [[apiKeys], [], [passkeys, passkeys]]) {
      expect(failures(await verifyReceipt(encode({ ...receipt, stamps } as Cbor)))).toEqual(['stamps']);
    }
  });
});
