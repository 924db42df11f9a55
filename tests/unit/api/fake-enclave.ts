/** The far end of the stream: real frames, with answers that a test decides on. */
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

export type Answer = { status: number; body: unknown };

/** `answer` gives the JSON answer to a request; undefined: none. `status` is answered with `serving`. */
export function openFakeEnclave(
  stream: Duplex,
  answer: (request: RequestMessage) => Answer | undefined | Promise<Answer | undefined> = () => undefined,
): FakeEnclave {
  const received: ToEnclave[] = [];
  const unread: ToEnclave[] = [];
  const readers: { type: string; resolve: (message: never) => void }[] = [];
  let nextFetch = 1;

  const reply = (id: number, { status, body }: Answer) =>
    channel.send({ type: 'answer', id, status, body: Buffer.from(JSON.stringify(body)) });

  const channel = openChannel<FromEnclave, ToEnclave>(
    stream,
    async (message) => {
      received.push(message);
      const reader = readers.findIndex(({ type }) => type === message.type);
      if (reader >= 0) readers.splice(reader, 1)[0]?.resolve(message as never);
      else unread.push(message);
      if (message.type === 'status') reply(message.id, { status: 200, body: { phase: 'serving', batch: 7 } });
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
      channel.send({ type: 'fetch', id, fetch });
      const outcome = await Promise.race([next('fetched'), next('fetchFailed')]);
      if (outcome.type === 'fetchFailed') throw new Error(outcome.reason);
      return outcome.rows;
    },
    close: channel.close,
  };
}
