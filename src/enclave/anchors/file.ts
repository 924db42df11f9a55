/**
 * The anchor as two files in the enclave's own folder. `anchor` has two preallocated slots for a header (tagged with a key
 * of the enclave's) that are written in turn, so that a torn write leaves the other one; `anchor-buckets` has for each slot
 * the map's 2^16 bucket hashes, of which a move writes only those that changed. It protects against the database, not
 * against root on the host.
 *
 * The header is written through O_DSYNC, for Node's permission model has no fsync; the hashes are in a file of their own
 * so that a move does not wait for them. They only tell *where* a database differs: a power cut may lose the last of
 * them, and then all of it is refused instead of a part.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { closeSync, constants, existsSync, openSync, readSync, renameSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cbor, decode, encode } from '../../protocol/cbor.ts';
import { formatVersion } from '../contexts.ts';
import { bucketCount } from '../ledger/merkle-map.ts';
import { type Anchor, AnchorError, type AnchoredState, type ChangedBucket } from './anchor.ts';

const headerSize = 4096;
const bucketsSize = bucketCount * 32;
const tagSize = 32;
const writeAt = promisify(write);

export function fileAnchor(folder: string, tagKey: KeyObject): Anchor {
  const path = join(folder, 'anchor');
  const bucketsPath = join(folder, 'anchor-buckets');
  let files: { headers: number; buckets: number } | undefined;
  let current: { state: AnchoredState; slot: number } | undefined;
  // The slot that is written next still lacks the buckets that the last move changed in the other one; null: nobody knows.
  let missing: readonly ChangedBucket[] | null = null;

  const open = () => {
    const { O_CREAT, O_DSYNC, O_RDWR } = constants;
    files ??= { headers: openSync(path, O_RDWR | O_DSYNC), buckets: openSync(bucketsPath, O_RDWR | O_CREAT, 0o600) };
    return files;
  };
  const readSlot = (slot: number): AnchoredState | undefined => {
    const header = Buffer.alloc(headerSize);
    readSync(open().headers, header, 0, headerSize, slot * headerSize);
    return openHeader(header, tagKey, path);
  };
  const readBuckets = (slot: number): Buffer => {
    const hashes = Buffer.alloc(bucketsSize);
    readSync(open().buckets, hashes, 0, bucketsSize, slot * bucketsSize);
    return hashes;
  };

  return {
    name: 'file',
    depth: 2,
    // The file alone has seen what it holds, and nothing else.
    verify: async () => {},
    time: () => 0,
    waitsFor: () => null,
    load() {
      if (!existsSync(path)) return null;
      const slots = [readSlot(0), readSlot(1)];
      const slot = (slots[1]?.number ?? -1) > (slots[0]?.number ?? -1) ? 1 : 0;
      const state = slots[slot];
      if (!state) {
        throw new AnchorError(
          `${path}: neither slot can be read with this sealing key; restore folder and database together`,
        );
      }
      current = { state, slot };
      if (missing === null) writeAll(open().buckets, readBuckets(slot), (1 - slot) * bucketsSize);
      missing ??= [];
      return state;
    },
    create(state, hashes) {
      createFile(bucketsPath, Buffer.concat([hashes, hashes]));
      // The second slot is zeros: there, so that no later write needs room on the disk, but no state.
      createFile(path, Buffer.concat([sealHeader(state, tagKey), Buffer.alloc(headerSize)]));
      current = { state, slot: 0 };
      missing = [];
    },
    async move(state, changed) {
      const slot = current?.slot === 0 ? 1 : 0;
      for (const { first, hashes } of runsOf([...(missing ?? []), ...changed])) {
        writeAll(open().buckets, hashes, slot * bucketsSize + first * 32);
      }
      const { bytesWritten } = await writeAt(
        open().headers,
        sealHeader(state, tagKey),
        0,
        headerSize,
        slot * headerSize,
      );
      if (bytesWritten !== headerSize) throw new AnchorError(`${path}: the slot could not be written in one piece`);
      missing = changed;
      current = { state, slot };
      return state;
    },
    bucketHashes: () => readBuckets(current?.slot ?? 0),
  };
}

/** Neighbouring buckets as one write each; of two hashes for one bucket the later counts. */
function runsOf(changed: readonly ChangedBucket[]): { first: number; hashes: Buffer }[] {
  const newest = new Map(changed.map(({ bucket, hash }) => [bucket, hash]));
  const runs: { first: number; hashes: Uint8Array[] }[] = [];
  for (const [bucket, hash] of [...newest].sort(([a], [b]) => a - b)) {
    const run = runs.at(-1);
    if (run && run.first + run.hashes.length === bucket) run.hashes.push(hash);
    else runs.push({ first: bucket, hashes: [hash] });
  }
  return runs.map(({ first, hashes }) => ({ first, hashes: Buffer.concat(hashes) }));
}

/** A file that is there whole or not at all. */
function createFile(path: string, content: Buffer): void {
  const { O_CREAT, O_TRUNC, O_WRONLY, O_SYNC } = constants;
  const file = openSync(`${path}.new`, O_CREAT | O_TRUNC | O_WRONLY | O_SYNC, 0o600);
  writeAll(file, content, 0);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

/** Writes all of `bytes`, where one call may write less when the disk is nearly full. */
function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
}

/** Layout: length(4) ‖ CBOR ‖ HMAC-SHA-256(32) ‖ zeros. */
function sealHeader(state: AnchoredState, tagKey: KeyObject): Buffer {
  const body = encode({ v: formatVersion, ...state } as Cbor);
  if (body.length + 4 + tagSize > headerSize) throw new AnchorError('the anchored state is too large for its slot');
  const header = Buffer.alloc(headerSize);
  header.writeUInt32BE(body.length);
  body.copy(header, 4);
  tagOf(body, tagKey).copy(header, 4 + body.length);
  return header;
}

function openHeader(header: Buffer, tagKey: KeyObject, path: string): AnchoredState | undefined {
  const length = header.readUInt32BE();
  if (length === 0 || length > headerSize - 4 - tagSize) return undefined;
  const body = header.subarray(4, 4 + length);
  if (!timingSafeEqual(tagOf(body, tagKey), header.subarray(4 + length, 4 + length + tagSize))) return undefined;
  const { v, ...state } = decode(body) as { v: number } & AnchoredState;
  if (v !== formatVersion) throw new AnchorError(`${path}: unknown format version ${v}, expected ${formatVersion}`);
  return state;
}

const tagOf = (body: Buffer, key: KeyObject): Buffer => createHmac('sha256', key).update(body).digest();
