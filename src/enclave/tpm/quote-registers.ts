/** A quote of registers with all that a verifier needs (TPM 2.0 Library, Part 3 §18.4). */
import { openTpm } from './client.ts';
import { attestationKeyTemplate, createPrimary, publicKeyOf, withObject } from './objects.ts';
import { quote, readPcrs } from './pcr.ts';

export type QuotedRegisters = {
  /** TPMS_ATTEST, and TPMT_SIGNATURE over it. */
  readonly quoted: Buffer;
  readonly signature: Buffer;
  /** The attestation key: SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** Of the registers, in their order. */
  readonly values: readonly Buffer[];
};

/** `nonce`: up to 64 bytes. */
export async function quoteRegisters(
  path: string,
  registers: readonly number[],
  nonce: Uint8Array,
): Promise<QuotedRegisters> {
  const tpm = await openTpm(path);
  try {
    return await withObject(tpm, createPrimary(tpm, attestationKeyTemplate), async (key) => {
      const values = await readPcrs(tpm, registers);
      const { attested, signature } = await quote(tpm, key, registers, nonce);
      const publicKey = publicKeyOf(key.publicArea).export({ type: 'spki', format: 'der' });
      return { quoted: attested, signature, publicKey, values };
    });
  } finally {
    await tpm.close();
  }
}
