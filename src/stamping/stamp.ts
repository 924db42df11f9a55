/** What crosses the wire when a stamp or a passkey is made. */

/** A request header that carries a stamp over the exact bytes of the body. */
export type Stamp = { readonly header: 'X-Stamp' | 'X-Stamp-Webauthn'; readonly value: string };

/** A new passkey as activities take it; everything but `transports` (`AUTHENTICATOR_TRANSPORT_…`) is base64url. */
export type Registration = {
  readonly challenge: string;
  readonly attestation: {
    readonly credentialId: string;
    readonly clientDataJson: string;
    readonly attestationObject: string;
    readonly transports: readonly string[];
  };
};

/** Longest header value with a stamp, in characters; checked before anything is parsed. */
export const maxStampLength = 8192;
