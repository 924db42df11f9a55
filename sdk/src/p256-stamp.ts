/** Stamps of P-256 keys by WebCrypto: the same in Node, browsers and edge runtimes. */
import { base16, base64urlnopad } from '@scure/base';
import type { Stamp } from '../../src/stamping/stamp.ts';

/** WebCrypto's `CryptoKey`, which has a global name in browsers' types alone. */
export type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** For keys and for signatures. */
export const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** `publicKey` is the compressed point in hex. */
export async function stampWithKey(body: string, key: { publicKey: string; privateKey: Key }): Promise<Stamp> {
  const signature = await crypto.subtle.sign(algorithm, key.privateKey, new TextEncoder().encode(body));
  const stamp = {
    publicKey: key.publicKey,
    scheme: 'SIGNATURE_SCHEME_TK_API_P256',
    signature: base16.encode(encodeDer(new Uint8Array(signature))).toLowerCase(),
  };
  return { header: 'X-Stamp', value: base64urlnopad.encode(new TextEncoder().encode(JSON.stringify(stamp))) };
}

/** DER (RFC 3279 §2.2.3) of WebCrypto's r‖s. */
function encodeDer(signature: Uint8Array): Uint8Array {
  const parts = [...encodeInteger(signature.subarray(0, 32)), ...encodeInteger(signature.subarray(32))];
  return Uint8Array.from([0x30, parts.length, ...parts]);
}

function encodeInteger(bytes: Uint8Array): number[] {
  const digits = [...bytes.subarray(bytes.findIndex((byte, at) => byte !== 0 || at === bytes.length - 1))];
  if ((digits[0] as number) >= 0x80) digits.unshift(0);
  return [0x02, digits.length, ...digits];
}
