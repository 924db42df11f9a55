import { base64urlnopad } from '@scure/base';
import { type Hex, toHex } from 'viem';
import { toWebAuthnAccount as toViemWebAuthnAccount, type WebAuthnAccount } from 'viem/account-abstraction';
import type { Registration } from '../../../src/stamping/stamp.ts';

/** What `createPasskey` gave, or an authenticator as `getAuthenticators` lists it. */
export type Passkey =
  | Pick<Registration, 'attestation'>
  | { readonly credentialId: string; readonly credential: { readonly publicKey: string } };

/**
 * viem's account of the passkey itself, whose signatures contracts verify (WebAuthn, P-256, low s) and no service is part of:
 * an owner for `toCoinbaseSmartAccount` of viem and for the passkey accounts of others. So a user can leave the service, or
 * never depend on it alone, with the passkey that stamps there. A stamp cannot be mistaken for such a signature: its challenge is
 * text of 64 digits, that of a contract 32 bytes. `rpId` is the one that the passkey was made for. Throws for a passkey that is
 * not of P-256.
 */
export function toWebAuthnAccount(options: {
  readonly passkey: Passkey;
  readonly rpId: string;
  /** Instead of `navigator.credentials.get`. */
  readonly getFn?: Parameters<typeof toViemWebAuthnAccount>[0]['getFn'];
}): WebAuthnAccount {
  const { passkey, rpId, getFn } = options;
  const [id, key] =
    'attestation' in passkey
      ? [passkey.attestation.credentialId, passkey.attestation.attestationObject]
      : [passkey.credentialId, passkey.credential.publicKey];
  return toViemWebAuthnAccount({ credential: { id, publicKey: readPublicKey(key) }, rpId, getFn });
}

/** COSE_Key of ES256 as authenticators have to write it (CTAP 2.1 §6: canonical CBOR), up to x and between x and y. */
const beforeX = 'a5010203262001215820';
const beforeY = '225820';
const coordinate = '([0-9a-f]{64})';

/** x ‖ y of the key that is in `text` (base64url), alone or in an attestation object. */
function readPublicKey(text: string): Hex {
  const hex = toHex(base64urlnopad.decode(text)).slice(2);
  const [, x, y] = new RegExp(`^(?:..)*${beforeX}${coordinate}${beforeY}${coordinate}`).exec(hex) ?? [];
  if (x && y) return `0x${x}${y}`;
  throw new TypeError('expected a passkey of P-256 (ES256), which is what contracts verify');
}
