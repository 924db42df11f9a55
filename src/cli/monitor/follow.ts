/** One look at a log: is what it has now an extension of what it had? */
import { decode } from '../../protocol/cbor.ts';
import { type Checkpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { NoteError, parseNote, parseVerifierKey, verifyNote } from '../../protocol/log/signed-note.ts';
import { tileWidth, tileWidthIn } from '../../protocol/log/tiles.ts';
import { equalBytes } from '../../protocol/log/tree.ts';
import { leafHash } from '../../protocol/log-hash.ts';
import { OperatorError } from '../operator-error.ts';
import type { LogReader } from './log-reader.ts';
import type { Kept } from './state.ts';
import { append, rootOf, type Subtrees, sizeOf } from './subtrees.ts';

/** The log is not what it was, or not what it says: with the checkpoints that prove it, each signed by the log. */
export class LogFault extends Error {
  override name = 'LogFault';
  readonly kept: string | null;
  readonly seen: string;

  constructor(message: string, checkpoints: { kept: string | null; seen: string }) {
    super(message);
    this.kept = checkpoints.kept;
    this.seen = checkpoints.seen;
  }
}

export type Look = {
  readonly kept: Kept;
  readonly origin: string;
  readonly from: number;
  readonly size: number;
  /** Public entries among the new ones, in words. */
  readonly notices: readonly string[];
};

/** Called while it takes long: how many of how many entries were read. */
export type Progress = (read: number, of: number) => void;

/** Throws a `LogFault`, and an `OperatorError` where the log cannot be read. */
export async function lookAt(
  log: LogReader,
  logKey: string,
  before: Kept | undefined,
  progress: Progress,
): Promise<Look> {
  const seen = await log.checkpoint();
  const checkpoint = await verified(seen, logKey);
  const fault = (words: string) => new LogFault(words, { kept: before?.checkpoint ?? null, seen });
  const old = before && (await verified(before.checkpoint, logKey));
  if (before && old && !isRootOf(before.subtrees, old)) {
    throw new OperatorError('the kept state is damaged: its hashes are not those of its checkpoint');
  }
  const { size, origin } = checkpoint;
  const from = old?.size ?? 0;
  if (size < from) throw fault(`the log shrank: it had ${from} entries, and now signs for ${size}`);
  if (old && size === from && !isSameState(old, checkpoint)) {
    throw fault(`the log forked: it signed two states of ${size} entries`);
  }

  const start = before?.subtrees ?? [];
  const subtrees = await extendByTiles(start, size, log);
  if (!isRootOf(subtrees, checkpoint)) {
    const whole = from > 0 ? await extendByTiles([], size, log) : subtrees;
    throw fault(
      isRootOf(whole, checkpoint)
        ? `the log forked: its ${size} entries do not begin with the ${from} that it had`
        : 'the tiles of the log do not make the root that it signed',
    );
  }
  // Those of others may have other entries, or too many of them.
  const notices = isOurs(origin) ? await readEntries(start, checkpoint, log, progress, fault) : [];
  return { kept: { logKey, checkpoint: seen, subtrees }, origin, from, size, notices };
}

/** Of Countersign's logs the map over all organizations belongs to it: it never changes without an entry. */
function isSameState(one: Checkpoint, other: Checkpoint): boolean {
  const mapOf = ({ extensions }: Checkpoint) => extensions.filter((line) => line.startsWith('map ')).join('\n');
  return equalBytes(one.root, other.root) && (!isOurs(one.origin) || mapOf(one) === mapOf(other));
}

/** Of one look; a log may be full of what is not Countersign's. */
const maxNotices = 1000;

const isOurs = (origin: string): boolean => origin.startsWith('countersign/');

async function verified(note: string, logKey: string): Promise<Checkpoint> {
  try {
    const key = parseVerifierKey(logKey);
    const parsed = parseNote(note);
    await verifyNote(parsed, [key]);
    const checkpoint = parseCheckpoint(parsed.text);
    if (checkpoint.origin !== key.name) throw new NoteError(`it is of ${checkpoint.origin}, the key of ${key.name}`);
    return checkpoint;
  } catch (error) {
    if (error instanceof NoteError) throw new OperatorError(`the checkpoint is not the log's: ${error.message}`);
    throw error;
  }
}

function isRootOf(subtrees: Subtrees, { size, root }: Checkpoint): boolean {
  if (sizeOf(subtrees) !== size) return false;
  const found = rootOf(subtrees) ?? emptyRoot;
  return equalBytes(found, root);
}

/** SHA-256 of nothing. */
const emptyRoot = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex');

/** Adds leaves up to `size`, by the largest subtrees that tiles have the roots of: a log of any size is a few tiles away. */
async function extendByTiles(start: Subtrees, size: number, log: LogReader): Promise<Subtrees> {
  let subtrees = start;
  for (let at = sizeOf(start); at < size; at = sizeOf(subtrees)) {
    let level = 0;
    while (at % tileWidth ** (level + 1) === 0 && at + tileWidth ** (level + 1) <= size) level++;
    const span = tileWidth ** level;
    const index = Math.floor(at / span / tileWidth);
    const hashes = await log.hashes(level, index, tileWidthIn(size, { level, index }));
    // All that follow in the tile, unless a larger subtree begins there.
    for (const root of hashes.slice((at / span) % tileWidth)) subtrees = append(subtrees, { level: level * 8, root });
  }
  return subtrees;
}

/** Reads every new entry, which have to make the same root, and says what the public ones tell. */
async function readEntries(
  start: Subtrees,
  checkpoint: Checkpoint,
  log: LogReader,
  progress: Progress,
  fault: (words: string) => LogFault,
): Promise<string[]> {
  const { size } = checkpoint;
  const notices: string[] = [];
  let untold = 0;
  let subtrees = start;
  for (let at = sizeOf(start); at < size; at = sizeOf(subtrees)) {
    progress(at, size);
    const index = Math.floor(at / tileWidth);
    const entries = await log.entries(index, tileWidthIn(size, { level: 'entries', index }));
    for (const [offset, entry] of entries.slice(at % tileWidth).entries()) {
      subtrees = append(subtrees, { level: 0, root: leafHash(entry) });
      const words = describe(entry);
      if (words && notices.length < maxNotices) notices.push(`entry ${at + offset}: ${words}`);
      else if (words) untold++;
    }
  }
  if (untold > 0) notices.push(`and ${untold} more`);
  if (!isRootOf(subtrees, checkpoint)) throw fault('the entries that the log serves are not those that it signed');
  return notices;
}

/** What an entry says to everybody; undefined of those that commit to what only others know. */
function describe(entry: Uint8Array): string | undefined {
  try {
    const { kind, boot, time, epoch } = decode(entry) as Record<string, unknown>;
    const when = () =>
      `${new Date(Number(time)).toISOString()}, enclave ${Buffer.from(boot as Buffer).toString('hex')}`;
    if (kind === 'boot') return `the service started, ${when()}`;
    if (kind === 'acceptState') return `the operator had a restored state accepted (epoch ${Number(epoch)}), ${when()}`;
    return undefined;
  } catch {
    return 'it is none of Countersign’s';
  }
}
