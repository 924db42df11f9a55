/**
 * The start of the ledger: finds the state that the anchor names in what the database shows, or refuses it with a reason
 * (DESIGN §4 "After a crash"). The decision itself is `judgeTail`; here rows are fetched, undone, checked and redone.
 */
import type { KeyObject } from 'node:crypto';
import { entriesOf } from '../../protocol/entry-bundle.ts';
import { leafHash } from '../../protocol/log-hash.ts';
import type { FetchedBatch } from '../../protocol/messages.ts';
import { uuidText } from '../../protocol/uuid.ts';
import { type Anchor, AnchorError, type AnchoredState } from '../anchors/anchor.ts';
import { RowIntegrityError, type Sealer } from '../sealing/seal.ts';
import { type BatchRecord, openBatch } from './batch-record.ts';
import { judgeTail } from './boot-machine.ts';
import type { CheckpointSigner } from './checkpoint.ts';
import { bodyLead } from './fingerprints.ts';
import { sha256 } from './hash.ts';
import { decodeHead } from './head.ts';
import { type Log, openLog } from './log.ts';
import { bucketCount, bucketOf, createMerkleMap, headKey, type MerkleMap, rootOfBuckets } from './merkle-map.ts';
import { fetchRows, type Port } from './port.ts';

/** `accepted`: the state is not the anchored one but the one that the operator named. */
export type Booted = { map: MerkleMap; log: Log; state: AnchoredState; accepted: boolean };

export type BootParts = {
  port: Port;
  sealer: Sealer;
  anchor: Anchor;
  anchored: AnchoredState;
  signer: CheckpointSigner;
  headTag: KeyObject;
  settings: Buffer;
  /** Boot id. */
  enclave: Buffer;
  /** Root (hex) that the operator accepts in place of the anchored one. */
  acceptedRoot: string | null;
  /** Anchor and database come from one backup, which need not be the newest: a new epoch begins. */
  restored?: boolean;
  now: number;
};

/** The database does not hold the state that the anchor names. `message` is for the operator. */
export class StateRefusedError extends Error {
  override name = 'StateRefusedError';
}

type Tail = { record: BatchRecord & { hash: Buffer }; entries: Uint8Array[] };

/** Rows of one fetch of heads or look-ups: 1 MB at most. */
const pageSize = 4096;

export async function boot(parts: BootParts): Promise<Booted> {
  const { anchored, port } = parts;
  const map = await loadMap(port);
  const shown = await shownBatches(parts);
  const judged = shown instanceof StateRefusedError ? shown : judge(anchored, shown);
  if (judged instanceof StateRefusedError) return acceptOrRefuse(parts, map, judged.message);
  return restore(parts, map, judged);
}

/** Undoes the tail, compares with the anchor, redoes it, and moves the anchor behind it. */
async function restore(parts: BootParts, map: MerkleMap, tail: readonly Tail[]): Promise<Booted> {
  const { anchored, port, anchor } = parts;
  for (const { record } of [...tail].reverse()) for (const [key, before] of record.changes) map.set(key, before);
  if (!map.root().equals(anchored.mapRoot)) {
    const opened = isolateBuckets(map, anchor, anchored, tail);
    if (!opened) return acceptOrRefuse(parts, map, mismatchOf(map, anchor, anchored), tail);
  }
  const log = await loadLog(port, anchored);
  map.takeChangedBuckets();
  // A power cut may have torn the anchor's copy of the buckets: then the next move writes all of them.
  if (!map.bucketHashes().equals(anchor.bucketHashes())) map.markAllChanged();
  const redone = tail.map(({ record, entries }) => {
    for (const [key, , after] of record.changes) map.set(key, after);
    for (const entry of entries) log.append(leafHash(entry));
    return { state: stateAfter(parts, record, map, log), changed: map.takeChangedBuckets() };
  });
  // What others have seen of this log is either here or the state is refused.
  const refusal = await refusalOf(anchor, [anchored, ...redone.map((each) => each.state)]);
  if (refusal !== null) return acceptOrRefuse(parts, map, refusal);
  let state = anchored;
  for (const each of redone) state = await anchor.move(each.state, each.changed);
  if (!parts.restored) return { map, log, state, accepted: false };
  map.markAllChanged();
  return { map, log, state: { ...state, ...nextEpoch(state, parts.now) }, accepted: true };
}

async function refusalOf(anchor: Anchor, states: readonly AnchoredState[]): Promise<string | null> {
  try {
    await anchor.verify(states, false);
    return null;
  } catch (error) {
    if (error instanceof AnchorError) return error.message;
    throw error;
  }
}

function stateAfter(
  parts: BootParts,
  record: BatchRecord & { hash: Uint8Array },
  map: MerkleMap,
  log: Log,
): AnchoredState {
  const { number, hash, epoch, epochStart, time } = record;
  const [mapRoot, logRoot, logSize] = [map.root(), log.root(), log.size()];
  const checkpoint = parts.signer.sign({
    size: logSize,
    logRoot,
    mapRoot,
    batch: number,
    epoch,
    settings: parts.settings,
    enclave: parts.enclave,
  });
  return { number, hash, mapRoot, logSize, logRoot, epoch, epochStart, time, checkpoint };
}

/**
 * The map as the database shows it. That includes the digests of the heads: whether they are right shows when the root is
 * compared with the anchor's, and later whenever a head is opened.
 */
async function loadMap(port: Port): Promise<MerkleMap> {
  const map = createMerkleMap();
  await Promise.all([
    eachPage(port, 'headDigests', Buffer.alloc(16, 0xff), null, map.add),
    eachPage(port, 'lookups', Buffer.alloc(32, 0xff), null, map.add),
  ]);
  return map;
}

async function eachHead(
  port: Port,
  through: Uint8Array,
  start: Uint8Array | null,
  use: (id: Uint8Array, head: Uint8Array) => void,
): Promise<void> {
  for (let after = start; ; ) {
    const { heads } = await fetchRows(port, { what: 'heads', after, through, limit: pageSize });
    for (const { organizationId, head } of heads) {
      use(organizationId, head);
    }
    const last = heads.at(-1);
    if (!last || heads.length < pageSize) return;
    after = Buffer.from(last.organizationId);
  }
}

/** Calls `use` with entries of the map, 64 bytes each, a page at a time; `through` and `start` are as long as what names a row. */
async function eachPage(
  port: Port,
  what: 'headDigests' | 'lookups',
  through: Uint8Array,
  start: Uint8Array | null,
  use: (entries: Buffer) => void,
): Promise<void> {
  for (let after = start; ; ) {
    const { entries } = await fetchRows(port, { what, after, through, limit: pageSize });
    if (entries.length % 64 !== 0) throw new RowIntegrityError(`an entry of ${what} is not 64 bytes long`);
    use(Buffer.from(entries.buffer, entries.byteOffset, entries.length));
    if (entries.length < pageSize * 64) return;
    const last = entries.length - 64;
    after = Buffer.from(entries.subarray(last, last + through.length));
  }
}

/** The batches from the anchored one on, opened and with their log entries checked; an error says which cannot be. */
async function shownBatches({ port, anchored, sealer }: BootParts): Promise<Tail[] | StateRefusedError> {
  const { batches } = await fetchRows(port, { what: 'batches', after: Math.max(anchored.number - 1, 0) });
  const shown: Tail[] = [];
  for (const batch of batches) {
    try {
      shown.push(openShown(batch, sealer));
    } catch (error) {
      return new StateRefusedError(`batch ${batch.number} in the database cannot be used: ${(error as Error).message}`);
    }
  }
  return shown;
}

function openShown({ number, record: sealed, entries }: FetchedBatch, sealer: Sealer): Tail {
  const record = openBatch(number, sealed, sealer);
  if (!sha256(entries).equals(record.entries)) {
    throw new RowIntegrityError(`the log's entries of batch ${number} were altered`);
  }
  return { record, entries: entriesOf(entries) };
}

function judge(anchored: AnchoredState, shown: readonly Tail[]): Tail[] | StateRefusedError {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const verdict = judgeTail(
    { number: anchored.number, hash: hex(anchored.hash) },
    shown.map(({ record }) => ({ number: record.number, hash: hex(record.hash), previous: hex(record.previous) })),
  );
  if (verdict.verdict !== 'tail') return new StateRefusedError(verdict.reason);
  return shown.filter(({ record }) => record.number > anchored.number);
}

/**
 * Makes the buckets that differ from the anchor opaque, so that only their organizations are refused. False when the
 * anchor's copy is no help, or when the tail changes such a bucket and so its new hash cannot be known.
 */
function isolateBuckets(map: MerkleMap, anchor: Anchor, anchored: AnchoredState, tail: readonly Tail[]): boolean {
  const differing = differingBuckets(map, anchor, anchored);
  if (!differing) return false;
  const touched = new Set(tail.flatMap(({ record }) => record.changes.map(([key]) => bucketOf(key))));
  if (differing.some(({ bucket }) => touched.has(bucket))) return false;
  for (const { bucket, hash } of differing) map.makeOpaque(bucket, hash);
  return map.root().equals(anchored.mapRoot);
}

/** Null where the anchor's copy of the bucket hashes was torn by a power cut. */
function differingBuckets(
  map: MerkleMap,
  anchor: Anchor,
  anchored: AnchoredState,
): { bucket: number; hash: Buffer }[] | null {
  const [hashes, shown] = [anchor.bucketHashes(), map.bucketHashes()];
  if (!rootOfBuckets(hashes).equals(anchored.mapRoot)) return null;
  const differing: { bucket: number; hash: Buffer }[] = [];
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const [from, to] = [bucket * 32, bucket * 32 + 32];
    if (hashes.compare(shown, from, to, from, to) !== 0) differing.push({ bucket, hash: hashes.subarray(from, to) });
  }
  return differing;
}

function mismatchOf(map: MerkleMap, anchor: Anchor, anchored: AnchoredState): string {
  const differing = differingBuckets(map, anchor, anchored);
  const where = differing
    ? `${differing.length} of ${bucketCount} buckets of organizations`
    : 'parts that cannot be named';
  return `the database does not hold the released state: ${where} differ`;
}

async function loadLog(port: Port, anchored: AnchoredState): Promise<Log> {
  const log = await openFrontier(port, anchored.logSize);
  if (!log?.root().equals(anchored.logRoot)) {
    throw new StateRefusedError(
      'the log in the database is not the released one: leaves or tiles are missing or were altered',
    );
  }
  return log;
}

async function openFrontier(port: Port, size: number): Promise<Log | undefined> {
  const { tiles } = await fetchRows(port, { what: 'frontier', size });
  try {
    return openLog(size, tiles);
  } catch {
    return undefined;
  }
}

/**
 * A refusal names the root of what the database holds; with that very root in the operator's hand the state is taken,
 * in a new epoch, and bodies stamped before it are refused from then on.
 */
async function acceptOrRefuse(
  parts: BootParts,
  map: MerkleMap,
  reason: string,
  undone: readonly Tail[] = [],
): Promise<Booted> {
  const { anchored, port, acceptedRoot } = parts;
  for (const { record } of undone) for (const [key, , after] of record.changes) map.set(key, after);
  const root = map.root();
  if (acceptedRoot !== root.toString('hex')) {
    throw new StateRefusedError(
      `${reason}. ${await describeDifference(parts, map)} The database holds the state with root ${root.toString('hex')}; ` +
        `to go on from it, run: countersign accept-state --root ${root.toString('hex')}`,
    );
  }
  await eachHead(port, Buffer.alloc(16, 0xff), null, (id, head) => decodeHead(id, head, parts.headTag));
  const { number: lastNumber, logSize } = await newestInDatabase(parts);
  const log = await openFrontier(port, logSize);
  if (!log)
    throw new StateRefusedError('the log in the database has gaps and cannot be continued; restore a whole backup');
  const number = Math.max(anchored.number, lastNumber);
  const epoch = nextEpoch(anchored, parts.now);
  map.markAllChanged();
  const position = { size: logSize, logRoot: log.root(), mapRoot: root };
  const { signer, settings, enclave } = parts;
  const checkpoint = signer.sign({ ...position, batch: number, epoch: anchored.epoch, settings, enclave });
  const state = { ...anchored, ...epoch, number, mapRoot: root, logSize, logRoot: log.root(), checkpoint };
  try {
    await parts.anchor.verify([state], true);
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error;
    throw new StateRefusedError(
      `${error.message}. The accepted state is not taken: each witness that has seen more has to enrol this log anew, by: countersign witness --enrol-anew ${signer.origin}`,
    );
  }
  // Not anchored yet: the caller appends the entry that says so, and its batch moves the anchor.
  return { map, log, state, accepted: true };
}

/** What a restored state forgot having carried out may have been stamped for up to `bodyLead` ahead of its time. */
const nextEpoch = ({ epoch, time }: AnchoredState, now: number): Pick<AnchoredState, 'epoch' | 'epochStart'> => ({
  epoch: epoch + 1,
  epochStart: Math.max(time + bodyLead, now),
});

/** What is known of what the database lacks: batches, and organizations with the sequence at which it shows them. */
async function describeDifference(parts: BootParts, map: MerkleMap): Promise<string> {
  const { anchored, anchor, port, headTag } = parts;
  const newest = (await fetchRows(port, { what: 'lastBatch' })).batches.at(-1)?.number ?? 0;
  const batches = `The anchor is at batch ${anchored.number}, of ${new Date(anchored.time).toISOString()}, and the database ends with batch ${newest}.`;
  const differing = new Set(differingBuckets(map, anchor, anchored)?.map(({ bucket }) => bucket));
  if (differing.size === 0) return batches;
  const found: string[] = [];
  await eachHead(port, Buffer.alloc(16, 0xff), null, (id, head) => {
    if (found.length > mostNamed || !differing.has(bucketOf(headKey(id)))) return;
    found.push(`${uuidText(id)} at ${sequenceIn(id, head, headTag)}`);
  });
  const more = found.length > mostNamed ? ' and others' : '';
  const named = found.length > 0 ? found.slice(0, mostNamed).join(', ') + more : 'none that the database shows';
  return `${batches} Organizations that are not as they were released, or share a bucket with such: ${named}.`;
}

/** Organizations that a refusal names. */
const mostNamed = 20;

function sequenceIn(id: Uint8Array, head: Uint8Array, headTag: KeyObject): string {
  try {
    return `sequence ${decodeHead(id, head, headTag).sequence}`;
  } catch {
    return 'a sequence that was altered';
  }
}

async function newestInDatabase({ port, sealer, anchored }: BootParts): Promise<{ number: number; logSize: number }> {
  const { batches } = await fetchRows(port, { what: 'lastBatch' });
  const newest = batches.at(-1);
  if (!newest) return { number: anchored.number, logSize: 0 };
  const { record, entries } = openShown(newest, sealer);
  return { number: record.number, logSize: record.firstLeaf + entries.length };
}

/**
 * Looks at an opaque bucket again: true when the database shows what the anchor says, so that its organizations can be
 * served without a restart.
 */
export async function revealBucket(port: Port, map: MerkleMap, bucket: number): Promise<boolean> {
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16BE(bucket);
  const from = (size: number) => before(Buffer.concat([prefix, Buffer.alloc(size - 2)]));
  const through = (size: number) => Buffer.concat([prefix, Buffer.alloc(size - 2, 0xff)]);
  const found: Buffer[] = [];
  const take = (entries: Buffer) => {
    for (let at = 0; at < entries.length; at += 64) found.push(entries.subarray(at, at + 64));
  };
  await eachPage(port, 'headDigests', through(16), from(16), take);
  await eachPage(port, 'lookups', through(32), from(32), take);
  // Another request may have revealed it while the rows were on their way.
  const entries = Buffer.concat(found.sort(Buffer.compare));
  return !map.opaqueBuckets().includes(bucket) || map.reveal(bucket, entries);
}

/** The key just below `key`; null for the lowest one. */
function before(key: Buffer): Buffer | null {
  const below = Buffer.from(key);
  for (let at = below.length - 1; at >= 0; at--) {
    if (below[at] !== 0) {
      below[at] = (below[at] as number) - 1;
      return below;
    }
    below[at] = 0xff;
  }
  return null;
}

/** The state before the first transition of a new ledger. */
export function genesis(signer: CheckpointSigner, settings: Buffer, now: number): AnchoredState {
  const [map, log] = [createMerkleMap(), openLog(0, [])];
  const position = { size: 0, logRoot: log.root(), mapRoot: map.root() };
  const checkpoint = signer.sign({ ...position, batch: 0, epoch: 0, settings, enclave: Buffer.alloc(32) });
  const { size: logSize, ...roots } = position;
  return { number: 0, hash: Buffer.alloc(32), ...roots, logSize, epoch: 0, epochStart: 0, time: now, checkpoint };
}
