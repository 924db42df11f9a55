/** Receipts as the enclave makes them, taken apart by what their formats say: RFC 9942, RFC 6962, C2SP signed notes. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { Decoder } from 'cbor-x';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { includes } from '../../../src/enclave/ledger/log.ts';
import { decode, encode } from '../../../src/protocol/cbor.ts';
import { leafHash } from '../../../src/protocol/log-hash.ts';
import type { Claims, Receipt } from '../../../src/protocol/receipt.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { createResident, type Resident } from '../../support/resident.ts';
import { activityBody, query, type WireAnswer } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
let owner: Resident;
beforeAll(async () => {
  enclave = await startEnclave();
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
});
afterAll(() => enclave.remove());

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest();
const ed25519 = (key: Uint8Array) =>
  createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key).toString('base64url') } });

const payload = 'hello';
const parameters = () => ({
  signWith: owner.addresses[0],
  payload,
  encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
  hashFunction: 'HASH_FUNCTION_KECCAK256',
});
const bodyOf = () => activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', parameters());
const send = (body: string): Promise<WireAnswer> =>
  enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp: owner.byPasskey.stamp(body), proof: true });

const open = (text: unknown) => {
  const receipt = decode(Buffer.from(text as string, 'base64url')) as unknown as Receipt;
  return { ...receipt, claims: decode(receipt.claims) as unknown as Claims, claimsBytes: receipt.claims };
};

/** The COSE_Sign1 of RFC 9942 §5.2, with whatever it proves by the log's root in the checkpoint. */
function proofOf(receipt: ReturnType<typeof open>) {
  const decoder = new Decoder({ mapsAsObjects: false });
  const { value: cose } = decoder.decode(Buffer.from(receipt.cose)) as {
    value: [Buffer, Map<number, Map<number, Buffer[]>>, null, Buffer];
  };
  const [header, unprotected, , signature] = cose;
  const [size, index, path] = decode(unprotected.get(396)?.get(-1)?.[0] as Buffer) as unknown as [
    number,
    number,
    Buffer[],
  ];
  const [origin, treeSize, root] = receipt.checkpoint.split('\n') as [string, string, string];
  return {
    header: decoder.decode(header) as Map<number, unknown>,
    rawHeader: header,
    signature,
    size,
    index,
    path,
    origin,
    treeSize,
    root: Buffer.from(root, 'base64'),
  };
}

test('a receipt leads from the claims to the log, the checkpoint and the boot statement', async () => {
  const body = bodyOf();
  const { body: answer } = await send(body);
  const receipt = open(answer.receipt);
  const { header, rawHeader, signature, size, index, path, treeSize, root } = proofOf(receipt);
  const statement = decode(receipt.statement) as { bootKey: Uint8Array };
  const id = sha256(receipt.statement);

  const entry = encode({
    v: 1,
    kind: 'activity',
    digest: sha256(Buffer.concat([receipt.row, sha256(receipt.claimsBytes)])),
  });
  expect(includes(leafHash(entry), index, size, path.map(Buffer.from), root)).toBe(true);
  expect(`${size}`).toBe(treeSize);
  expect(Buffer.from(header.get(4) as Buffer)).toEqual(id);
  expect([header.get(1), header.get(395)]).toEqual([-8, 1]);
  expect((header.get(15) as Map<number, string>).get(1)).toMatch(/^countersign\/[0-9a-f]{16}\+/);
  expect(receipt.checkpoint).toContain(`\nenclave ${id.toString('base64')}\n`);
  const toBeSigned = encode(['Signature1', rawHeader, Buffer.alloc(0), root]);
  expect(verify(null, toBeSigned, ed25519(statement.bootKey), signature)).toBe(true);

  const { activity } = answer as unknown as {
    activity: { id: string; result: { signRawPayloadResult: Record<'r' | 's' | 'v', string> } };
  };
  const { r, s, v } = activity.result.signRawPayloadResult;
  expect(receipt.claims).toMatchObject({
    v: 1,
    organization: owner.organizationId,
    activity: activity.id,
    type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    status: 'ACTIVITY_STATUS_COMPLETED',
    decision: { outcome: 'OUTCOME_ALLOW' },
  });
  expect(Buffer.from(receipt.claims.request)).toEqual(sha256(body));
  const digests = receipt.claims.signed.map((each) => [Buffer.from(each.payload), Buffer.from(each.signature)]);
  expect(digests).toEqual([[sha256(payload), sha256(Buffer.from(r + s + v, 'hex'))]]);
  expect(receipt.claims.votes).toMatchObject([{ kind: 'passkey', selection: 'VOTE_SELECTION_APPROVED' }]);
  expect(Buffer.from(receipt.claims.enclave)).toEqual(id);
  expect(receipt.stamps).toBeUndefined();
});

test('the heads of one receipt follow those of the one before it', async () => {
  const [first, second] = [open((await send(bodyOf())).body.receipt), open((await send(bodyOf())).body.receipt)];
  expect(second.claims.headBefore).toEqual(first.claims.headAfter);
  expect(second.claims.sequence).toBe(first.claims.sequence + 1);
});

test('whoever does not ask for one gets none, and the answer is otherwise the same', async () => {
  const body = bodyOf();
  const stamp = owner.byPasskey.stamp(body);
  const without = await enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp });
  expect(without.body.receipt).toBeUndefined();
  const { receipt, ...repeated } = (await send(body)).body;
  expect(repeated).toEqual(without.body);
  expect(open(receipt).claims.activity).toBe(without.body.activity?.id);
});

test('later, and after a restart, the same claims are proven again, with the stamps if they are wished for', async () => {
  const body = bodyOf();
  const { body: answer } = await send(body);
  const atOnce = open(answer.receipt);
  await enclave.restart();
  const ask = { activityId: answer.activity?.id, stamps: true };
  const later = open((await query(enclave.wire, owner.byPasskey, 'get_receipt', ask)).body.receipt);
  expect(later.claims).toEqual(atOnce.claims);
  expect(later.row).toEqual(atOnce.row);
  expect(later.statement).not.toEqual(atOnce.statement);
  expect(Buffer.from(later.stamps?.[0]?.body ?? [])).toEqual(Buffer.from(body));
  const { index, size, path, root } = proofOf(later);
  const entry = encode({
    v: 1,
    kind: 'activity',
    digest: sha256(Buffer.concat([later.row, sha256(later.claimsBytes)])),
  });
  expect(includes(leafHash(entry), index, size, path.map(Buffer.from), root)).toBe(true);
});

test('nobody gets the receipt of another organization by its id', async () => {
  const other = await createResident(enclave.wire, enclave.parent, 'other');
  const { activity } = (await send(bodyOf())).body;
  const { status } = await query(enclave.wire, other.byPasskey, 'get_receipt', { activityId: activity?.id });
  expect(status).toBe(404);
});
