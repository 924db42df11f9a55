/** What the platform that the enclave runs on says of it, for whoever need not believe the operator. */

/** As answered under `evidence` by `GET /attestation`; bytes are base64url. */
export type PlatformEvidence = { readonly platform: 'none' | 'tpm2' | 'nitro' | 'dstack' } & Readonly<
  Record<string, unknown>
>;

/** `reportData`: the 64 bytes that the platform is to bind. */
export type Evidence = (reportData: Buffer) => Promise<PlatformEvidence>;

/** A process of the operator's machine: nobody but the operator says what runs there. */
export const noEvidence: Evidence = async () => ({ platform: 'none' });
