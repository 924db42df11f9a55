import { type Code, codes } from '../../src/protocol/errors.ts';
import type { Stamp } from '../../src/stamping/stamp.ts';
import { CountersignClientError } from './error.ts';
import type { Stamper } from './stampers.ts';

/** A stamped request, to be sent byte for byte by whoever has it: it may cross to a backend as JSON. */
export type Stamped = { readonly url: string; readonly body: string; readonly stamp: Stamp };

type Headers = Readonly<Record<string, string>>;

const timeoutMs = 30_000;
/** Milliseconds before each further try. */
const pauses = [250, 1000];
/** Answers of proxies and of a service that is starting: whether the request was carried out is not known. */
const uncertain = [502, 503, 504];

/** Posts `content` to `/public/v1/<path>` of `baseUrl`, stamped, and gives the answer; see {@link sendStamped}. */
export async function send(
  baseUrl: string,
  path: string,
  stamp: Stamper,
  content: object,
  more: Headers = {},
): Promise<unknown> {
  return sendStamped(await stampRequest(baseUrl, path, stamp, content), more);
}

/** The request that posts `content` to `/public/v1/<path>` of `baseUrl`. */
export async function stampRequest(baseUrl: string, path: string, stamp: Stamper, content: object): Promise<Stamped> {
  const body = JSON.stringify(content);
  return { url: urlOf(baseUrl, path), body, stamp: await stamp(body) };
}

export const urlOf = (baseUrl: string, path: string): string => `${baseUrl.replace(/\/$/, '')}/public/v1/${path}`;

/**
 * Sends a stamped request and gives the answer. Without an answer it sends the same bytes again, at most twice: the service
 * takes a body once, so nothing is done or signed a second time. Throws `CountersignClientError`.
 */
export async function sendStamped({ url, body, stamp }: Stamped, more: Headers = {}): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', ...more, [stamp.header]: stamp.value };
  for (let attempt = 0; ; attempt++) {
    const outcome = await post(url, headers, body);
    if ('answer' in outcome) return outcome.answer;
    const pause = pauses[attempt];
    const isUncertain = outcome.error.status === 0 || uncertain.includes(outcome.error.status);
    if (!isUncertain || pause === undefined) throw outcome.error;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

type Outcome = { answer: unknown } | { error: CountersignClientError };

async function post(url: string, headers: Headers, body: string): Promise<Outcome> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeoutMs) });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    return { error: new CountersignClientError(`no answer from ${url}`, { code: 'UNAVAILABLE', status: 0, cause }) };
  }
  const answer = parse(text);
  return status === 200 && answer ? { answer } : { error: refusal(status, answer ?? {}) };
}

/** A `google.rpc.Status`, or whatever a proxy in between said. */
function refusal(status: number, answer: Readonly<Record<string, unknown>>): CountersignClientError {
  const { code, message, details } = answer;
  const name = (Object.keys(codes) as Code[]).find((name) => codes[name].number === code) ?? 'UNKNOWN';
  const text = typeof message === 'string' ? message : `the answer is no JSON of this service (status ${status})`;
  return new CountersignClientError(text, { code: name, details: Array.isArray(details) ? details : [], status });
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
