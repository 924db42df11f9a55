/**
 * What crosses between `api` and `enclave`: frames of a 4-byte big-endian length and one deterministic CBOR map.
 * `api` speaks first. The enclave believes nothing it is given here except what it can check (DESIGN §4).
 */

/** Bytes of an id are the 16 of the UUID; digests are SHA-256 unless said otherwise. */
type Bytes = Uint8Array;

export type StampHeader = 'x-stamp' | 'x-stamp-webauthn';

/** A request as it came over HTTP: `body` is the exact body, `name` the last part of the path. */
export type RequestMessage = {
  type: 'request';
  id: number;
  kind: 'submit' | 'query';
  name: string;
  body: Bytes;
  stamp: { header: StampHeader; value: string } | null;
  /** What is filled in of a stamped intent (src/enclave/operation-intent.ts). Not stamped: it can only stay within it. */
  completion?: string;
  /** A denial is to say which policies decided, and by what. Not stamped: it shows the caller's own organization to whoever passes the answer on. */
  explain?: boolean;
  /** The answer is to carry the activity's receipt, or the proof that it is about the current state. */
  proof?: boolean;
};

/** `api` → `enclave`. */
export type ToEnclave =
  | { type: 'hello' }
  | RequestMessage
  | { type: 'status'; id: number }
  /** Asks for the boot statement and the platform's evidence of it; `nonce`: bytes of the asker's, or none. */
  | { type: 'attest'; id: number; nonce: Bytes }
  /** Part of a ceremony of shareholders (src/protocol/ceremony/hand-in.ts): a share, or nothing to ask how far it is. */
  | { type: 'ceremony'; id: number; body: Bytes }
  | { type: 'fetched'; id: number; rows: FetchedRows }
  | { type: 'fetchFailed'; id: number; reason: string }
  /** What a witness answered; `status` is that of HTTP, 0 where there was no answer, and `body` says why then. */
  | { type: 'checkpointAdded'; id: number; status: number; body: string }
  /** `refused`: who holds the database already, in words; null: this enclave does from now on. */
  | { type: 'leased'; id: number; refused: string | null }
  /** The batch is durable in the database. */
  | { type: 'committed'; number: number }
  /** Another batch of that number is in the database: somebody else writes there. */
  | { type: 'conflict'; number: number };

/** `enclave` → `api`. */
export type FromEnclave =
  /** `receipt`: as in the body, for a header. */
  | { type: 'answer'; id: number; status: number; body: Bytes; receipt?: Bytes }
  | { type: 'fetch'; id: number; fetch: Fetch }
  | { type: 'write'; batch: BatchRows }
  /** Keeps a note that nothing waits for. */
  | { type: 'note'; row: DenialRow }
  /** Takes the database for the enclave of this boot id, unless another one writes there; before anything is written. */
  | { type: 'lease'; id: number; holder: Bytes }
  | AddCheckpoint;

/** To be carried to the witness at `url`, with the proof that the log's first `old` leaves are still its first (C2SP tlog-witness). */
export type AddCheckpoint = {
  type: 'addCheckpoint';
  id: number;
  url: string;
  old: number;
  /** Leaves of the log that `checkpoint` is of. */
  size: number;
  /** Signed note. */
  checkpoint: string;
};

/** Body of the answer to `status`: JSON of this shape, HTTP 200 when `serving`. */
export type EnclaveStatus = {
  phase: 'booting' | 'serving' | 'refusing' | 'halted';
  /** Why it does not serve, and what an operator can do. */
  reason: string | null;
  batch: number;
  organizations: number;
  logSize: number;
  /** The newest signed checkpoint, and the key that verifies it (C2SP signed note). */
  checkpoint: string | null;
  /** null until the root key is opened, as is `anchor`. */
  verifierKey: string | null;
  sealing: string;
  anchor: string | null;
  isolation: string;
  /** `native` leaves no copy of a private key behind and is much faster than `portable`. */
  secp256k1: 'native' | 'portable';
};

/** Order of keys inside a row type is the order of columns in the database. */
export type HeadRow = { organizationId: Bytes; parentId: Bytes | null; head: Bytes; counters: Bytes };
export type PageRow = { organizationId: Bytes; kind: string; index: number; version: number; sealed: Bytes };
export type KeyRow = { organizationId: Bytes; keyId: Bytes; sealed: Bytes };
export type ActivityRow = {
  organizationId: Bytes;
  id: Bytes;
  leafIndex: number;
  /** Fingerprint bucket: Unix minute of the body's `timestampMs`, and the place in it. */
  minute: number;
  position: number;
  /** Keyed digest of the body, 16 bytes. */
  fingerprint: Bytes;
  /** Keyed digests of type and status, 8 bytes each: filters, believed by nobody. */
  typeHint: Bytes;
  statusHint: Bytes;
  sealed: Bytes;
};
/** `key` = keyed digest of (parent, kind, identity), 16 bytes, and the organization's id; `value` = user id and the first 16 bytes of SHA-256(public key). */
export type LookupRow = { key: Bytes; value: Bytes };
/** `hint` = keyed digest of (parent, kind, text), 16 bytes. */
export type HintRow = { hint: Bytes; organizationId: Bytes };
/** A sealed note of what was denied, in one of a few slots that are written over in turn. */
export type DenialRow = { organizationId: Bytes; slot: number; sealed: Bytes };
/** A full tile of the log (C2SP tlog-tiles): 256 hashes of 32 bytes, and the root of their subtree. */
export type TileRow = { level: number; index: number; hashes: Bytes; root: Bytes };

/** One batch, written in one transaction on condition that no batch of its number exists (the same bytes may). */
export type BatchRows = {
  number: number;
  record: Bytes;
  /** The log's entries as C2SP tlog-tiles bundles them (src/protocol/entry-bundle.ts), the first at `firstLeaf`. */
  entries: Bytes;
  firstLeaf: number;
  heads: HeadRow[];
  pages: PageRow[];
  removedPages: { organizationId: Bytes; kind: string; index: number }[];
  keys: KeyRow[];
  removedKeys: { organizationId: Bytes; keyId: Bytes }[];
  activities: ActivityRow[];
  lookups: LookupRow[];
  removedLookups: Bytes[];
  hints: HintRow[];
  removedHints: HintRow[];
  tiles: TileRow[];
};

export type Fetch =
  | { what: 'organization'; organizationId: Bytes }
  | { what: 'keys'; organizationId: Bytes; keyIds: Bytes[] }
  | { what: 'fingerprints'; organizationId: Bytes; minute: number }
  /** Activities by id, with their inclusion in the log of `treeSize` leaves. */
  | { what: 'activities'; organizationId: Bytes; ids: Bytes[]; treeSize: number }
  /** Newest first; `before`/`after` are ids that bound the page (exclusive). Empty hint lists filter nothing. */
  | {
      what: 'activityList';
      organizationId: Bytes;
      treeSize: number;
      limit: number;
      before: Bytes | null;
      after: Bytes | null;
      typeHints: Bytes[];
      statusHints: Bytes[];
    }
  /** Ids of sub-organizations in ascending order; with `hint`, those that the hint names. */
  | {
      what: 'subOrganizations';
      parentId: Bytes;
      hint: Bytes | null;
      limit: number;
      before: Bytes | null;
      after: Bytes | null;
    }
  /** Batches with a number above `after`, ascending, at most 16. */
  | { what: 'batches'; after: number }
  /** The batch with the highest number, if there is one. */
  | { what: 'lastBatch' }
  /** Heads in ascending order of organization id, above `after` (null: from the start), not above `through`. */
  | { what: 'heads'; after: Bytes | null; through: Bytes; limit: number }
  /** What the Merkle map has of them, likewise. */
  | { what: 'headDigests'; after: Bytes | null; through: Bytes; limit: number }
  /** Look-ups in ascending order of key, likewise. */
  | { what: 'lookups'; after: Bytes | null; through: Bytes; limit: number }
  /** The partial tile of each level of the log of `size` leaves, level 0 first. */
  | { what: 'frontier'; size: number }
  | { what: 'denials'; organizationId: Bytes }
  /** Where leaf `index` is in the log of `treeSize` leaves. */
  | { what: 'inclusion'; index: number; treeSize: number };

export type FetchedRows =
  | { what: 'organization'; head: Bytes | null; counters: Bytes | null; pages: Omit<PageRow, 'organizationId'>[] }
  | { what: 'keys'; keys: Omit<KeyRow, 'organizationId'>[] }
  /** (fingerprint, activity id) pairs of 32 bytes in order of position. */
  | { what: 'fingerprints'; entries: Bytes }
  | { what: 'activities'; activities: ProvenActivity[] }
  | { what: 'activityList'; activities: ProvenActivity[] }
  | { what: 'subOrganizations'; organizationIds: Bytes[] }
  | { what: 'batches'; batches: FetchedBatch[] }
  | { what: 'lastBatch'; batches: FetchedBatch[] }
  | { what: 'heads'; heads: { organizationId: Bytes; head: Bytes }[] }
  /** (organization id ‖ 16 zero bytes, SHA-256 of its head) pairs of 64 bytes. */
  | { what: 'headDigests'; entries: Bytes }
  /** (key, value) pairs of 64 bytes. */
  | { what: 'lookups'; entries: Bytes }
  | { what: 'frontier'; tiles: Bytes[] }
  | { what: 'denials'; notes: Omit<DenialRow, 'organizationId'>[] }
  /** RFC 6962 §2.1.1 audit path, the leaf's sibling first, 32 bytes each. */
  | { what: 'inclusion'; path: Bytes };

export type FetchedBatch = { number: number; record: Bytes; entries: Bytes; firstLeaf: number };

/** `path`: RFC 6962 §2.1.1 audit path, leaf's sibling first, 32 bytes each. */
export type ProvenActivity = { id: Bytes; leafIndex: number; sealed: Bytes; path: Bytes };
