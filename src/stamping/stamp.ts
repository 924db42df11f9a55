/** What crosses the wire when a stamp or a passkey is made. */

/** A request header that carries a stamp over the exact bytes of the body. */
export type Stamp = { readonly header: 'X-Stamp' | 'X-Stamp-Webauthn'; readonly value: string };

export type Transport = `AUTHENTICATOR_TRANSPORT_${'BLE' | 'HYBRID' | 'INTERNAL' | 'NFC' | 'USB'}`;

/** A new passkey as activities take it; everything but `transports` is base64url. */
export type Registration = {
  readonly challenge: string;
  readonly attestation: {
    readonly credentialId: string;
    readonly clientDataJson: string;
    readonly attestationObject: string;
    readonly transports: Transport[];
  };
};

/** Longest header value with a stamp, in characters; checked before anything is parsed. */
export const maxStampLength = 8192;

/** What a passkey is asked to sign for a body: the text of the body's SHA-256 in hexadecimal, not the digest itself. */
export const stampChallenge = (digest: Uint8Array): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''));
