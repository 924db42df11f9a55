/** The far end of the stream: real frames, with answers that a test decides on. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { openChannel } from '../../../src/protocol/frames.ts';
import type { Fetch, FetchedRows, FromEnclave, RequestMessage, ToEnclave } from '../../../src/protocol/messages.ts';

export type FakeEnclave = {
  /** Everything that came in, in order. */
  readonly received: ToEnclave[];
  send(message: FromEnclave): void;
  /** Resolves with the next message of `type` that did not resolve one before. */
  next<T extends ToEnclave['type']>(type: T): Promise<Extract<ToEnclave, { type: T }>>;
  fetch(fetch: Fetch): Promise<FetchedRows>;
  close(): void;
};

export type Answer = { status: number; body: unknown; receipt?: Uint8Array };

/** `answer` gives the JSON answer to a request; undefined: none. `status` is answered with `serving`. */
export function openFakeEnclave(
  stream: Duplex,
  answer: (request: RequestMessage) => Answer | undefined | Promise<Answer | undefined> = () => undefined,
): FakeEnclave {
  const received: ToEnclave[] = [];
  const unread: ToEnclave[] = [];
  const readers: { type: string; resolve: (message: never) => void }[] = [];
  const asked = new Map<number, { resolve: (rows: FetchedRows) => void; reject: (error: Error) => void }>();
  let nextFetch = 1;

  const reply = (id: number, { body, ...rest }: Answer) =>
    channel.send({ type: 'answer', id, ...rest, body: Buffer.from(JSON.stringify(body)) });

  const channel = openChannel<FromEnclave, ToEnclave>(
    stream,
    async (message) => {
      received.push(message);
      const reader = readers.findIndex(({ type }) => type === message.type);
      if (reader >= 0) readers.splice(reader, 1)[0]?.resolve(message as never);
      else unread.push(message);
      if (message.type === 'status') reply(message.id, { status: 200, body: { phase: 'serving', batch: 7 } });
      if (message.type === 'fetched') asked.get(message.id)?.resolve(message.rows);
      if (message.type === 'fetchFailed') asked.get(message.id)?.reject(new Error(message.reason));
      if (message.type !== 'request') return;
      const answered = await answer(message);
      if (answered) reply(message.id, answered);
    },
    () => {},
  );

  const next: FakeEnclave['next'] = (type) => {
    const at = unread.findIndex((message) => message.type === type);
    if (at >= 0) return Promise.resolve(unread.splice(at, 1)[0] as never);
    return new Promise((resolve) => readers.push({ type, resolve }));
  };

  return {
    received,
    next,
    send: channel.send,
    async fetch(fetch) {
      const id = nextFetch++;
      const rows = new Promise<FetchedRows>((resolve, reject) => asked.set(id, { resolve, reject }));
      channel.send({ type: 'fetch', id, fetch });
      return rows;
    },
    close: channel.close,
  };
}

/** Two connected Unix sockets. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-socket-'));
  const server = createServer().listen(join(folder, 'socket'));
  await once(server, 'listening');
  const near = createConnection(join(folder, 'socket'));
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  await rm(folder, { recursive: true });
  return [near, far];
}
