/**
 * The start of the ledger: finds the state that the anchor names in what the database shows, or refuses it with a reason
 * (DESIGN §4 "After a crash"). The decision itself is `judgeTail`; here rows are fetched, undone, checked and redone.
 */
import type { KeyObject } from 'node:crypto';
import type { FetchedBatch } from '../../protocol/messages.ts';
import type { Anchor, AnchoredState } from '../anchors/anchor.ts';
import { RowIntegrityError, type Sealer } from '../sealing/seal.ts';
import { type BatchRecord, openBatch } from './batch-record.ts';
import { judgeTail } from './boot-machine.ts';
import type { CheckpointSigner } from './checkpoint.ts';
import { bodyLead } from './fingerprints.ts';
import { sha256, splitHashes } from './hash.ts';
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
  /** Root (hex) that the operator accepts in place of the anchored one. */
  acceptedRoot: string | null;
  now: number;
};

/** The database does not hold the state that the anchor names. `message` is for the operator. */
export class StateRefusedError extends Error {
  override name = 'StateRefusedError';
}

type Tail = { record: BatchRecord & { hash: Buffer }; leaves: Buffer[] };

/** Rows of one fetch of heads or look-ups: about 1 MB. */
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
  let state = anchored;
  for (const { record, leaves } of tail) {
    for (const [key, , after] of record.changes) map.set(key, after);
    for (const leaf of leaves) log.append(leaf);
    state = stateAfter(parts, record, map, log);
    await anchor.move(state, map.takeChangedBuckets());
  }
  return { map, log, state, accepted: false };
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
  });
  return { number, hash, mapRoot, logSize, logRoot, epoch, epochStart, time, checkpoint };
}

async function loadMap(port: Port): Promise<MerkleMap> {
  const map = createMerkleMap();
  await eachHead(port, Buffer.alloc(16, 0xff), null, (id, head) => map.set(headKey(id), sha256(head)));
  await eachLookup(port, Buffer.alloc(32, 0xff), null, (key, value) => map.set(key, value));
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

async function eachLookup(
  port: Port,
  through: Uint8Array,
  start: Uint8Array | null,
  use: (key: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  for (let after = start; ; ) {
    const { entries } = await fetchRows(port, { what: 'lookups', after, through, limit: pageSize });
    for (let at = 0; at < entries.length; at += 64) {
      const entry = entries.subarray(at, at + 64);
      if (entry.length !== 64) throw new RowIntegrityError('a look-up is not 64 bytes long');
      use(entry.subarray(0, 32), entry.subarray(32));
    }
    if (entries.length < pageSize * 64) return;
    after = Buffer.from(entries.subarray(entries.length - 64, entries.length - 32));
  }
}

/** The batches from the anchored one on, opened and with their leaves checked; an error says which cannot be. */
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

function openShown({ number, record: sealed, leaves }: FetchedBatch, sealer: Sealer): Tail {
  const record = openBatch(number, sealed, sealer);
  if (!sha256(leaves).equals(record.leaves)) {
    throw new RowIntegrityError(`the log's leaves of batch ${number} were altered`);
  }
  return { record, leaves: splitHashes(leaves) };
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
      `${reason}. The database holds the state with root ${root.toString('hex')}; to go on from it, ` +
        `run: countersign accept-state --root ${root.toString('hex')}`,
    );
  }
  await eachHead(port, Buffer.alloc(16, 0xff), null, (id, head) => decodeHead(id, head, parts.headTag));
  const { number: lastNumber, logSize } = await newestInDatabase(parts);
  const log = await openFrontier(port, logSize);
  if (!log)
    throw new StateRefusedError('the log in the database has gaps and cannot be continued; restore a whole backup');
  const number = Math.max(anchored.number, lastNumber);
  // What the restored state forgot having carried out may have been stamped for up to `bodyLead` ahead of its time.
  const epoch = { epoch: anchored.epoch + 1, epochStart: Math.max(anchored.time + bodyLead, parts.now) };
  map.markAllChanged();
  // Not anchored yet: the caller appends the entry that says so, and its batch moves the anchor.
  return {
    map,
    log,
    state: { ...anchored, ...epoch, number, mapRoot: root, logSize, logRoot: log.root() },
    accepted: true,
  };
}

async function newestInDatabase({ port, sealer, anchored }: BootParts): Promise<{ number: number; logSize: number }> {
  const { batches } = await fetchRows(port, { what: 'lastBatch' });
  const newest = batches.at(-1);
  if (!newest) return { number: anchored.number, logSize: 0 };
  const { record, leaves } = openShown(newest, sealer);
  return { number: record.number, logSize: record.firstLeaf + leaves.length };
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
  const found: { key: Buffer; value: Buffer }[] = [];
  await eachHead(port, through(16), from(16), (id, head) => found.push({ key: headKey(id), value: sha256(head) }));
  await eachLookup(port, through(32), from(32), (key, value) =>
    found.push({ key: Buffer.from(key), value: Buffer.from(value) }),
  );
  found.sort((a, b) => a.key.compare(b.key));
  // Another request may have revealed it while the rows were on their way.
  const entries = Buffer.concat(found.flatMap(({ key, value }) => [key, value]));
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
  const checkpoint = signer.sign({ ...position, batch: 0, epoch: 0, settings });
  const { size: logSize, ...roots } = position;
  return { number: 0, hash: Buffer.alloc(32), ...roots, logSize, epoch: 0, epochStart: 0, time: now, checkpoint };
}
