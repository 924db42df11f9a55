/**
 * One organization's step from n to n+1, prepared: all rows are sealed and all digests taken before anything is applied,
 * so that a transition that cannot be made leaves no trace.
 */
import type { KeyObject } from 'node:crypto';
import { type Cbor, encode } from '../../protocol/cbor.ts';
import type { ActivityRow, HeadRow, KeyRow } from '../../protocol/messages.ts';
import { uuidBytes } from '../../protocol/uuid.ts';
import type { ActivityRecord, Recorded } from '../activity-record.ts';
import { formatVersion } from '../contexts.ts';
import type { NewKey } from '../effect.ts';
import { activityEntry } from '../log-entries.ts';
import { encodeClaims } from '../receipts.ts';
import type { Sealer } from '../sealing/seal.ts';
import type { Organization } from '../state.ts';
import { bucketsInHead, type FingerprintEntry, minuteOf } from './fingerprints.ts';
import { ownBytes, sha256 } from './hash.ts';
import { encodeHead } from './head.ts';
import { filterDigest, hintChanges, type LookupChange, lookupChanges } from './identities.ts';
import type { Opened } from './organizations.ts';
import { changePages, digestOfPages, type PageChanges } from './pages.ts';

/** Keys below the root key that the ledger uses; see `derivations`. */
export type LedgerKeys = { headTag: KeyObject; identity: KeyObject; hint: KeyObject; fingerprint: KeyObject };

export type Transition = {
  /** The state it starts from; null for an organization that comes into being. */
  readonly from: Opened | null;
  readonly to: Organization;
  readonly keys?: readonly NewKey[];
  readonly removedKeys?: readonly string[];
  /** The activity that is recorded under this organization, without what only the ledger knows. */
  readonly activity?: Recorded;
  /** The body's time and keyed digest (16 bytes), so that it is carried out once. */
  readonly body?: { readonly time: number; readonly fingerprint: Buffer };
};

export type PreparedTransition = {
  readonly from: Opened | null;
  /** What the organization becomes. */
  readonly next: Pick<
    Opened,
    'id' | 'organization' | 'sequence' | 'layout' | 'pagesDigest' | 'counters' | 'headDigest'
  >;
  readonly head: HeadRow;
  readonly pages: PageChanges;
  readonly lookups: readonly LookupChange[];
  readonly hints: { readonly added: readonly Buffer[]; readonly removed: readonly Buffer[] };
  readonly keys: readonly KeyRow[];
  readonly removedKeys: readonly Buffer[];
  /** The recorded activity; its place in the log and in its minute is known when it is applied. */
  readonly activity: {
    readonly row: Omit<ActivityRow, 'leafIndex' | 'position'>;
    readonly fingerprint: FingerprintEntry;
    /** What its receipt claims, encoded; the digest of the sealed row; and the log's entry, which commits to both. */
    readonly claims: Buffer;
    readonly rowDigest: Buffer;
    readonly entry: Buffer;
  } | null;
};

/** `time` is that of the transition, in Unix ms; `enclave` the boot id. Throws when something in it has no encoding. */
export function prepareTransition(
  { from, to, keys = [], removedKeys = [], activity, body }: Transition,
  time: number,
  sealer: Sealer,
  ledgerKeys: LedgerKeys,
  enclave: Uint8Array,
): PreparedTransition {
  const id = from?.id ?? ownBytes(uuidBytes(to.id));
  const parentId = to.parentId === null ? null : uuidBytes(to.parentId);
  const sequence = (from?.sequence ?? 0) + 1;
  const before = from?.organization ?? null;
  const pages = changePages(id, from, to, sequence, sealer);
  const pagesChanged = pages.written.length + pages.removed.length > 0;
  const pagesDigest = from && !pagesChanged ? from.pagesDigest : digestOfPages(pages.layout);
  const counters = from && before?.counters === to.counters ? from.counters : sealCounters(id, to, sequence, sealer);
  const fingerprint = activity && body && { ...body, minute: minuteOf(body.time), id: uuidBytes(activity.id) };
  const head = encodeHead(
    {
      organization: id,
      parent: parentId,
      sequence,
      pages: pagesDigest,
      counters: sha256(counters),
      fingerprints: bucketsInHead(from?.fingerprints ?? new Map(), time, fingerprint),
      deleted: to.deleted,
    },
    ledgerKeys.headTag,
  );
  const headDigest = ownBytes(sha256(head));
  const headBefore = from?.headDigest ?? Buffer.alloc(32);
  const record = activity && { ...activity, headBefore, headAfter: headDigest, sequence, enclave };
  return {
    from,
    next: { id, organization: to, sequence, layout: pages.layout, pagesDigest, counters, headDigest },
    head: { organizationId: id, parentId, head, counters },
    pages,
    lookups: lookupChanges(before, to, ledgerKeys.identity),
    hints: hintChanges(before, to, ledgerKeys.hint),
    keys: keys.map((key) => sealKey(key, sealer)),
    removedKeys: removedKeys.map(uuidBytes),
    activity:
      record && fingerprint
        ? logged(
            sealActivity(id, record, fingerprint, sealer, filterOf(ledgerKeys.hint, to.id, from?.filters)),
            record,
            fingerprint,
          )
        : null,
  };
}

function logged(
  row: Omit<ActivityRow, 'leafIndex' | 'position'>,
  record: ActivityRecord,
  fingerprint: FingerprintEntry,
): NonNullable<PreparedTransition['activity']> {
  const claims = encodeClaims(record);
  const rowDigest = sha256(row.sealed);
  return { row, fingerprint, claims, rowDigest, entry: activityEntry(rowDigest, sha256(claims)) };
}

function sealCounters(id: Uint8Array, { counters }: Organization, sequence: number, sealer: Sealer): Buffer {
  const place = { kind: 'counters', organization: id, id: Buffer.alloc(0) } as const;
  return ownBytes(sealer.seal(place, sequence, encode(counters as unknown as Cbor)));
}

function sealKey({ organizationId, id, binding, secret }: NewKey, sealer: Sealer): KeyRow {
  const [organization, keyId] = [uuidBytes(organizationId), uuidBytes(id)];
  return {
    organizationId: organization,
    keyId,
    sealed: sealer.seal(keyPlace(organization, keyId, binding), 0, secret),
  };
}

function filterOf(key: KeyObject, organizationId: string, known = new Map<string, Buffer>()) {
  return (value: string): Buffer => {
    const digest = known.get(value) ?? ownBytes(filterDigest(key, organizationId, value));
    known.set(value, digest);
    return digest;
  };
}

function sealActivity(
  organizationId: Buffer,
  record: ActivityRecord,
  { minute, fingerprint, id }: FingerprintEntry,
  sealer: Sealer,
  filter: (value: string) => Buffer,
): Omit<ActivityRow, 'leafIndex' | 'position'> {
  const content = encode({ v: formatVersion, ...record } as unknown as Cbor);
  return {
    organizationId,
    id,
    minute,
    fingerprint,
    typeHint: filter(record.type),
    statusHint: filter(record.status),
    sealed: sealer.seal({ kind: 'activity', organization: organizationId, id }, 0, content),
  };
}

/** Place of a sealed key: `binding` is what the page that names it says of it. */
export const keyPlace = (organization: Uint8Array, keyId: Uint8Array, binding: string) =>
  ({ kind: 'key', organization, id: encode([keyId, binding]) }) as const;
