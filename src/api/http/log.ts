/** The log under `/log/`, as C2SP tlog-tiles has it. Nothing of it is secret, and nobody need believe it: the checkpoint is signed. */
import type { Context } from 'koa';
import { CountersignError, unavailable } from '../../protocol/errors.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/signed-note.ts';
import { parseTilePath, type TileName, tileWidthIn } from '../../protocol/log/tiles.ts';
import type { EnclaveStatus } from '../../protocol/messages.ts';
import type { EnclaveClient } from '../enclave-client.ts';

export type LogParts = {
  readonly enclave: Pick<EnclaveClient, 'status'>;
  /** Undefined where the database lacks some of the tile. */
  readonly loadTile: (tile: TileName) => Promise<Uint8Array | undefined>;
};

type Released = { readonly note: string; readonly size: number };

/** Milliseconds for which many who ask get the same checkpoint. */
const freshness = 500;

/** Answers with what `path`, below `/log/`, names. Throws a `CountersignError` NOT_FOUND where the log has no such part, or not yet. */
export function createLogRoute({ enclave, loadTile }: LogParts): (ctx: Context, path: string) => Promise<void> {
  let asked: { readonly at: number; readonly answer: Promise<Released> } | undefined;
  let knownSize = 0;

  /** The newest checkpoint that the enclave released. */
  async function released(): Promise<Released> {
    if (!asked || performance.now() - asked.at > freshness) {
      const answer = readStatus(enclave);
      asked = { at: performance.now(), answer };
      answer.catch(() => {
        asked = undefined;
      });
    }
    const checkpoint = await asked.answer;
    // Smaller than before where the operator had a restored state accepted: what follows is not released yet.
    knownSize = checkpoint.size;
    return checkpoint;
  }

  /** What was released is in the log for good, so that most tiles need no question to the enclave. */
  const isReleased = async (tile: TileName): Promise<boolean> =>
    tileWidthIn(knownSize, tile) >= tile.width || tileWidthIn((await released()).size, tile) >= tile.width;

  return async (ctx, path) => {
    if (path === 'checkpoint') {
      const { note } = await released();
      return send(ctx, 'text/plain; charset=utf-8', 'no-cache', note);
    }
    const tile = parseTilePath(path);
    if (!tile || !(await isReleased(tile))) throw new CountersignError('NOT_FOUND', 'the log has no such tile');
    const bytes = await loadTile(tile);
    if (!bytes) throw unavailable('the database lacks a part of the log', 'LOG_INCOMPLETE');
    send(ctx, 'application/octet-stream', 'public, max-age=31536000, immutable', Buffer.from(bytes));
  };
}

async function readStatus(enclave: LogParts['enclave']): Promise<Released> {
  const { body } = await enclave.status();
  const { checkpoint } = JSON.parse(Buffer.from(body).toString()) as EnclaveStatus;
  if (checkpoint === null) throw unavailable('the enclave has released no checkpoint yet', 'ENCLAVE_UNAVAILABLE');
  return { note: checkpoint, size: parseCheckpoint(parseNote(checkpoint).text).size };
}

function send(ctx: Context, type: string, caching: string, body: string | Buffer): void {
  ctx.status = 200;
  ctx.set({ 'Content-Type': type, 'Cache-Control': caching, 'X-Content-Type-Options': 'nosniff' });
  ctx.body = body;
}
