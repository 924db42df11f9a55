/**
 * The `api` side of the stream to the enclave: passes requests on, serves the enclave's fetches from the database and
 * writes its batches. It decides nothing; the enclave checks whatever it is given here.
 */
import type { Duplex } from 'node:stream';
import { unavailable } from '../protocol/errors.ts';
import { openChannel } from '../protocol/frames.ts';
import type {
  AddCheckpoint,
  DenialRow,
  Fetch,
  FetchedRows,
  FromEnclave,
  RequestMessage,
  ToEnclave,
} from '../protocol/messages.ts';
import { decodeMessage } from './decode-message.ts';
import type { BatchWriter } from './storage/batch-writer.ts';
import { describeDatabaseError } from './storage/describe-error.ts';
import type { WriteOutcome } from './storage/write-batch.ts';
import type { createWitnessCarrier } from './witnesses.ts';

/** The enclave's answer: HTTP status and JSON body, passed on as they are, and the evidence that it is right. */
export type EnclaveAnswer = { readonly status: number; readonly body: Uint8Array; readonly receipt?: Uint8Array };

export type EnclaveClient = {
  /** Sends a request; rejects with UNAVAILABLE when it is not answered within `answerTimeout`. */
  request(request: Omit<RequestMessage, 'type' | 'id'>): Promise<EnclaveAnswer>;
  /** The enclave's state as JSON (`EnclaveStatus`); rejects when it does not answer within `statusTimeout`. */
  status(): Promise<EnclaveAnswer>;
  /** The boot statement with evidence of the platform that binds it and `nonce` (JSON). */
  attest(nonce: Uint8Array): Promise<EnclaveAnswer>;
  /** Passes on what holders of shares send; nothing asks how far their ceremony is. */
  ceremony(message: Uint8Array): Promise<EnclaveAnswer>;
  /** Tells the enclave what became of a batch. */
  report(number: number, outcome: WriteOutcome): void;
  /** Requests that wait for their answer. */
  waiting(): number;
  close(): void;
};

export type EnclaveClientParts = {
  readonly stream: Duplex;
  readonly fetchRows: (fetch: Fetch) => Promise<FetchedRows>;
  readonly writer: Pick<BatchWriter, 'write' | 'lease' | 'trouble'>;
  /** Carries a checkpoint to a witness. */
  readonly addCheckpoint: ReturnType<typeof createWitnessCarrier>;
  /** Keeps a note of a denial; nothing waits for it. */
  readonly noteDenial: (row: DenialRow) => Promise<void>;
  readonly onNoteFailed: (error: unknown) => void;
  readonly onFetchFailed: (fetch: Fetch, error: unknown) => void;
  /** The stream ended: by `close`, or with the enclave. */
  readonly onEnd: (error?: Error) => void;
  /** Milliseconds to wait for an answer. */
  readonly answerTimeout?: number;
};

const statusTimeout = 2_000;
/** Milliseconds of failing writes after which submits are refused at once instead of held. */
const patience = 3_000;
/** Requests that may wait at a time; each keeps a body of up to 1 MiB on its way to the enclave. */
const maxWaiting = 4_096;
/** Nonces at a time: anybody may ask, and a TPM is slow to answer. */
const maxAttesting = 16;

/** Milliseconds between looks for requests that have waited too long: a timer for each would cost more. */
const lookInterval = 100;

/** `until`: when to give up, as `performance.now()` counts. */
type Waiting = { resolve: (answer: EnclaveAnswer) => void; reject: (error: Error) => void; until: number };

export function createEnclaveClient(parts: EnclaveClientParts): EnclaveClient {
  const {
    stream,
    fetchRows,
    writer,
    addCheckpoint,
    noteDenial,
    onNoteFailed,
    onFetchFailed,
    onEnd,
    answerTimeout = 10_000,
  } = parts;
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let attesting = 0;
  let ended = false;

  const looking = setInterval(() => {
    const now = performance.now();
    for (const [id, { until }] of waiting) if (until <= now) settle(id)?.reject(lateAnswer());
  }, lookInterval).unref();

  const channel = openChannel<ToEnclave, FromEnclave>(
    stream,
    receive,
    (error) => {
      ended = true;
      clearInterval(looking);
      for (const id of waiting.keys()) settle(id)?.reject(enclaveGone());
      onEnd(error);
    },
    decodeMessage,
  );
  channel.send({ type: 'hello' });

  function receive(message: FromEnclave): void {
    if (message.type === 'answer') settle(message.id)?.resolve(message);
    else if (message.type === 'fetch') void serve(message.id, message.fetch);
    else if (message.type === 'write') writer.write(message.batch);
    else if (message.type === 'note') void noteDenial(message.row).catch((error: unknown) => onNoteFailed(error));
    else if (message.type === 'lease') void lease(message.id, message.holder);
    else if (message.type === 'addCheckpoint') void carry(message);
  }

  async function lease(id: number, holder: Uint8Array): Promise<void> {
    // A view of the frame would not outlast it.
    channel.send({ type: 'leased', id, refused: await writer.lease(Buffer.from(holder)) });
  }

  async function carry({ id, url, old, size, checkpoint }: AddCheckpoint): Promise<void> {
    channel.send({ type: 'checkpointAdded', id, ...(await addCheckpoint({ url, old, size, checkpoint })) });
  }

  async function serve(id: number, fetch: Fetch): Promise<void> {
    try {
      channel.send({ type: 'fetched', id, rows: await fetchRows(fetch) });
    } catch (error) {
      channel.send({ type: 'fetchFailed', id, reason: describeDatabaseError(error) });
      onFetchFailed(fetch, error);
    }
  }

  /** Takes a request off the list; an answer that comes after its time finds none and is dropped. */
  function settle(id: number): Waiting | undefined {
    const one = waiting.get(id);
    waiting.delete(id);
    return one;
  }

  function ask(message: (id: number) => ToEnclave, timeout: number): Promise<EnclaveAnswer> {
    if (ended) return Promise.reject(enclaveGone());
    const id = nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject, until: performance.now() + timeout });
      channel.send(message(id));
    });
  }

  function lateAnswer(): Error {
    const trouble = writer.trouble();
    if (trouble) return notWritable(trouble.reason);
    return unavailable('the enclave did not answer in time; send the same request again', 'ENCLAVE_TIMEOUT');
  }

  return {
    request(request) {
      const trouble = writer.trouble();
      if (trouble && request.kind === 'submit' && performance.now() - trouble.since > patience) {
        return Promise.reject(notWritable(trouble.reason));
      }
      if (waiting.size >= maxWaiting) return Promise.reject(busy());
      return ask((id) => ({ type: 'request', id, ...request }), answerTimeout);
    },
    status: () => ask((id) => ({ type: 'status', id }), statusTimeout),
    async attest(nonce) {
      if (attesting >= maxAttesting) throw busy();
      attesting++;
      try {
        return await ask((id) => ({ type: 'attest', id, nonce }), answerTimeout);
      } finally {
        attesting--;
      }
    },
    ceremony(body) {
      if (waiting.size >= maxWaiting) return Promise.reject(busy());
      return ask((id) => ({ type: 'ceremony', id, body }), statusTimeout);
    },
    report: (number, outcome) => channel.send({ type: outcome, number }),
    waiting: () => waiting.size,
    close: channel.close,
  };
}

const enclaveGone = () => unavailable('the enclave is not running', 'ENCLAVE_UNAVAILABLE');

const busy = () => unavailable('too many requests wait for an answer; try again later', 'BUSY');

const notWritable = (reason: string) =>
  unavailable(`nothing can be recorded now: ${reason}; send the same request again later`, 'DATABASE_UNAVAILABLE');
