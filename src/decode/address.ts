/** Addresses of public keys, by the public standards of each chain. */
import { p256 } from '@noble/curves/nist.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { sha3_256 } from '@noble/hashes/sha3.js';
import { type BytesCoder, base32nopad, base58, base58xrp, bech32, bech32m } from '@scure/base';
import { CountersignError, invalidArgument } from '../protocol/errors.ts';
import type { Curve } from './curve.ts';
import { checksumAddress } from './ethereum-address.ts';
import { bytesToHex } from './hex.ts';
import { keccak256 } from './keccak.ts';

export type AddressFormat = {
  readonly curves: readonly Curve[];
  /** `publicKey`: 33 bytes (compressed point), or the 32 bytes of Ed25519. */
  readonly encode: (publicKey: Buffer, curve: Curve) => string;
};

const secp256k1Only = (encode: AddressFormat['encode']): AddressFormat => ({ curves: ['CURVE_SECP256K1'], encode });
const ed25519Only = (encode: AddressFormat['encode']): AddressFormat => ({ curves: ['CURVE_ED25519'], encode });

/** What each address format is made of; formats of the wire protocol that are missing here are not implemented. */
export const addressFormats: ReadonlyMap<string, AddressFormat> = new Map([
  ['ADDRESS_FORMAT_UNCOMPRESSED', { curves: ['CURVE_SECP256K1', 'CURVE_P256'], encode: uncompressed }],
  [
    'ADDRESS_FORMAT_COMPRESSED',
    { curves: ['CURVE_SECP256K1', 'CURVE_ED25519', 'CURVE_P256'], encode: (key) => key.toString('hex') },
  ],
  ['ADDRESS_FORMAT_ETHEREUM', secp256k1Only((key) => checksumAddress(keccakAddress(key)))],
  ['ADDRESS_FORMAT_SOLANA', ed25519Only((key) => base58.encode(key))],
  ['ADDRESS_FORMAT_COSMOS', secp256k1Only((key) => bech32.encode('cosmos', bech32.toWords(hash160(key))))],
  ['ADDRESS_FORMAT_SEI', secp256k1Only((key) => bech32.encode('sei', bech32.toWords(hash160(key))))],
  ['ADDRESS_FORMAT_TRON', secp256k1Only((key) => base58Check(0x41, keccakAddress(key)))],
  ['ADDRESS_FORMAT_XRP', secp256k1Only((key) => base58Check(0x00, hash160(key), base58xrp))],
  ['ADDRESS_FORMAT_DOGE_MAINNET', secp256k1Only((key) => base58Check(0x1e, hash160(key)))],
  ['ADDRESS_FORMAT_DOGE_TESTNET', secp256k1Only((key) => base58Check(0x71, hash160(key)))],
  // The flag byte 0 in front and the scheme byte 0 behind both stand for a single Ed25519 key.
  ['ADDRESS_FORMAT_SUI', ed25519Only((key) => hex(blake2b(Buffer.concat([Buffer.of(0), key]), { dkLen: 32 })))],
  ['ADDRESS_FORMAT_APTOS', ed25519Only((key) => hex(sha3_256(Buffer.concat([key, Buffer.of(0)]))))],
  ['ADDRESS_FORMAT_XLM', ed25519Only(strKey)],
  ...bitcoin('MAINNET', { hrp: 'bc', p2pkh: 0x00, p2sh: 0x05 }),
  ...bitcoin('TESTNET', { hrp: 'tb', p2pkh: 0x6f, p2sh: 0xc4 }),
  ...bitcoin('SIGNET', { hrp: 'tb', p2pkh: 0x6f, p2sh: 0xc4 }),
  ...bitcoin('REGTEST', { hrp: 'bcrt', p2pkh: 0x6f, p2sh: 0xc4 }),
]);

const unimplemented =
  /^ADDRESS_FORMAT_(?:BITCOIN_(?:MAINNET|TESTNET|SIGNET|REGTEST)_P2WSH|TON_V(?:3R2|4R2|5R1)|SPARK_(?:MAINNET|REGTEST))$/;

/**
 * The address of `publicKeyHex` (lower-case hex: compressed point, or 32 bytes for Ed25519) in `format`. Throws
 * INVALID_ARGUMENT `invalid address format` for an unknown format and for one of another curve, UNIMPLEMENTED for Turnkey's
 * formats that are not there yet.
 */
export function addressOf(format: string, curve: Curve, publicKeyHex: string): string {
  const known = addressFormats.get(format);
  if (!known && unimplemented.test(format)) {
    throw new CountersignError('UNIMPLEMENTED', `address format not implemented: ${format}`);
  }
  if (!known) throw invalidFormat('unknown address format');
  if (!known.curves.includes(curve))
    throw invalidFormat(`${format} goes with ${known.curves.join(' or ')}, not ${curve}`);
  return known.encode(parsePublicKey(curve, publicKeyHex), curve);
}

const invalidFormat = (description: string): CountersignError =>
  invalidArgument('invalid address format', { fields: [{ field: 'addressFormat', description }] });

function parsePublicKey(curve: Curve, publicKeyHex: string): Buffer {
  const form = curve === 'CURVE_ED25519' ? /^[0-9a-f]{64}$/ : /^0[23][0-9a-f]{64}$/;
  if (!form.test(publicKeyHex)) throw invalidArgument('invalid public key');
  return Buffer.from(publicKeyHex, 'hex');
}

/** SEC 1, 2.3.3: `04`‖X‖Y. */
function uncompressed(publicKey: Buffer, curve: Curve): string {
  const { Point } = curve === 'CURVE_P256' ? p256 : secp256k1;
  try {
    return Point.fromBytes(publicKey).toHex(false);
  } catch {
    throw invalidArgument('invalid public key');
  }
}

/** Last 20 bytes of the hash of X‖Y (Ethereum yellow paper, appendix F). */
function keccakAddress(publicKey: Buffer): Buffer {
  return keccak256(Buffer.from(uncompressed(publicKey, 'CURVE_SECP256K1').slice(2), 'hex')).subarray(12);
}

/** SEP-23: version byte, key and CRC16 (XModem, little endian) in base32. */
function strKey(publicKey: Buffer): string {
  const body = Buffer.concat([Buffer.of(6 << 3), publicKey, Buffer.alloc(2)]);
  body.writeUInt16LE(crc16(body.subarray(0, 33)), 33);
  return base32nopad.encode(body);
}

function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return crc & 0xffff;
}

type Network = { readonly hrp: string; readonly p2pkh: number; readonly p2sh: number };

/** Turnkey does not say what its P2SH address wraps: here it is P2WPKH, BIP-49, the one such script of a single key in use. */
function bitcoin(name: string, { hrp, p2pkh, p2sh }: Network): [string, AddressFormat][] {
  const witnessProgram = (key: Buffer) => Buffer.concat([Buffer.of(0x00, 0x14), hash160(key)]);
  return [
    [`ADDRESS_FORMAT_BITCOIN_${name}_P2PKH`, secp256k1Only((key) => base58Check(p2pkh, hash160(key)))],
    [`ADDRESS_FORMAT_BITCOIN_${name}_P2SH`, secp256k1Only((key) => base58Check(p2sh, hash160(witnessProgram(key))))],
    [
      `ADDRESS_FORMAT_BITCOIN_${name}_P2WPKH`,
      secp256k1Only((key) => bech32.encode(hrp, [0, ...bech32.toWords(hash160(key))])),
    ],
    [
      `ADDRESS_FORMAT_BITCOIN_${name}_P2TR`,
      secp256k1Only((key) => bech32m.encode(hrp, [1, ...bech32m.toWords(taprootKey(key))])),
    ],
  ];
}

/** BIP-341: x of the output key whose script tree is empty, the internal key being the key's own x. */
function taprootKey(publicKey: Buffer): Uint8Array {
  const { Point } = secp256k1;
  const internal = publicKey.subarray(1);
  const tweak = Point.Fn.fromBytes(schnorr.utils.taggedHash('TapTweak', internal));
  const even = Point.fromBytes(Buffer.concat([Buffer.of(2), internal]));
  return even.add(Point.BASE.multiply(tweak)).toBytes(true).subarray(1);
}

function hash160(bytes: Uint8Array): Uint8Array {
  return ripemd160(sha256(bytes));
}

function base58Check(version: number, payload: Uint8Array, alphabet: BytesCoder = base58): string {
  const body = Buffer.concat([Buffer.of(version), payload]);
  return alphabet.encode(Buffer.concat([body, sha256(sha256(body)).subarray(0, 4)]));
}

const hex = (bytes: Uint8Array): string => bytesToHex(Buffer.from(bytes));
