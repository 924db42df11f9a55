/** Quotes of TPM 2.0 (TPM 2.0 Library, part 2, §10.12): the values of PCRs and some data, signed by an attestation key. */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import { createReader, hex } from './bytes.ts';
import type { ProvenEvidence } from './evidence.ts';
import { refuse } from './evidence-error.ts';
import { verifyEcdsa } from './signature.ts';

const generatedByTpm = 0xff544347;
const attestQuote = 0x8018;
/** SubjectPublicKeyInfo of P-256 up to the coordinates of an uncompressed point. */
const p256Prefix = '3059301306072a8648ce3d020106082a8648ce3d03010703420004';
const [algSha256, algEcdsa] = [0x000b, 0x0018];

export type Tpm2Evidence = {
  /** TPMS_ATTEST of a quote. */
  readonly quoted: Uint8Array;
  /** TPMT_SIGNATURE, ECDSA with SHA-256. */
  readonly signature: Uint8Array;
  /** The attestation key, P-256 (SubjectPublicKeyInfo, DER). */
  readonly publicKey: Uint8Array;
  /** Values of the quoted PCRs (SHA-256 bank), by number. */
  readonly pcrs: Readonly<Record<number, Uint8Array>>;
};

/**
 * Verifies a quote: signature, and that the PCRs are those that were signed. `reportData` is the data that the quote was
 * asked for with. Throws an `EvidenceError`. No manufacturer's root vouches for the key here: `details.key`, the SHA-256 of
 * the attestation key, must be one that the caller knows.
 */
export async function verifyTpm2(evidence: Tpm2Evidence): Promise<ProvenEvidence> {
  const { quoted, publicKey, pcrs } = evidence;
  const signature = readSignature(evidence.signature);
  if (!(await verifyEcdsa('P-256', { point: pointOf(publicKey) }, signature, quoted))) {
    refuse('BAD_SIGNATURE', 'the quote is not signed by the attestation key');
  }
  const quote = readQuote(quoted);
  const given = Object.keys(pcrs).sort((a, b) => Number(a) - Number(b));
  if (given.join() !== quote.selected.join()) {
    refuse(
      'REGISTERS_MISMATCH',
      `PCRs ${quote.selected.join(', ')} were quoted, the values are of ${given.join(', ') || 'none'}`,
    );
  }
  const digest = sha256(concatBytes(...quote.selected.map((index) => pcrs[index] as Uint8Array)));
  if (!given.every((index) => pcrs[Number(index)]?.length === 32) || !equalBytes(digest, quote.pcrDigest)) {
    refuse('REGISTERS_MISMATCH', 'the values of the PCRs are not those that were signed');
  }
  const key = hex(sha256(publicKey));
  return {
    platform: 'tpm2',
    measurements: Object.fromEntries(quote.selected.map((index) => [`pcr${index}`, hex(pcrs[index] as Uint8Array)])),
    reportData: quote.extraData,
    time: null,
    debug: false,
    details: {
      key,
      resetCount: `${quote.resetCount}`,
      restartCount: `${quote.restartCount}`,
      firmwareVersion: quote.firmwareVersion,
    },
    checks: [
      { what: 'The quote is signed by this attestation key', value: key },
      { what: 'The values of the PCRs are those that were signed', value: hex(digest) },
    ],
    notChecked: [
      'Whether a TPM of a known manufacturer holds the attestation key: the caller must know the key',
      'What was measured into the other PCRs: firmware, boot loader, kernel',
    ],
  };
}

/** The point of a key in its one form; libraries take others, whose digests differ. */
function pointOf(publicKey: Uint8Array): Uint8Array {
  const prefix = publicKey.subarray(0, p256Prefix.length / 2);
  if (publicKey.length !== 91 || hex(prefix) !== p256Prefix)
    refuse('UNSUPPORTED', 'attestation key: expected P-256 (SubjectPublicKeyInfo)');
  return publicKey.subarray(26);
}

function readQuote(quoted: Uint8Array) {
  const reader = createReader(quoted, 'quote', false);
  if (reader.u32() !== generatedByTpm) refuse('MALFORMED', 'quote: made by something else than a TPM');
  if (reader.u16() !== attestQuote) refuse('UNSUPPORTED', 'quote: another kind of attestation');
  reader.take(reader.u16());
  const extraData = reader.take(reader.u16());
  reader.take(8);
  const [resetCount, restartCount] = [reader.u32(), reader.u32()];
  reader.u8();
  const firmwareVersion = hex(reader.take(8));
  if (reader.u32() !== 1 || reader.u16() !== algSha256)
    refuse('UNSUPPORTED', 'quote: expected PCRs of the bank SHA-256 alone');
  const bitmap = reader.take(reader.u8());
  const pcrDigest = reader.take(reader.u16());
  reader.end();
  const selected = [...bitmap].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => 8 * at + bit),
  );
  return { extraData, resetCount, restartCount, firmwareVersion, selected, pcrDigest };
}

/** r ‖ s. A TPM leaves leading zeros out. */
function readSignature(bytes: Uint8Array): Uint8Array {
  const reader = createReader(bytes, 'signature', false);
  if (reader.u16() !== algEcdsa || reader.u16() !== algSha256)
    refuse('UNSUPPORTED', 'signature: expected ECDSA with SHA-256');
  const parts = [reader.take(reader.u16()), reader.take(reader.u16())];
  reader.end();
  const joined = new Uint8Array(64);
  for (const [index, part] of parts.entries()) {
    if (part.length > 32) refuse('MALFORMED', 'signature: expected numbers of up to 32 bytes');
    joined.set(part, 32 * (index + 1) - part.length);
  }
  return joined;
}
