import { base16, base64urlnopad } from '@scure/base';
import type { ApiKeyPair } from '../../src/stamping/make-api-key-stamp.ts';
import { algorithm, type Key, stampWithKey } from './p256-stamp.ts';
import type { Stamper } from './stampers.ts';

/**
 * Stamps with a P-256 API key (hex, as in `root.json`) by WebCrypto: the same in Node, browsers and edge runtimes. Each
 * call rejects when the two halves of the key do not belong together.
 */
export function apiKeyStamper({ publicKey, privateKey }: ApiKeyPair): Stamper {
  let imported: Promise<Key> | undefined;
  return async (body) => {
    imported ??= importKey(publicKey, privateKey);
    return stampWithKey(body, { publicKey, privateKey: await imported });
  };
}

async function importKey(publicKey: string, privateKey: string): Promise<Key> {
  const { x, y } = decompress(publicKey);
  const d = base64urlOfHex(privateKey.padStart(64, '0'));
  const jwk = { kty: 'EC', crv: 'P-256', x: base64urlOfHex(x), y: base64urlOfHex(y), d };
  const importAs = (key: object, usage: 'sign' | 'verify') =>
    crypto.subtle.importKey('jwk', key, algorithm, false, [usage]);
  const key = await importAs(jwk, 'sign');
  // Not every runtime compares the halves when it imports them.
  const probe = await crypto.subtle.sign(algorithm, key, new Uint8Array(32));
  const verifier = await importAs({ ...jwk, d: undefined }, 'verify');
  if (await crypto.subtle.verify(algorithm, verifier, probe, new Uint8Array(32))) return key;
  throw new TypeError('the private key does not belong to the public key');
}

/** FIPS 186-5's P-256: y² = x³ − 3x + b over the integers modulo p. */
const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** Coordinates in hex of a compressed point (SEC 1 §2.3.4); WebCrypto takes no compressed ones. All of it is public. */
function decompress(publicKey: string): { x: string; y: string } {
  if (!/^0[23][0-9a-fA-F]{64}$/.test(publicKey)) throw new TypeError('expected a compressed P-256 public key in hex');
  const x = BigInt(`0x${publicKey.slice(2)}`);
  const square = (x ** 3n - 3n * x + b) % p;
  const root = power(square, (p + 1n) / 4n);
  if ((root * root) % p !== square) throw new TypeError('expected a public key on P-256');
  const y = (root & 1n) === (publicKey.startsWith('03') ? 1n : 0n) ? root : p - root;
  return { x: publicKey.slice(2), y: y.toString(16).padStart(64, '0') };
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % p) {
    if (rest & 1n) result = (result * square) % p;
  }
  return result;
}

const base64urlOfHex = (hex: string) => base64urlnopad.encode(base16.decode(hex.toUpperCase()));
