/** Makes receipts: what an activity's record lets everybody know, and the proof that the log holds it (src/protocol/receipt.ts). */
import { type Cbor, encode } from '../protocol/cbor.ts';
import { type ClaimedVote, type Claims, type Receipt, receiptVersion } from '../protocol/receipt.ts';
import type { ActivityRecord, VoteRecord } from './activity-record.ts';
import type { BootIdentity } from './attestation/statement.ts';
import { inclusionReceipt } from './cose.ts';
import { sha256 } from './ledger/hash.ts';

/** The claims about a final activity, encoded; the same each time. */
export const encodeClaims = (record: ActivityRecord): Buffer => encode(claimsOf(record) as unknown as Cbor);

function claimsOf(record: ActivityRecord): Claims {
  const { outcome, decidedBy, policies } = record.facts.decision;
  // In the order of their encoding, which saves sorting them.
  return {
    v: receiptVersion,
    time: record.updatedAt,
    type: record.type,
    votes: record.votes.map(claimedVote),
    result: record.result === null ? null : sha256(Buffer.from(record.result)),
    signed: [...record.signed],
    status: record.status,
    enclave: record.enclave,
    request: sha256(record.body),
    activity: record.id,
    decision: { outcome, policies, decidedBy },
    sequence: record.sequence,
    headAfter: record.headAfter,
    headBefore: record.headBefore,
    organization: record.organizationId,
  };
}

function claimedVote({ stamp, selection, createdAt, body }: VoteRecord): ClaimedVote {
  const { kind } = stamp;
  const [credential, publicKey] =
    kind === 'apiKey' ? [stamp.publicKey, Buffer.from(stamp.publicKey, 'hex')] : [stamp.credentialId, stamp.publicKey];
  return { kind, credential, publicKey, selection, at: createdAt, ...(body && { body: sha256(body) }) };
}

/** Where an activity's entry is in a log that was released, and who signed for that log. */
export type Proven = {
  readonly claims: Uint8Array;
  /** SHA-256 of the sealed row. */
  readonly row: Uint8Array;
  readonly index: number;
  /** Audit path, the leaf's sibling first. */
  readonly path: readonly Uint8Array[];
  readonly state: { readonly logSize: number; readonly checkpoint: string; readonly rootSignature: Uint8Array };
};

/** `stamps`: those of the record, for who may see them: then a third party sees that the user's key authorised the request. */
export function encodeReceipt(
  { id, statement }: Pick<BootIdentity, 'id' | 'statement'>,
  /** Verifier key of the log. */
  log: string,
  { claims, row, index, path, state }: Proven,
  stamps?: Receipt['stamps'],
): Buffer {
  const { logSize, checkpoint, rootSignature } = state;
  const cose = inclusionReceipt(id, log, rootSignature, { size: logSize, index, path });
  const receipt: Receipt = { v: receiptVersion, claims, row, cose, checkpoint, statement, ...(stamps && { stamps }) };
  return encode(receipt as unknown as Cbor);
}

/** The stamps of an activity with the bodies that they are over. */
export const stampsOf = ({ votes, body }: Pick<ActivityRecord, 'votes' | 'body'>): NonNullable<Receipt['stamps']> =>
  votes.map(({ stamp, body: own }) => {
    const over = { body: own ?? body };
    if (stamp.kind === 'apiKey')
      return { ...over, scheme: stamp.scheme, signature: Buffer.from(stamp.signature, 'hex') };
    const { authenticatorData, clientDataJson, signature } = stamp;
    return { ...over, authenticatorData, clientDataJson, signature };
  });
