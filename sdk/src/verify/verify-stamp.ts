/** The stamp of a vote, verified again by somebody who knows the credential's public key from the receipt. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import { verifyEd25519 } from '../../../src/protocol/log/signed-note.ts';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import type { ClaimedVote, Receipt } from '../../../src/protocol/receipt.ts';
import { authenticatorDataLength, flag } from '../../../src/stamping/authenticator-data.ts';
import { readDerSignature } from '../../../src/stamping/der-signature.ts';
import { stampChallenge } from '../../../src/stamping/stamp.ts';
import { decodeCbor, type Item } from '../attestation/cbor.ts';

export type ReceiptStamp = NonNullable<Receipt['stamps']>[number];

/** What came of it; `ok` is null where it is of a kind that is not verified here. */
export type StampVerdict = { readonly ok: boolean | null; readonly words: string };

/** `request`: digest of the body that the vote is about. */
export async function verifyStamp(stamp: ReceiptStamp, vote: ClaimedVote, request: Uint8Array): Promise<StampVerdict> {
  const digest = sha256(stamp.body);
  if (!equalBytes(digest, vote.body ?? request)) return no('the stamped body is another one than the receipt claims');
  if ('scheme' in stamp) {
    return vote.kind === 'apiKey' ? verifyApiKey(stamp, vote.publicKey) : no('it is a stamp of an API key');
  }
  return vote.kind === 'passkey' ? verifyPasskey(stamp, vote.publicKey, digest) : no('it is a stamp of a passkey');
}

const yes = (words: string): StampVerdict => ({ ok: true, words });
const no = (words: string): StampVerdict => ({ ok: false, words });
const unknown = (words: string): StampVerdict => ({ ok: null, words });

const signatureWrong = no('the signature is not by the key that the receipt names');

type PasskeyStamp = Exclude<ReceiptStamp, { scheme: string }>;

/** WebAuthn L3 §7.2, as far as the credential and the body decide; origins were the enclave's to compare. */
async function verifyPasskey(stamp: PasskeyStamp, coseKey: Uint8Array, digest: Uint8Array): Promise<StampVerdict> {
  const { authenticatorData, clientDataJson, signature } = stamp;
  const client = readClientData(clientDataJson);
  if (client?.type !== 'webauthn.get') return no('the client data is not that of an assertion');
  const challenge = typeof client.challenge === 'string' ? client.challenge.replace(/={1,2}$/, '') : '';
  if (challenge !== base64urlnopad.encode(stampChallenge(digest))) return no('the passkey was asked for another body');
  const flags = authenticatorData[32] ?? 0;
  if (authenticatorData.length < authenticatorDataLength || (flags & flag.UP) === 0) return no('nobody was present');
  const message = concatBytes(authenticatorData, sha256(clientDataJson));
  const verified = await verifyCose(coseKey, signature, message);
  if (!verified) return verified === null ? unknown('its kind of key is not verified here') : signatureWrong;
  const seen = (flags & flag.UV) === 0 ? 'present' : 'present and verified';
  return yes(`the assertion is by this passkey over the exact body, on ${String(client.origin)}, the user ${seen}`);
}

function readClientData(json: Uint8Array): { type?: unknown; challenge?: unknown; origin?: unknown } | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Null where the key is of a type that is not verified here. */
async function verifyCose(coseKey: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean | null> {
  const key = readCoseKey(coseKey);
  const bytes = (label: number) => base64urlnopad.encode(key?.get(label) as Uint8Array);
  const isBytes = (...labels: number[]) => labels.every((label) => key?.get(label) instanceof Uint8Array);
  switch (key?.get(3)) {
    case -7:
      return isBytes(-2, -3) && verifyP256({ kty: 'EC', crv: 'P-256', x: bytes(-2), y: bytes(-3) }, signature, message);
    case -8:
      return isBytes(-2) && verifyEd25519(key.get(-2) as Uint8Array, signature, message);
    case -257: {
      const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
      return isBytes(-1, -2) && verifyJwk({ kty: 'RSA', n: bytes(-1), e: bytes(-2) }, algorithm, signature, message);
    }
    default:
      return null;
  }
}

function readCoseKey(bytes: Uint8Array): Map<number | string, Item> | undefined {
  try {
    const key = decodeCbor(bytes);
    return key instanceof Map ? key : undefined;
  } catch {
    return undefined;
  }
}

type ApiKeyStamp = Extract<ReceiptStamp, { scheme: string }>;

async function verifyApiKey({ scheme, signature, body }: ApiKeyStamp, publicKey: Uint8Array): Promise<StampVerdict> {
  const verified = await verifyByScheme(scheme, publicKey, signature, body);
  if (verified === null) return unknown(`stamps of ${scheme} are not verified here`);
  return verified ? yes('the signature is by this API key over the exact body') : signatureWrong;
}

async function verifyByScheme(
  scheme: string,
  publicKey: Uint8Array,
  signature: Uint8Array,
  body: Uint8Array,
): Promise<boolean | null> {
  if (scheme === 'SIGNATURE_SCHEME_TK_API_ED25519') return verifyEd25519(publicKey, signature, body);
  // Browsers have no secp256k1.
  if (/^SIGNATURE_SCHEME_TK_API_SECP256K1(?:_EIP191)?$/.test(scheme)) return null;
  if (scheme !== 'SIGNATURE_SCHEME_TK_API_P256') return false;
  const x = publicKey.subarray(1);
  const y = yOf(publicKey);
  if (!y) return false;
  return verifyP256(
    { kty: 'EC', crv: 'P-256', x: base64urlnopad.encode(x), y: base64urlnopad.encode(y) },
    signature,
    body,
  );
}

/** `signature` in DER. */
function verifyP256(jwk: JsonWebKey, signature: Uint8Array, message: Uint8Array): Promise<boolean> | false {
  const joined = readDerSignature(signature);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  return joined !== undefined && verifyJwk(jwk, algorithm, joined, message);
}

type JsonWebKey = Readonly<Record<string, string>>;
type Algorithm = { readonly name: string; readonly hash: string };

async function verifyJwk(
  jwk: JsonWebKey,
  algorithm: Algorithm,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
    return await crypto.subtle.verify(algorithm, key, new Uint8Array(signature), new Uint8Array(message));
  } catch {
    return false;
  }
}

const prime = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const curveB = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** The other coordinate of a compressed point of P-256 (SEC 1 §2.3.4): browsers do not take compressed ones. */
function yOf(compressed: Uint8Array): Uint8Array | undefined {
  if (compressed.length !== 33) return undefined;
  const x = BigInt(`0x${bytesToHex(compressed.subarray(1))}`);
  const square = ((((x * x - 3n) * x + curveB) % prime) + prime) % prime;
  const root = power(square, (prime + 1n) / 4n);
  if ((root * root) % prime !== square) return undefined;
  const y = (root & 1n) === BigInt((compressed[0] as number) & 1) ? root : prime - root;
  const hex = y.toString(16).padStart(64, '0');
  return Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [square, rest] = [base, exponent]; rest > 0n; rest >>= 1n, square = (square * square) % prime) {
    if (rest & 1n) result = (result * square) % prime;
  }
  return result;
}
