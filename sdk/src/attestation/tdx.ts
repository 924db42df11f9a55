/** Quotes of Intel TDX, version 4 (Intel TDX DCAP Quoting Library API, appendix A.3). */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import { createReader, hex, isZero, slice, textOf } from './bytes.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import type { ProvenEvidence, VerifyOptions } from './evidence.ts';
import { refuse } from './evidence-error.ts';
import { readPemCertificates } from './pem.ts';
import { verifyEcdsa } from './signature.ts';

/** SHA-256 of the certificate CN=Intel SGX Root CA. */
const intelRoot = '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3';
const intelVendor = '939a7233f79c4ca9940a0db3957f0607';
/** MRSIGNER of Intel's quoting enclaves, and the number of the one for TDX (Intel's TD_QE identity). */
const intelSigner = 'dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5';
const tdQuotingEnclave = 2;
/** 1.2.840.113741.1.13.1, which certificates of platforms have and no other of Intel's. */
const sgxExtension = '2a864886f84d010d01';

const [ecdsaP256, teeTdx, qeReportData, pemChain] = [2, 0x81, 6, 5];
const [headerSize, bodySize] = [48, 584];
const signedSize = headerSize + bodySize;

/** Offsets in the body. */
const registers = { mrtd: 136, rtmr0: 328, rtmr1: 376, rtmr2: 424, rtmr3: 472 };
const [mrSeamAt, mrSignerSeamAt, tdAttributesAt, reportDataAt] = [16, 64, 120, 520];
/** Offsets in the quoting enclave's report. */
const [qeMiscAt, qeAttributesAt, qeSignerAt, qeProductAt, qeReportDataAt] = [16, 48, 128, 256, 320];
const sgxDebug = 0x02;

/**
 * Verifies a quote: Intel's root vouches for the platform's key, that for Intel's quoting enclave, this for the attestation
 * key, which signed the quote of a domain that nobody can debug. Throws an `EvidenceError`. Whether the platform's firmware
 * is recent is not looked at: that takes collateral of the day.
 */
export async function verifyTdx(quote: Uint8Array, options: VerifyOptions = {}): Promise<ProvenEvidence> {
  const { at = Date.now(), allowDebug = false } = options;
  readHeader(quote);
  const signed = slice(quote, 0, signedSize, 'quote');
  const data = readSignatureData(quote);
  // What is cheap to refuse comes first; nothing counts before the chain does.
  const point = concatBytes(Uint8Array.of(4), data.attestationKey);
  if (!(await verifyEcdsa('P-256', { point }, data.signature, signed))) {
    refuse('BAD_SIGNATURE', 'the quote is not signed by its attestation key');
  }
  assertAttestationKey(data.qeReport, data.attestationKey, data.authData);
  const chain = data.certificates.map(parseCertificate);
  const [platform] = chain as [Certificate];
  if (!(await verifyEcdsa('P-256', { spki: platform.publicKey }, data.qeSignature, data.qeReport))) {
    refuse('BAD_SIGNATURE', "the quoting enclave's report is not signed by the platform's key");
  }
  await verifyChain(chain, intelRoot, at);
  if (!platform.extensions.has(sgxExtension)) refuse('BAD_CHAIN', 'certificate 0 is not that of a platform');
  assertQuotingEnclave(data.qeReport);
  const body = signed.subarray(headerSize);
  // Its signer, and its attributes.
  if (!isZero(body.subarray(mrSignerSeamAt, tdAttributesAt))) {
    refuse('UNSAFE_POLICY', "the TDX module is not Intel's, or has attributes that Intel's has not");
  }
  // The eight bits of TUD, of which DEBUG is the lowest; the others are reserved for what is as bad.
  const debug = body[tdAttributesAt] !== 0;
  if (debug && !allowDebug)
    refuse('DEBUG_MODE', 'the attributes of the domain allow debugging: the host can read the memory');
  const values = Object.entries(registers).map(([name, offset]) => [name, hex(body.subarray(offset, offset + 48))]);
  return {
    platform: 'tdx',
    measurements: Object.fromEntries(values),
    reportData: body.subarray(reportDataAt, reportDataAt + 64),
    time: null,
    debug,
    details: { teeTcbSvn: hex(body.subarray(0, 16)), mrSeam: hex(body.subarray(mrSeamAt, mrSignerSeamAt)) },
    checks: [
      {
        what: 'The certificates lead to the root of Intel for SGX and TDX, and are valid at this time',
        value: intelRoot,
      },
      { what: "The platform's key signed the report of Intel's quoting enclave", value: intelSigner },
      { what: 'The quoting enclave vouches for the attestation key, which signed the quote' },
      { what: "The TDX module is Intel's" },
      debug
        ? { what: 'The domain can be DEBUGGED by the host, which was allowed' }
        : { what: 'The host cannot debug the domain' },
    ],
    notChecked: ['Revocation of the certificates', 'Whether firmware and TDX module (teeTcbSvn) are recent'],
  };
}

function readHeader(quote: Uint8Array): void {
  const header = createReader(slice(quote, 0, headerSize, 'quote'), 'quote', true);
  const version = header.u16();
  if (version !== 4) refuse('UNSUPPORTED', `quote: expected version 4, found ${version}`);
  if (header.u16() !== ecdsaP256) refuse('UNSUPPORTED', 'quote: expected an attestation key of ECDSA P-256');
  if (header.u32() !== teeTdx) refuse('UNSUPPORTED', 'quote: expected a quote of TDX');
  header.take(4);
  if (hex(header.take(16)) !== intelVendor) refuse('UNSUPPORTED', "quote: expected Intel's quoting enclave");
}

/** Buffers that quotes come in may be longer: what follows must be zeros, and counts for nothing. */
function readSignatureData(quote: Uint8Array) {
  const size = createReader(slice(quote, signedSize, 4, 'quote'), 'quote', true).u32();
  const start = signedSize + 4;
  const reader = createReader(slice(quote, start, size, 'quote'), 'quote', true);
  if (!isZero(quote.subarray(start + size))) refuse('MALFORMED', 'quote: bytes after its end');
  const signature = reader.take(64);
  const attestationKey = reader.take(64);
  const [type, dataSize] = [reader.u16(), reader.u32()];
  if (type !== qeReportData) refuse('UNSUPPORTED', `quote: expected certification data of type ${qeReportData}`);
  const inner = createReader(reader.take(dataSize), 'quote', true);
  reader.end();
  const qeReport = inner.take(384);
  const qeSignature = inner.take(64);
  const authData = inner.take(inner.u16());
  const [innerType, pemSize] = [inner.u16(), inner.u32()];
  if (innerType !== pemChain) refuse('UNSUPPORTED', "quote: expected the platform's certificates in PEM");
  const pem = inner.take(pemSize);
  inner.end();
  // Some quoting libraries count the zero that ends the text in C.
  const text = textOf(pem.at(-1) === 0 ? pem.subarray(0, -1) : pem);
  return { signature, attestationKey, qeReport, qeSignature, authData, certificates: readPemCertificates(text) };
}

/** Whoever holds a platform can have its key sign the report of any enclave; only Intel's hands out true attestation keys. */
function assertQuotingEnclave(report: Uint8Array): void {
  const product = (report[qeProductAt] as number) | ((report[qeProductAt + 1] as number) << 8);
  const isIntels =
    hex(report.subarray(qeSignerAt, qeSignerAt + 32)) === intelSigner &&
    product === tdQuotingEnclave &&
    isZero(report.subarray(qeMiscAt, qeMiscAt + 4));
  if (!isIntels) refuse('WRONG_KEY', "the quote was made by another enclave than Intel's quoting enclave for TDX");
  if (((report[qeAttributesAt] as number) & sgxDebug) !== 0)
    refuse('DEBUG_MODE', 'the quoting enclave runs in debug mode');
}

function assertAttestationKey(report: Uint8Array, key: Uint8Array, authData: Uint8Array): void {
  const named = report.subarray(qeReportDataAt);
  const expected = sha256(concatBytes(key, authData));
  if (!equalBytes(named.subarray(0, 32), expected) || !isZero(named.subarray(32))) {
    refuse('WRONG_KEY', 'the quoting enclave vouches for another attestation key');
  }
}
