/**
 * An activity as it is sealed into its row. What follows from the body (intent, fingerprint, the vote's message) is not
 * stored beside it, so that the two cannot disagree.
 */
import { decode } from '../protocol/cbor.ts';
import type { ActivityStatus } from '../protocol/queries/objects.ts';
import { parseJsonObject } from '../stamping/json-object.ts';
import { formatVersion } from './contexts.ts';
import type { Credential } from './resolve-caller.ts';
import { RowIntegrityError, type Sealer } from './sealing/seal.ts';
import type { SignedDigests } from './signed-digests.ts';
import type { Sums } from './sums.ts';

/** A verified stamp, complete enough to be verified again from the record alone. */
export type VoteStamp =
  | {
      readonly kind: 'apiKey';
      /** Lower-case hex, as the signature. */
      readonly publicKey: string;
      readonly scheme: string;
      readonly signature: string;
    }
  | {
      readonly kind: 'passkey';
      /** COSE_Key. */
      readonly publicKey: Uint8Array;
      /** base64url. */
      readonly credentialId: string;
      readonly authenticatorData: Uint8Array;
      readonly clientDataJson: Uint8Array;
      readonly signature: Uint8Array;
    };

export type VoteRecord = {
  readonly id: string;
  readonly userId: string;
  readonly stamp: VoteStamp;
  readonly selection: 'VOTE_SELECTION_APPROVED' | 'VOTE_SELECTION_REJECTED';
  /** The body that was stamped, where it is not the activity's own. */
  readonly body?: Uint8Array;
  readonly createdAt: number;
};

export type ActivityFacts = {
  readonly signCountRegressed: boolean;
  /** null where no passkey stamped. */
  readonly userVerified: boolean | null;
  /** What decided, by which policies. */
  readonly decision: {
    readonly outcome: string;
    /** Id of a policy, or the name of the rule. */
    readonly decidedBy: string | null;
    /** Digest of all policies at the time. */
    readonly policies: Uint8Array;
    /** Absent where the policies asked for no number about the past. */
    readonly sums?: Sums;
  };
};

export type ActivityRecord = {
  readonly id: string;
  readonly organizationId: string;
  readonly type: string;
  readonly status: ActivityStatus;
  /** The exact body that was submitted. */
  readonly body: Uint8Array;
  /** Of an intent: what filled it in. */
  readonly completion?: string;
  readonly intentKey: string;
  readonly resultKey: string;
  /** JSON text; null unless it was completed. */
  readonly result: string | null;
  /** Of an activity that was allowed and could not be carried out. */
  readonly failure?: { readonly code: number; readonly message: string };
  readonly votes: readonly VoteRecord[];
  readonly facts: ActivityFacts;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Of what was signed and of the signatures, in order. */
  readonly signed: readonly SignedDigests[];
  /** Digests of the organization's head, and the number of the state after. */
  readonly headBefore: Uint8Array;
  readonly headAfter: Uint8Array;
  readonly sequence: number;
  /** Boot id of the enclave that decided. */
  readonly enclave: Uint8Array;
};

/** A record as the ledger takes it. */
export type Recorded = Omit<ActivityRecord, 'headBefore' | 'headAfter' | 'sequence' | 'enclave'>;

export function stampOf(credential: Credential): VoteStamp {
  if (credential.kind === 'apiKey') {
    const { publicKey, scheme, signature } = credential.stamp;
    return { kind: 'apiKey', publicKey, scheme, signature };
  }
  const { credentialId, authenticatorData, clientDataJson, signature } = credential.stamp;
  const { publicKey } = credential.authenticator;
  return { kind: 'passkey', publicKey, credentialId, authenticatorData, clientDataJson, signature };
}

/** Web origin that the first of these votes was cast on; null where no passkey stamped it. */
export function originOf([first]: readonly VoteRecord[]): string | null {
  if (first?.stamp.kind !== 'passkey') return null;
  const { origin } = parseJsonObject(first.stamp.clientDataJson) ?? {};
  return typeof origin === 'string' ? origin : null;
}

/** The record in a row whose place in the log was checked. Throws `RowIntegrityError`. */
export function openActivity(
  sealer: Sealer,
  organization: Uint8Array,
  id: Uint8Array,
  sealed: Uint8Array,
): ActivityRecord {
  const { plaintext } = sealer.open({ kind: 'activity', organization, id }, sealed);
  const { v: version, ...record } = decode(plaintext) as unknown as { v: number } & ActivityRecord;
  if (version !== formatVersion) throw new RowIntegrityError(`an activity has the unknown format version ${version}`);
  return record;
}
