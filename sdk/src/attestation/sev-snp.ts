/** Attestation reports of AMD SEV-SNP guests (AMD 56860, table 23), signed by the chip's VCEK; Milan only. */
import { concatBytes } from '@noble/hashes/utils.js';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import { hex, isZero, slice } from './bytes.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import { readOne, smallInteger, tags } from './der.ts';
import type { ProvenEvidence, VerifyOptions } from './evidence.ts';
import { refuse } from './evidence-error.ts';
import { readPemCertificates } from './pem.ts';
import { verifyEcdsa } from './signature.ts';

/** SHA-256 of the certificate CN=ARK-Milan. */
const arkMilan = '69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd';

/** Offsets in the report. */
const [policyAt, vmplAt, algorithmAt, flagsAt] = [0x08, 0x30, 0x34, 0x48];
const [reportDataAt, measurementAt, hostDataAt, reportedTcbAt, chipIdAt] = [0x50, 0x90, 0xc0, 0x180, 0x1a0];
const [signatureAt, reportSize] = [0x2a0, 0x4a0];

/** Bits of the guest's policy (table 9). */
const policy = { mustBeOne: 1 << 17, migrationAgent: 1 << 18, debug: 1 << 19 };
const [maskChipKey, signingKey] = [1 << 1, 0b111 << 2];

/** Object identifiers below 1.3.6.1.4.1.3704.1 in hex: parts of the reported TCB by their byte (KDS specification §3.1), and the chip. */
const tcbParts: readonly (readonly [byte: number, id: string])[] = [
  [0, '2b060104019c78010301'],
  [1, '2b060104019c78010302'],
  [6, '2b060104019c78010303'],
  [7, '2b060104019c78010308'],
];
const hardwareId = '2b060104019c780104';

export type SevSnpEvidence = {
  readonly report: Uint8Array;
  /** The VCEK of the chip (DER), as AMD's KDS gives it. */
  readonly vcek: Uint8Array;
  /** ASK and ARK, as AMD's KDS gives them (PEM). */
  readonly chain: string;
};

/** Verifies a report: signature, chain, that the key is this chip's and firmware's, and the guest's policy. Throws an `EvidenceError`. */
export async function verifySevSnp(evidence: SevSnpEvidence, options: VerifyOptions = {}): Promise<ProvenEvidence> {
  const { at = Date.now(), allowDebug = false } = options;
  const { report } = evidence;
  if (report.length !== reportSize) refuse('MALFORMED', `report: expected ${reportSize} bytes, found ${report.length}`);
  const field = (offset: number, length: number) => slice(report, offset, length, 'report');
  const u32 = (offset: number) => new DataView(report.buffer, report.byteOffset + offset, 4).getUint32(0, true);
  const version = u32(0);
  if (version < 2 || version > 5) refuse('UNSUPPORTED', `report: version ${version} is not known`);
  if (u32(algorithmAt) !== 1) refuse('UNSUPPORTED', 'report: expected ECDSA P-384 with SHA-384');
  if ((u32(flagsAt) & (signingKey | maskChipKey)) !== 0)
    refuse('UNSUPPORTED', 'report: expected the signature of a VCEK');

  const vcek = parseCertificate(evidence.vcek);
  // What is cheap to refuse comes first; nothing counts before the chain does.
  const signature = readSignature(field(signatureAt, reportSize - signatureAt));
  if (!(await verifyEcdsa('P-384', { spki: vcek.publicKey }, signature, field(0, signatureAt)))) {
    refuse('BAD_SIGNATURE', 'the report is not signed by the chip that its certificate names');
  }
  const authorities = readPemCertificates(evidence.chain).map(parseCertificate);
  await verifyChain([vcek, ...authorities], arkMilan, at);
  assertSameChip(vcek, field(chipIdAt, 64), field(reportedTcbAt, 8));

  const guestPolicy = u32(policyAt);
  const debug = (guestPolicy & policy.debug) !== 0;
  if (debug && !allowDebug) refuse('DEBUG_MODE', 'the guest policy allows debugging: the host can read the memory');
  if ((guestPolicy & policy.mustBeOne) === 0) refuse('MALFORMED', 'report: bit 17 of the guest policy is not set');
  if ((guestPolicy & policy.migrationAgent) !== 0)
    refuse('UNSAFE_POLICY', 'the guest policy lets a migration agent take the memory away');
  // A report that the host asked for carries the host's data, and the level 2³² − 1.
  if (u32(vmplAt) > 3) refuse('UNSAFE_POLICY', 'the report was asked for by the host, not from within the guest');
  return {
    platform: 'sev-snp',
    measurements: { measurement: hex(field(measurementAt, 48)) },
    reportData: field(reportDataAt, 64),
    time: null,
    debug,
    details: {
      chipId: hex(field(chipIdAt, 64)),
      hostData: hex(field(hostDataAt, 32)),
      reportedTcb: hex(field(reportedTcbAt, 8)),
      vmpl: `${u32(vmplAt)}`,
    },
    checks: [
      { what: 'The certificates lead to the root of AMD for Milan, and are valid at this time', value: arkMilan },
      { what: 'The report is signed by the key of the chip and firmware that it names' },
      { what: 'It was asked for from within the guest' },
      debug
        ? { what: 'The guest can be DEBUGGED by the host, which was allowed' }
        : { what: 'The host may neither debug nor migrate the guest' },
    ],
    notChecked: ['Revocation of the certificates', 'Whether the firmware (reportedTcb) is recent'],
  };
}

/** r and s with 72 bytes each, little-endian, of which 48 count; everything else is reserved and zero. */
function readSignature(bytes: Uint8Array): Uint8Array {
  const part = (offset: number) => bytes.slice(offset, offset + 48).reverse();
  if (![bytes.subarray(48, 72), bytes.subarray(120)].every(isZero)) {
    refuse('MALFORMED', 'report: expected zeros where bytes of the signature are reserved');
  }
  return concatBytes(part(0), part(72));
}

/** A key of the chip is derived anew for each level of the firmware. */
function assertSameChip({ extensions }: Certificate, chipId: Uint8Array, reportedTcb: Uint8Array): void {
  const id = extensions.get(hardwareId);
  if (!id || !equalBytes(id, chipId)) refuse('WRONG_KEY', 'the certificate is for another chip than the report');
  for (const [byte, oid] of tcbParts) {
    const value = extensions.get(oid);
    if (!value || smallInteger(readOne(value, tags.integer)) !== reportedTcb[byte]) {
      refuse('WRONG_KEY', `the certificate is for another firmware than the report (byte ${byte} of the TCB)`);
    }
  }
}
