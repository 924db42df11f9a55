import { createPublicKey, type KeyObject } from 'node:crypto';
import { ed25519PublicKey, p256PublicKey } from './public-key.ts';

/** Labels of RFC 9052 §7 and RFC 9053 §7; -1 is the curve of EC2 and OKP keys and the modulus of RSA keys. */
const label = { kty: 1, alg: 3, crv: -1, n: -1, x: -2, e: -2, y: -3 } as const;

/**
 * The public key of a COSE_Key with exactly the parameters that WebAuthn L3 §5.8.5 and §6.5.1.1 ask for: ES256 on
 * P-256, RS256 with 2048 to 4096 bits, EdDSA on Ed25519. Throws for all else, a P-256 point beside the curve included.
 */
export function parseCoseKey(bytes: Uint8Array): KeyObject {
  const key = readMap(bytes);
  const [kty, alg] = [key.get(label.kty), key.get(label.alg)];
  if (kty === 2 && alg === -7) {
    expect(key.size === 5 && key.get(label.crv) === 1, 'an EC2 key on P-256');
    return p256PublicKey(Buffer.concat([Buffer.of(4), bytesOf(key, label.x, 32), bytesOf(key, label.y, 32)]));
  }
  if (kty === 1 && alg === -8) {
    expect(key.size === 4 && key.get(label.crv) === 6, 'an OKP key on Ed25519');
    return ed25519PublicKey(bytesOf(key, label.x, 32));
  }
  expect(kty === 3 && alg === -257, 'a key for ES256, RS256 or EdDSA');
  expect(key.size === 4, 'an RSA key');
  return rsaPublicKey(bytesOf(key, label.n), bytesOf(key, label.e));
}

function rsaPublicKey(n: Buffer, e: Buffer): KeyObject {
  const isOdd = (number: Buffer) => ((number.at(-1) ?? 0) & 1) === 1;
  expect(n.length >= 256 && n.length <= 512 && n.readUInt8() >= 0x80 && isOdd(n), 'a modulus of 2048 to 4096 bits');
  expect(e.length >= 1 && e.length <= 4 && e.readUIntBE(0, e.length) > 2 && isOdd(e), 'an odd exponent above 2');
  return createPublicKey({
    key: { kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') },
    format: 'jwk',
  });
}

type Value = number | Buffer;

function bytesOf(key: ReadonlyMap<number, Value>, at: number, length?: number): Buffer {
  const value = key.get(at);
  if (!Buffer.isBuffer(value) || (length !== undefined && value.length !== length)) {
    throw new Error(`expected parameter ${at} to be a byte string${length === undefined ? '' : ` of ${length} bytes`}`);
  }
  return value;
}

/** Reads one CBOR map from integers to integers or byte strings that takes up all of `bytes`. */
function readMap(bytes: Uint8Array): ReadonlyMap<number, Value> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const map = new Map<number, Value>();
  let at = 1;
  const size = (buffer[0] ?? 0) - 0xa0;
  expect(size >= 4 && size <= 5, 'a map of 4 or 5 parameters');
  for (let index = 0; index < size; index++) {
    const key = readItem(buffer, at);
    const value = readItem(buffer, key.end);
    if (typeof key.value !== 'number' || map.has(key.value)) throw new Error('expected labels that are integers, once');
    map.set(key.value, value.value);
    at = value.end;
  }
  expect(at === buffer.length, 'nothing behind the map');
  return map;
}

/** An integer or byte string with a head of at most three bytes (RFC 8949 §3). */
function readItem(buffer: Buffer, at: number): { value: Value; end: number } {
  const [major, info] = [buffer.readUInt8(at) >> 5, buffer.readUInt8(at) & 31];
  expect(info <= 25 && major <= 2, 'integers and byte strings');
  const width = info < 24 ? 0 : info - 23;
  const argument = width === 0 ? info : buffer.readUIntBE(at + 1, width);
  const next = at + 1 + width;
  if (major < 2) return { value: major === 0 ? argument : -1 - argument, end: next };
  expect(argument <= buffer.length - next, 'a byte string within the key');
  return { value: buffer.subarray(next, next + argument), end: next + argument };
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`expected ${what}`);
}
