/** The HTTP service of a witness (C2SP tlog-witness): `POST /add-checkpoint`, and the newest checkpoints to read. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseVerifierKey, type VerifierKey } from '../protocol/log/signed-note.ts';
import { checkHistory, checkSigner, isRefusal, parseSubmission, type Refusal } from './add-checkpoint.ts';
import { openWitnessStore, type WitnessStore } from './store.ts';

export type WitnessOptions = {
  readonly folder: string;
  readonly name: string;
  /** Verifier keys of the logs. */
  readonly logs: readonly string[];
  /** Unix ms. */
  readonly now?: () => number;
};

const maxBody = 64 * 1024;
const text = 'text/plain; charset=utf-8';

/** A server that does not listen yet. Throws a `NoteError` for a bad verifier key, a `WitnessStoreError` for a bad folder. */
export function createWitness({ folder, name, logs, now = Date.now }: WitnessOptions): {
  server: Server;
  verifierKey: string;
} {
  const keys = groupByName(logs.map(parseVerifierKey));
  const store = openWitnessStore(folder, name, [...keys.keys()]);
  const server = createServer((request, response) => {
    answer(request, keys, store, now).then(
      ({ status, body, contentType = text }) => send(response, status, contentType, body),
      // Nothing was cosigned, or nobody hears of it.
      () => send(response, 500, text, 'the witness cannot answer\n'),
    );
  });
  return { server, verifierKey: store.key.verifierKey };
}

async function answer(
  request: IncomingMessage,
  keys: ReadonlyMap<string, readonly VerifierKey[]>,
  store: WitnessStore,
  now: () => number,
): Promise<Refusal> {
  const path = (request.url ?? '').split('?')[0] as string;
  if (path === '/add-checkpoint') {
    if (request.method !== 'POST') return { status: 405, body: 'expected POST\n' };
    const body = await readBody(request);
    return body === undefined ? { status: 413, body: 'too large\n' } : addCheckpoint(body, keys, store, now);
  }
  const digest = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path)?.[1];
  const newest = digest && (request.method === 'GET' || request.method === 'HEAD') && store.newest(digest);
  return newest ? { status: 200, body: newest } : { status: 404, body: 'not found\n' };
}

async function addCheckpoint(
  body: string,
  keys: ReadonlyMap<string, readonly VerifierKey[]>,
  store: WitnessStore,
  now: () => number,
): Promise<Refusal> {
  const submission = parseSubmission(body);
  if (isRefusal(submission)) return submission;
  const { origin } = submission.checkpoint;
  const unsigned = await checkSigner(submission, keys.get(origin));
  if (unsigned) return unsigned;
  // From the check to the kept checkpoint without a pause: two submissions must not pass each other.
  const conflict = checkHistory(submission, store.seen(origin));
  if (conflict) return conflict;
  const line = store.key.cosign(submission.text, Math.floor(now() / 1000));
  store.keep(origin, submission.note + line, submission.checkpoint);
  return { status: 200, body: line };
}

function groupByName(keys: readonly VerifierKey[]): Map<string, VerifierKey[]> {
  const groups = new Map<string, VerifierKey[]>();
  for (const key of keys) groups.set(key.name, [...(groups.get(key.name) ?? []), key]);
  return groups;
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
