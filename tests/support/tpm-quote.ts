/** Quotes of a TPM that there is not: its attestation key is here. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { PlatformEvidence } from '../../sdk/src/attestation/verify-evidence.ts';

export type FakeTpm = {
  /** SHA-256 of the attestation key, in hex. */
  readonly key: string;
  /** Evidence that quotes PCR 11 with the value `pcr11`. */
  quote(reportData: Uint8Array, pcr11: Uint8Array): PlatformEvidence;
};

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const sized = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export function createFakeTpm(): FakeTpm {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' });
  return {
    key: sha256(publicKey).toString('hex'),
    quote(reportData, pcr11) {
      const quoted = Buffer.concat([
        Buffer.from('ff5443478018', 'hex'),
        sized(Buffer.from(`000b${'00'.repeat(32)}`, 'hex')),
        sized(reportData),
        Buffer.alloc(8 + 4 + 4 + 1 + 8),
        Buffer.from('00000001000b03000800', 'hex'),
        sized(sha256(pcr11)),
      ]);
      const raw = sign('sha256', quoted, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
      const signature = Buffer.concat([
        Buffer.from('0018000b', 'hex'),
        sized(raw.subarray(0, 32)),
        sized(raw.subarray(32)),
      ]);
      return {
        platform: 'tpm2',
        quoted: base64url(quoted),
        signature: base64url(signature),
        publicKey: base64url(publicKey),
        pcrs: { 11: base64url(pcr11) },
      };
    },
  };
}
