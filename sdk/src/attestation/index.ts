/** `@countersign/sdk/attestation`: whether an enclave is what it says, by evidence of the platform that it runs on. */
export type { Check, ProvenEvidence, VerifyOptions } from './evidence.ts';
export { EvidenceError, type EvidenceErrorCode } from './evidence-error.ts';
export { verifyNitro } from './nitro.ts';
export { checkEvidence, codeRegister, type EvidenceVerdict, type MeasurementPolicy, type Registers } from './policy.ts';
export { type SevSnpEvidence, verifySevSnp } from './sev-snp.ts';
export { verifyTdx } from './tdx.ts';
export { type Tpm2Evidence, verifyTpm2 } from './tpm2.ts';
export { type PlatformEvidence, reportDataOf, verifyEvidence } from './verify-evidence.ts';
