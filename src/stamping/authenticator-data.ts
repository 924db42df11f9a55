/** Flags of authenticator data (WebAuthn L3 §6.1). */
export const flag = { UP: 0x01, UV: 0x04, BE: 0x08, BS: 0x10, AT: 0x40, ED: 0x80 } as const;

export type AuthenticatorData = { readonly rpIdHash: Buffer; readonly flags: number; readonly signCount: number };

/** Bytes of authenticator data without a new credential and without extensions. */
export const authenticatorDataLength = 37;

/** The fixed part of authenticator data of at least 37 bytes. */
export function readAuthenticatorData(bytes: Buffer): AuthenticatorData {
  return { rpIdHash: bytes.subarray(0, 32), flags: bytes.readUInt8(32), signCount: bytes.readUInt32BE(33) };
}
