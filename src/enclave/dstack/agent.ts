/** The guest agent of dstack: JSON over HTTP on a Unix socket, bytes in lower-case hex (dstack guest agent API, "GetKey", "GetQuote"). */
import { type IncomingMessage, request } from 'node:http';

export class DstackError extends Error {
  override name = 'DstackError';
}

export type DstackQuote = {
  /** TDX quote, and what else a verifier needs: the events behind RTMR3 and the machine's shape, JSON texts. */
  readonly quote: Buffer;
  readonly eventLog: string;
  readonly vmConfig: string;
};

const patienceMs = 10_000;
const largestAnswer = 1 << 20;

/** 32 bytes that are the same for this application at every call, and for no other. Throws a `DstackError`. */
export async function getKey(socket: string, path: string): Promise<Buffer> {
  const { key } = await ask(socket, '/GetKey', { path, purpose: 'sealing', algorithm: 'secp256k1' });
  return bytesOf(key, 'key', 32);
}

/** A quote over `reportData`, up to 64 bytes. Throws a `DstackError`. */
export async function getQuote(socket: string, reportData: Uint8Array): Promise<DstackQuote> {
  const body = { report_data: Buffer.from(reportData).toString('hex') };
  const { quote, event_log: eventLog, vm_config: vmConfig } = await ask(socket, '/GetQuote', body);
  return {
    quote: bytesOf(quote, 'quote'),
    eventLog: textOf(eventLog, 'event_log'),
    vmConfig: textOf(vmConfig ?? '', 'vm_config'),
  };
}

/** The errors never quote the answer, which may hold a key. */
async function ask(socket: string, path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  const text = await post(socket, path, JSON.stringify(body));
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) return answer as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new DstackError(`the dstack agent answered ${path} with something that is no JSON object`);
}

function post(socket: string, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new DstackError(`the dstack agent at ${socket} ${what}`));
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const call = request({
      socketPath: socket,
      path,
      method: 'POST',
      headers,
      signal: AbortSignal.timeout(patienceMs),
    });
    call.on('error', (error: NodeJS.ErrnoException) =>
      fail(`cannot be asked for ${path} (${error.code ?? error.message})`),
    );
    call.on('response', (response) => {
      if (response.statusCode !== 200) {
        response.destroy();
        return fail(`answered ${path} with status ${response.statusCode}`);
      }
      readAll(response).then(resolve, () =>
        fail(`did not answer ${path} in one piece of at most ${largestAnswer} bytes`),
      );
    });
    call.end(body);
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestAnswer) throw new RangeError('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function bytesOf(value: unknown, name: string, size?: number): Buffer {
  if (
    typeof value === 'string' &&
    /^([0-9a-f]{2})+$/.test(value) &&
    (size === undefined || value.length === 2 * size)
  ) {
    return Buffer.from(value, 'hex');
  }
  const expected = size === undefined ? 'lower-case hex' : `${size} bytes in lower-case hex`;
  throw new DstackError(`the dstack agent's ${name} is not ${expected}`);
}

function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new DstackError(`the dstack agent's ${name} is not text`);
}
