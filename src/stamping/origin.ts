import { invalidArgument } from '../protocol/errors.ts';

/** Stands for every port of http://localhost, where development servers are. */
const anyLocalPort = 'http://localhost:*';

/** Whether `origin` (serialized as browsers do, RFC 6454 §6.2) has scheme, host and port of one in `allowed`. */
export function originAllowed(origin: string, allowed: readonly string[]): boolean {
  if (allowed.includes(origin)) return origin !== anyLocalPort;
  return allowed.includes(anyLocalPort) && /^http:\/\/localhost(?::[1-9]\d{0,4})?$/.test(origin);
}

/**
 * Parses a comma-separated list of origins: `https://wallet.example`, `http://localhost:3000`, `http://localhost:*`, or
 * an Android app's `android:apk-key-hash:…`. Throws INVALID_ARGUMENT with what is wrong.
 */
export function parseOrigins(text: string): string[] {
  return splitList(text, 'origin').map(parseOrigin);
}

/** Parses a comma-separated list of RP ids: domains in lower case, no scheme, no port, no IP address. */
export function parseRpIds(text: string): string[] {
  return splitList(text, 'RP id').map(parseRpId);
}

function parseOrigin(text: string): string {
  if (text === anyLocalPort || /^android:apk-key-hash:[\w-]{43}$/.test(text)) return text;
  const url = URL.parse(text);
  if (!url || url.origin === 'null' || text.includes('*')) {
    throw invalidArgument(`origin \`${text}\` is not a scheme and host, as \`https://wallet.example\``);
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocalhost(url.hostname))) {
    throw invalidArgument(`origin \`${text}\` must be https; passkeys work over http on localhost only`);
  }
  if (url.origin !== text) throw invalidArgument(`origin \`${text}\` must be written \`${url.origin}\``);
  return text;
}

function parseRpId(text: string): string {
  const labels = text.split('.');
  const isDomain = text.length <= 253 && labels.every((label) => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label));
  if (!isDomain || /^\d+$/.test(labels.at(-1) ?? '')) {
    throw invalidArgument(`RP id \`${text}\` is not a domain in lower case, without scheme and port`);
  }
  return text;
}

const isLocalhost = (host: string) => host === 'localhost' || host.endsWith('.localhost');

function splitList(text: string, what: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw invalidArgument(`expected a comma-separated list of ${what}s, found an empty ${what}`);
  return [...new Set(items)];
}
