/** Reads a log over HTTP (C2SP tlog-tiles). What it gives is as the log says: nothing is verified here. */
import { setTimeout as sleep } from 'node:timers/promises';
import { entriesOf } from '../../protocol/entry-bundle.ts';
import { type TileName, tilePath, tileWidth } from '../../protocol/log/tiles.ts';
import { OperatorError } from '../operator-error.ts';

export type LogReader = {
  /** The URL below which checkpoint and tiles lie, without a slash at its end. */
  readonly prefix: string;
  checkpoint(): Promise<string>;
  /** `width` hashes. */
  hashes(level: number, index: number, width: number): Promise<Uint8Array[]>;
  /** `width` entries. */
  entries(index: number, width: number): Promise<Uint8Array[]>;
};

const timeoutMs = 30_000;
/** Milliseconds before each further try. */
const pauses = [500, 2_000];
const maxBytes = 32 * 1024 * 1024;

/** The log at `url`, or of the Countersign service there. Throws `OperatorError` where there is none. */
export async function openLogReader(url: string): Promise<LogReader> {
  const base = url.replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]/.test(base)) throw new OperatorError(`expected the URL of a log, got ${JSON.stringify(url)}`);
  for (const prefix of [base, `${base}/log`]) {
    const found = await get(`${prefix}/checkpoint`);
    if (found && isText(found)) return readerOf(prefix);
  }
  throw new OperatorError(`there is no log at ${base}: neither ${base}/checkpoint nor ${base}/log/checkpoint is one`);
}

function readerOf(prefix: string): LogReader {
  /** Once a partial tile is full, a log need not keep the partial one. */
  async function tile(name: TileName): Promise<Uint8Array> {
    const whole = { ...name, width: tileWidth };
    const bytes =
      (await get(`${prefix}/${tilePath(name)}`)) ??
      (name.width < tileWidth ? await get(`${prefix}/${tilePath(whole)}`) : undefined);
    if (!bytes) throw new OperatorError(`${prefix} has no ${tilePath(name)}, which its checkpoint says there is`);
    return bytes;
  }
  return {
    prefix,
    async checkpoint() {
      const bytes = await get(`${prefix}/checkpoint`);
      if (!bytes) throw new OperatorError(`there is no checkpoint at ${prefix}`);
      return Buffer.from(bytes).toString();
    },
    async hashes(level, index, width) {
      const bytes = await tile({ level, index, width });
      if (bytes.length < width * 32) throw new OperatorError(`a tile of ${prefix} is cut short`);
      return Array.from({ length: width }, (_, at) => bytes.subarray(at * 32, at * 32 + 32));
    },
    async entries(index, width) {
      const bytes = await tile({ level: 'entries', index, width });
      const entries = readBundle(bytes);
      if (entries.length < width) throw new OperatorError(`a bundle of entries of ${prefix} is cut short`);
      return entries.slice(0, width);
    },
  };
}

function readBundle(bytes: Uint8Array): Uint8Array[] {
  try {
    return entriesOf(bytes);
  } catch (error) {
    throw new OperatorError((error as Error).message);
  }
}

const isText = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('\n\n\u2014 ');

/** Undefined where there is nothing at `url`. Throws `OperatorError` where nobody answers, or with anything but that. */
async function get(url: string): Promise<Uint8Array | undefined> {
  for (let attempt = 0; ; attempt++) {
    const pause = pauses[attempt];
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
      if (response.status === 404 || response.status === 410) return undefined;
      if (response.ok) return await readBytes(response);
      if (pause === undefined || (response.status < 500 && response.status !== 429)) {
        throw new OperatorError(`${url} answers ${response.status}`);
      }
    } catch (error) {
      if (error instanceof OperatorError) throw error;
      if (pause === undefined) throw new OperatorError(`${url} does not answer: ${(error as Error).message}`);
    }
    await sleep(pause);
  }
}

async function readBytes(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw new OperatorError(`${response.url} answers with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
