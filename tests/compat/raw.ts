/** Requests written byte by byte, as clients of other languages than JavaScript write them. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { ApiKeyStamper } from '@turnkey/api-key-stamper';
import type { ActivityObject } from '../../src/protocol/queries/objects.ts';
import type { Member } from './use-service.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Headers = Readonly<Record<string, string>>;
export type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly json: { readonly activity: ActivityObject } & { readonly [key: string]: Json };
};

/** POSTs `body` with `headers` and nothing else but Host and Content-Length. */
export async function post(url: string, body: string, headers: Headers = {}, method = 'POST'): Promise<Answer> {
  const bytes = Buffer.from(body);
  const outgoing = request(url, { method, headers: { ...headers, 'Content-Length': bytes.length } });
  outgoing.end(bytes);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const text = Buffer.concat(await incoming.toArray()).toString();
  return {
    status: incoming.statusCode as number,
    headers: incoming.headers,
    json: text === '' ? {} : JSON.parse(text),
  };
}

/** The header of the official stamper for P-256 keys. */
export async function stampOf(body: string, { key }: Pick<Member, 'key'>): Promise<Headers> {
  const stamper = new ApiKeyStamper({ apiPublicKey: key.publicKey, apiPrivateKey: key.privateKey });
  const { stampHeaderName, stampHeaderValue } = await stamper.stamp(body);
  return { [stampHeaderName]: stampHeaderValue };
}

let last = 0;

/** Now in milliseconds as a string, never the same twice. */
export const timestampMs = (): string => {
  last = Math.max(last + 1, Date.now());
  return String(last);
};

export const envelope = (
  type: string,
  { organizationId }: Member,
  parameters: Json,
): { readonly [key: string]: Json } => ({
  type,
  timestampMs: timestampMs(),
  organizationId,
  parameters,
});

/** `json.dumps(value)`: a space after `,` and `:`, and everything beyond ASCII as `\uXXXX`. */
export function pythonJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${pythonJson(key)}: ${pythonJson(member)}`);
    return `{${members.join(', ')}}`;
  }
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, escapeUnit);
}

/** `json.Marshal(value)` of a Go map: keys in order, and what HTML could take for markup as `\uXXXX`. */
export function goJson(value: Json): string {
  const sorted = (_: string, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member;
  return JSON.stringify(value, sorted).replace(/[<>&]/g, escapeUnit);
}

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
