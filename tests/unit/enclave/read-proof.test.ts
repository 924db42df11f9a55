/** Proofs that come with answers to queries, taken apart by what src/protocol/read-proof.ts says of them. */
import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import { Decoder } from 'cbor-x';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decode, encode } from '../../../src/protocol/cbor.ts';
import type { ReadClaims, ReadProof } from '../../../src/protocol/read-proof.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { createResident, type Resident } from '../../support/resident.ts';
import { activityBody, type Caller, type WireAnswer } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
let owner: Resident;
beforeAll(async () => {
  enclave = await startEnclave();
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
});
afterAll(() => enclave.remove());

const sha256 = (...parts: (Uint8Array | string)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

async function ask(name: string, parameters: object = {}, caller: Caller = owner.byPasskey) {
  const body = JSON.stringify({ organizationId: caller.organizationId, ...parameters });
  const answer = await enclave.wire({ kind: 'query', name, body, stamp: caller.stamp(body), proof: true });
  return { body, answer };
}

/** Checks everything that an outsider can, and gives the claims. */
function verified(body: string, { bytes, proof }: WireAnswer): ReadClaims {
  const { cose, bucket, path, checkpoint, statement } = decode(proof as Buffer) as unknown as ReadProof;
  const { value } = new Decoder({ mapsAsObjects: false }).decode(Buffer.from(cose)) as { value: Buffer[] };
  const [header, , payload, signature] = value as [Buffer, unknown, Buffer, Buffer];
  const { bootKey } = decode(statement) as { bootKey: Uint8Array };
  const x = Buffer.from(bootKey).toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  expect(verify(null, encode(['Signature1', header, Buffer.alloc(0), payload]), key, signature)).toBe(true);
  const claims = decode(payload) as unknown as ReadClaims;
  expect(Buffer.from(claims.request)).toEqual(sha256(body));
  expect(Buffer.from(claims.answer)).toEqual(sha256(bytes as Buffer));

  let node = sha256(Buffer.of(0), bucket);
  let position = Buffer.from(claims.organization).readUInt16BE();
  for (const sibling of path) {
    node = position % 2 === 0 ? sha256(Buffer.of(1), node, sibling) : sha256(Buffer.of(1), sibling, node);
    position = Math.floor(position / 2);
  }
  expect(path).toHaveLength(16);
  expect(Buffer.from(claims.map)).toEqual(node);
  expect(checkpoint).toContain(`\nmap ${node.toString('base64')}\n`);
  const entry = sha256(Buffer.of(2), claims.organization, Buffer.alloc(16), claims.head);
  const hashes = Array.from({ length: bucket.length / 32 }, (_, at) => bucket.subarray(at * 32, at * 32 + 32));
  expect(hashes.map((hash) => Buffer.from(hash))).toContainEqual(entry);
  return claims;
}

test('an answer is proven to be about the current state', async () => {
  const { body, answer } = await ask('list_users');
  expect(answer.status).toBe(200);
  expect(verified(body, answer)).toMatchObject({ v: 1, query: 'list_users' });
});

test('and again after a change, with another head', async () => {
  const before = await ask('whoami');
  const rename = { userId: owner.userId, userName: 'somebody else', userTagIds: [] };
  const update = activityBody(owner.organizationId, 'ACTIVITY_TYPE_UPDATE_USER', rename);
  const stamp = owner.byPasskey.stamp(update);
  const [updated, during] = await Promise.all([
    enclave.wire({ kind: 'submit', name: 'update_user', body: update, stamp }),
    ask('whoami'),
  ]);
  expect(updated.status).toBe(200);
  const after = await ask('whoami');
  const heads = [before, during, after].map(({ body, answer }) => verified(body, answer).head);
  expect(heads[2]).not.toEqual(heads[0]);
});

test('many at once, while the organization keeps changing', async () => {
  const submissions = Array.from({ length: 8 }, () => {
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_CREATE_USER_TAG', {
      userTagName: randomUUID(),
      userIds: [],
    });
    return enclave.wire({ kind: 'submit', name: 'create_user_tag', body, stamp: owner.byPasskey.stamp(body) });
  });
  const reads = await Promise.all(Array.from({ length: 8 }, () => ask('list_user_tags')));
  for (const { body, answer } of reads) if (answer.status === 200) verified(body, answer);
  expect(reads.some(({ answer }) => answer.status === 200)).toBe(true);
  for (const { status } of await Promise.all(submissions)) expect(status).toBe(200);
});

test('nothing is proven to whom nothing is answered: the map is not for strangers', async () => {
  const { answer } = await ask('get_organization', { organizationId: randomUUID() }, enclave.parent);
  expect([answer.status, answer.proof]).toEqual([404, undefined]);
  const stranger = await createResident(enclave.wire, enclave.parent, 'stranger');
  const refused = await ask('list_users', { organizationId: owner.organizationId }, stranger.byPasskey);
  expect(refused.answer.status).not.toBe(200);
  expect(refused.answer.proof).toBeUndefined();
});

test('a proof has nothing in it of other organizations', async () => {
  const other = await createResident(enclave.wire, enclave.parent, 'other');
  const { answer } = await ask('list_users');
  const id = Buffer.from(other.organizationId.replaceAll('-', ''), 'hex');
  expect((answer.proof as Buffer).includes(id)).toBe(false);
});
