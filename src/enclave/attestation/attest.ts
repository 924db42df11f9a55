import { sha256 } from '../ledger/hash.ts';
import type { Evidence, PlatformEvidence } from './evidence.ts';
import type { BootIdentity } from './statement.ts';

export type Attestation = {
  /** base64url of the CBOR. */
  readonly statement: string;
  /** Hex. */
  readonly bootId: string;
  readonly evidence: PlatformEvidence;
};

/** Bytes of a nonce, at most. */
export const maxNonce = 64;

/** The boot statement with evidence that binds it: report data is boot id ‖ SHA-256(nonce), or zeros without a nonce. */
export async function attest(
  { id, statement }: Pick<BootIdentity, 'id' | 'statement'>,
  evidence: Evidence,
  nonce: Uint8Array,
): Promise<Attestation> {
  const reportData = Buffer.concat([id, nonce.length === 0 ? Buffer.alloc(32) : sha256(nonce)]);
  return {
    statement: statement.toString('base64url'),
    bootId: id.toString('hex'),
    evidence: await evidence(reportData),
  };
}
