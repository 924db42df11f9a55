/** Attestation documents of AWS Nitro Enclaves: COSE_Sign1 with ES384, by a key whose chain ends in AWS's root for enclaves. */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { hex, isZero } from './bytes.ts';
import { decodeCbor, type Item } from './cbor.ts';
import { parseCertificate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import type { Check, ProvenEvidence, VerifyOptions } from './evidence.ts';
import { refuse } from './evidence-error.ts';
import { verifyEcdsa } from './signature.ts';

/** SHA-256 of the certificate CN=aws.nitro-enclaves (root G1). */
const awsRoot = '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b';

/** {1: -35}, the algorithm ES384 and nothing else, as it is encoded. */
const protectedHeader = 'a1013822';
const coseSign1Tag = 0xd2;

/** Milliseconds that the platform's clock may differ from the one of whoever asked. */
const clockTolerance = 5 * 60_000;

const members = [
  'module_id',
  'digest',
  'timestamp',
  'pcrs',
  'certificate',
  'cabundle',
  'public_key',
  'user_data',
  'nonce',
];

/**
 * Verifies a document (raw CBOR, tagged or not): signature, chain, time, and that it is of no debug-mode enclave.
 * `reportData` of the result is the document's `user_data`. Throws an `EvidenceError`.
 */
export async function verifyNitro(document: Uint8Array, options: VerifyOptions = {}): Promise<ProvenEvidence> {
  const { at = Date.now(), allowDebug = false } = options;
  const { payload, signature } = readCoseSign1(document);
  const fields = readPayload(payload);
  const leaf = parseCertificate(fields.certificate);
  if (!(await verifyEcdsa('P-384', { spki: leaf.publicKey }, signature, signatureInput(payload)))) {
    refuse('BAD_SIGNATURE', 'the document is not signed by the key that its certificates name');
  }
  const authorities = fields.cabundle.map(parseCertificate).toReversed();
  await verifyChain([leaf, ...authorities], awsRoot, at);
  if (Math.abs(fields.timestamp - at) > clockTolerance) {
    const [made, asked] = [fields.timestamp, at].map((time) => new Date(time).toISOString());
    refuse('STALE', `the document was made at ${made}, and was to be of ${asked}`);
  }
  const debug = isZero(fields.pcrs.get(0) as Uint8Array);
  if (debug && !allowDebug) refuse('DEBUG_MODE', 'PCR0 is zero: the enclave runs in debug mode, and measures nothing');
  const measurements = Object.fromEntries([...fields.pcrs].map(([index, value]) => [`pcr${index}`, hex(value)]));
  const { moduleId, timestamp, userData, publicKey, nonce } = fields;
  const checks: Check[] = [
    { what: 'The certificates lead to the root of AWS for Nitro Enclaves, and are valid at this time', value: awsRoot },
    { what: 'The document is signed by the key that they name' },
    { what: 'The document is of the time when it was asked for', value: new Date(timestamp).toISOString() },
    debug
      ? { what: 'The enclave runs in DEBUG mode, which was allowed' }
      : { what: 'The enclave does not run in debug mode' },
  ];
  return {
    platform: 'nitro',
    measurements,
    reportData: userData,
    time: timestamp,
    debug,
    details: { moduleId, publicKey: hex(publicKey), nonce: hex(nonce) },
    checks,
    notChecked: ['Revocation: AWS publishes no list for these certificates'],
  };
}

/** RFC 9052 §4.2. The unprotected header must be empty: it is signed by nobody. */
function readCoseSign1(document: Uint8Array): { payload: Uint8Array; signature: Uint8Array } {
  const parts = decodeCbor(document[0] === coseSign1Tag ? document.subarray(1) : document);
  if (!Array.isArray(parts) || parts.length !== 4) return malformed('expected a COSE_Sign1');
  const [header, unprotected, payload, signature] = parts;
  if (!(unprotected instanceof Map) || unprotected.size > 0) return malformed('expected no unprotected header');
  if (hex(bytes(header, 'the protected header', 1, 16)) !== protectedHeader) {
    return refuse('UNSUPPORTED', 'nitro document: expected the algorithm ES384 and no other header');
  }
  return { payload: bytes(payload, 'the payload', 1, 16_384), signature: bytes(signature, 'the signature', 96, 96) };
}

/** The Sig_structure of RFC 9052 §4.4, with the payload's bytes as they came. */
function signatureInput(payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const head = length < 0x100 ? [0x58, length] : [0x59, length >> 8, length & 0xff];
  const context = utf8ToBytes('Signature1');
  return concatBytes(
    Uint8Array.of(0x84, 0x6a),
    context,
    Uint8Array.of(0x44, 0xa1, 0x01, 0x38, 0x22, 0x40, ...head),
    payload,
  );
}

function readPayload(payload: Uint8Array) {
  const map = decodeCbor(payload);
  if (!(map instanceof Map)) return malformed('expected a map');
  const unknown = [...map.keys()].find((key) => !members.includes(String(key)));
  if (unknown !== undefined) malformed(`expected no member ${unknown}`);
  if (map.get('digest') !== 'SHA384') refuse('UNSUPPORTED', 'nitro document: expected digests of SHA384');
  const [moduleId, timestamp, cabundle] = [map.get('module_id'), map.get('timestamp'), map.get('cabundle')];
  if (typeof moduleId !== 'string' || !moduleId) return malformed('expected module_id');
  // Dates end at 8.64e15 ms.
  if (typeof timestamp !== 'number' || timestamp <= 0 || timestamp > 8.64e15)
    return malformed('expected a timestamp in ms');
  if (!Array.isArray(cabundle) || cabundle.length === 0 || cabundle.length > 8) return malformed('expected a cabundle');
  return {
    moduleId,
    timestamp,
    pcrs: readPcrs(map.get('pcrs')),
    certificate: bytes(map.get('certificate'), 'certificate', 1, 1024),
    cabundle: cabundle.map((one) => bytes(one, 'a certificate', 1, 1024)),
    publicKey: bytes(map.get('public_key') ?? new Uint8Array(), 'public_key', 0, 1024),
    userData: bytes(map.get('user_data') ?? new Uint8Array(), 'user_data', 0, 512),
    nonce: bytes(map.get('nonce') ?? new Uint8Array(), 'nonce', 0, 512),
  };
}

function readPcrs(pcrs: Item | undefined): Map<number, Uint8Array> {
  if (!(pcrs instanceof Map) || !pcrs.has(0) || pcrs.size > 32)
    return malformed('expected up to 32 PCRs, 0 among them');
  return new Map(
    [...pcrs].map(([index, value]) => {
      if (typeof index !== 'number' || index < 0 || index > 31) return malformed('expected numbers of PCRs');
      return [index, bytes(value, `PCR${index}`, 48, 48)];
    }),
  );
}

function bytes(item: Item | undefined, what: string, least: number, most: number): Uint8Array {
  if (item instanceof Uint8Array && item.length >= least && item.length <= most) return item;
  return malformed(`expected ${what} of ${least} to ${most} bytes`);
}

const malformed = (expected: string): never => refuse('MALFORMED', `nitro document: ${expected}`);
