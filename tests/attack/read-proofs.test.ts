/** `api` or whoever passes an answer on, as the attacker of DESIGN §1: no other answer, query, time or state is proven by a proof. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyRead } from '../../sdk/src/verify/verify-read.ts';
import { type Cbor, decode, encode } from '../../src/protocol/cbor.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { createResident, type Resident } from '../support/resident.ts';
import { activityBody, type Caller, type WireAnswer } from '../support/wire.ts';

type Read = { body: string; answer: Buffer; proof: Buffer };

let enclave: EnclaveInMemory;
let owner: Resident;
let read: Read;
let other: Read;
beforeAll(async () => {
  enclave = await startEnclave();
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
  read = await ask('list_users');
  other = await ask('list_wallets');
});
afterAll(() => enclave.remove());

async function ask(name: string, parameters: object = {}, caller: Caller = owner.byPasskey): Promise<Read> {
  const body = JSON.stringify({ organizationId: caller.organizationId, ...parameters });
  const { bytes, proof }: WireAnswer = await enclave.wire({
    ...{ kind: 'query', name, body },
    stamp: caller.stamp(body),
    proof: true,
  });
  return { body, answer: bytes as Buffer, proof: proof as Buffer };
}

const failed = async ({ body, answer, proof }: Read) => {
  const { ok, steps } = await verifyRead(proof, { body, answer });
  expect(ok).toBe(steps.every((step) => step.ok !== false));
  return steps.filter((step) => step.ok === false).map(({ name }) => name);
};

test('what the enclave said is proven', async () => {
  expect(await failed(read)).toEqual([]);
  expect(await failed(other)).toEqual([]);
});

describe('is not proven', () => {
  test('another answer, or another query', async () => {
    expect(await failed({ ...read, answer: Buffer.from(read.answer.toString().replace('owner', 'other')) })).toEqual([
      'answer',
    ]);
    expect(await failed({ ...read, body: `${read.body} ` })).toEqual(['request']);
    expect(await failed({ ...read, proof: other.proof })).toEqual(['answer']);
  });

  test('the answer to another query, which was asked with the same body and stamp', async () => {
    const { body, answer, proof } = read;
    const verify = async (query: string) => verifyRead(proof, { body, answer, query });
    expect((await verify('list_users')).ok).toBe(true);
    const { ok, steps } = await verify('list_policies');
    expect(ok).toBe(false);
    expect(steps.find((step) => step.ok === false)).toMatchObject({
      name: 'request',
      words: 'it is about another query, list_users',
    });
  });

  test('with a byte of any part of it altered', async () => {
    for (let at = 0; at < read.proof.length; at += 7) {
      const proof = Buffer.from(read.proof);
      proof[at] = (proof[at] as number) ^ 0x01;
      expect((await failed({ ...read, proof })).length, `byte ${at}`).toBeGreaterThan(0);
    }
  });

  test('cut short, or with more behind it', async () => {
    for (const proof of [Buffer.alloc(0), read.proof.subarray(0, -1), Buffer.concat([read.proof, Buffer.of(0)])])
      expect(await failed({ ...read, proof })).toEqual(['proof']);
  });

  test('with the bucket of a state that is not the checkpoint’s', async () => {
    const update = activityBody(owner.organizationId, 'ACTIVITY_TYPE_CREATE_USER_TAG', {
      userTagName: 't',
      userIds: [],
    });
    const stamp = owner.byPasskey.stamp(update);
    expect((await enclave.wire({ kind: 'submit', name: 'create_user_tag', body: update, stamp })).status).toBe(200);
    const later = await ask('list_users');
    const parts = (proof: Buffer) => decode(proof) as { readonly [name: string]: Cbor };
    const mixed = (names: readonly string[]) => {
      const old = Object.fromEntries(names.map((name) => [name, parts(read.proof)[name] as Cbor]));
      return { ...later, proof: encode({ ...parts(later.proof), ...old }) };
    };
    for (const names of [['bucket'], ['path', 'bucket'], ['checkpoint'], ['cose'], ['checkpoint', 'path', 'bucket']])
      expect((await failed(mixed(names))).length, names.join()).toBeGreaterThan(0);
  });

  test('by another log, or by another start of the enclave, where those are known', async () => {
    const { statement } = decode(read.proof) as { statement: Uint8Array };
    expect((await verifyRead(read.proof, { ...read, knownStatement: statement })).ok).toBe(true);
    expect((await verifyRead(read.proof, { logKey: 'other+00000000+AAAA' })).ok).toBe(false);
    expect((await verifyRead(read.proof, { measurements: ['ff'.repeat(48)] })).ok).toBe(false);
    await enclave.restart();
    const again = await ask('list_users');
    expect((await verifyRead(again.proof, { knownStatement: statement })).ok).toBe(false);
  });
});
