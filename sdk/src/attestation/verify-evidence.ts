/** Evidence as `GET /attestation` answers it: verified, and bound to the boot statement that it is about. */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import { readDstackEvents } from './dstack-events.ts';
import type { ProvenEvidence, VerifyOptions } from './evidence.ts';
import { refuse } from './evidence-error.ts';
import { verifyNitro } from './nitro.ts';
import { verifySevSnp } from './sev-snp.ts';
import { verifyTdx } from './tdx.ts';
import { verifyTpm2 } from './tpm2.ts';

/** Members by platform are those of the verifiers (docs/attestation.md), bytes in base64url. */
export type PlatformEvidence = { readonly platform: string } & Readonly<Record<string, unknown>>;

/** What an enclave binds into evidence: boot id ‖ SHA-256(nonce), the second half zero without a nonce. */
export function reportDataOf(statement: Uint8Array, nonce: Uint8Array): Uint8Array {
  return concatBytes(sha256(statement), nonce.length > 0 ? sha256(nonce) : new Uint8Array(32));
}

/**
 * Verifies `evidence` for `statement` (CBOR, as it came) and `nonce` (empty: none was asked with). Null for the platform `none`,
 * which proves nothing. Throws an `EvidenceError`. Whether the code is one to trust is `checkEvidence`'s to say.
 */
export async function verifyEvidence(
  statement: Uint8Array,
  evidence: PlatformEvidence,
  nonce: Uint8Array,
  options: VerifyOptions = {},
): Promise<ProvenEvidence | null> {
  if (typeof Object(evidence).platform !== 'string')
    refuse('MALFORMED', 'evidence: expected an object that names its platform');
  if (evidence.platform === 'none') return null;
  const proven = await verifyPlatform(evidence, options);
  if (!equalBytes(proven.reportData, reportDataOf(statement, nonce))) {
    refuse('REPORT_DATA_MISMATCH', 'the evidence is for another boot statement or another nonce');
  }
  const fresh = nonce.length > 0 ? ', and was made for this nonce' : '';
  return { ...proven, checks: [...proven.checks, { what: `The evidence names this boot statement${fresh}` }] };
}

function verifyPlatform(evidence: PlatformEvidence, options: VerifyOptions): Promise<ProvenEvidence> {
  const bytes = (name: string) => bytesOf(evidence[name], name);
  switch (evidence.platform) {
    case 'nitro':
      return verifyNitro(bytes('document'), options);
    case 'sev-snp':
      return verifySevSnp(
        { report: bytes('report'), vcek: bytes('vcek'), chain: textOf(evidence.chain, 'chain') },
        options,
      );
    case 'tpm2': {
      const pcrs = Object.entries(Object(evidence.pcrs)).map(([index, value]) => [
        index,
        bytesOf(value, `pcrs.${index}`),
      ]);
      const { quoted, signature, publicKey } = {
        quoted: bytes('quoted'),
        signature: bytes('signature'),
        publicKey: bytes('publicKey'),
      };
      return verifyTpm2({ quoted, signature, publicKey, pcrs: Object.fromEntries(pcrs) });
    }
    case 'dstack':
      return verifyDstack(bytes('quote'), textOf(evidence.eventLog, 'eventLog'), options);
    default:
      return refuse('UNSUPPORTED', `there is no verifier for the platform ${JSON.stringify(evidence.platform)}`);
  }
}

/** A TDX guest whose events say which application it runs. */
async function verifyDstack(quote: Uint8Array, eventLog: string, options: VerifyOptions): Promise<ProvenEvidence> {
  const proven = await verifyTdx(quote, options);
  const { 'compose-hash': composeHash, 'app-id': appId = '' } = readDstackEvents(
    eventLog,
    proven.measurements.rtmr3 as string,
  );
  if (!composeHash) return refuse('REGISTERS_MISMATCH', 'the events name no compose-hash: no application was measured');
  const what = 'The log of events is the one that the quote sums up; it names this application';
  return {
    ...proven,
    measurements: { ...proven.measurements, composeHash },
    details: { ...proven.details, appId },
    checks: [...proven.checks, { what, value: composeHash }],
  };
}

function bytesOf(value: unknown, name: string): Uint8Array {
  try {
    if (typeof value === 'string') return base64urlnopad.decode(value);
  } catch {
    // Said below.
  }
  return refuse('MALFORMED', `${name}: expected bytes in base64url`);
}

const textOf = (value: unknown, name: string): string =>
  typeof value === 'string' ? value : refuse('MALFORMED', `${name}: expected text`);
