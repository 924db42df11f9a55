/** Passkeys in browsers: stamps and new passkeys by `navigator.credentials`. Imports nothing of Node. */
import { base64urlnopad } from '@scure/base';
import { type Registration, type Stamp, stampChallenge, type Transport } from './stamp.ts';

/** As much of `navigator.credentials` as is used here; results may also be plain objects of a password manager. */
export type CredentialsContainer = {
  get(options: { publicKey: Record<string, unknown> }): Promise<unknown>;
  create(options: { publicKey: Record<string, unknown> }): Promise<unknown>;
};

type UserVerification = 'required' | 'preferred' | 'discouraged';

export type WebauthnStampOptions = {
  readonly rpId: string;
  /** Credential ids (base64url) to choose from; absent: whatever passkey the user picks. */
  readonly allowCredentials?: readonly string[];
  readonly userVerification?: UserVerification;
  readonly credentials?: CredentialsContainer;
};

export type PasskeyOptions = {
  readonly rp: { readonly id: string; readonly name: string };
  /** What the browser shows; never sent to a server. */
  readonly user: { readonly name: string; readonly displayName: string };
  /** Credential ids (base64url) of which the authenticator must hold none. */
  readonly excludeCredentials?: readonly string[];
  readonly userVerification?: UserVerification;
  readonly credentials?: CredentialsContainer;
};

/** Five minutes; less is too short for a phone that is reached by QR code. */
const timeout = 300_000;

/**
 * Asks the user's passkey for a stamp over `body`, which must then be sent byte for byte. Rejects with the browser's
 * `NotAllowedError` when the user declines.
 */
export async function makeWebauthnStamp(body: string | Uint8Array, options: WebauthnStampOptions): Promise<Stamp> {
  const { rpId, allowCredentials = [], userVerification = 'preferred', credentials = browserCredentials() } = options;
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const challenge = stampChallenge(digest);
  const publicKey = { rpId, challenge, allowCredentials: descriptors(allowCredentials), timeout, userVerification };
  const assertion = await oneAtATime(() => credentials.get({ publicKey }));
  const { rawId, response } = assertion as AssertionCredential;
  const value = {
    authenticatorData: toBase64url(response.authenticatorData),
    clientDataJson: toBase64url(response.clientDataJSON),
    credentialId: toBase64url(rawId),
    signature: toBase64url(response.signature),
  };
  return { header: 'X-Stamp-Webauthn', value: JSON.stringify(value) };
}

/** Creates a discoverable passkey, for the `authenticators` of an activity. Rejects as the browser does. */
export async function createPasskey(options: PasskeyOptions): Promise<Registration> {
  const { rp, user, excludeCredentials = [], userVerification = 'preferred' } = options;
  const { credentials = browserCredentials() } = options;
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const publicKey = {
    rp,
    user: { ...user, id: crypto.getRandomValues(new Uint8Array(32)) },
    challenge,
    pubKeyCredParams: [-7, -257].map((alg) => ({ type: 'public-key', alg })),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification },
    attestation: 'none',
    excludeCredentials: descriptors(excludeCredentials),
    timeout,
  };
  const { rawId, response } = (await oneAtATime(() => credentials.create({ publicKey }))) as AttestationCredential;
  return {
    challenge: base64urlnopad.encode(challenge),
    attestation: {
      credentialId: toBase64url(rawId),
      clientDataJson: toBase64url(response.clientDataJSON),
      attestationObject: toBase64url(response.attestationObject),
      transports: (response.getTransports?.() ?? []).flatMap((transport) => wireTransports[transport] ?? []),
    },
  };
}

type AssertionCredential = {
  rawId: ArrayBuffer;
  response: { authenticatorData: ArrayBuffer; clientDataJSON: ArrayBuffer; signature: ArrayBuffer };
};

type AttestationCredential = {
  rawId: ArrayBuffer;
  response: { clientDataJSON: ArrayBuffer; attestationObject: ArrayBuffer; getTransports?: () => string[] };
};

/** Turnkey has no name for others, such as `smart-card`; they are left out. */
const wireTransports: Readonly<Record<string, Transport>> = {
  internal: 'AUTHENTICATOR_TRANSPORT_INTERNAL',
  hybrid: 'AUTHENTICATOR_TRANSPORT_HYBRID',
  usb: 'AUTHENTICATOR_TRANSPORT_USB',
  nfc: 'AUTHENTICATOR_TRANSPORT_NFC',
  ble: 'AUTHENTICATOR_TRANSPORT_BLE',
};

const descriptors = (ids: readonly string[]) =>
  ids.map((id) => ({ type: 'public-key', id: base64urlnopad.decode(id) }));

const toBase64url = (bytes: ArrayBuffer) => base64urlnopad.encode(new Uint8Array(bytes));

function browserCredentials(): CredentialsContainer {
  const { credentials } = navigator as unknown as { credentials?: CredentialsContainer };
  if (!credentials) throw new Error('passkeys need a browser and a secure page (https, or http://localhost)');
  return credentials;
}

let lastCeremony: Promise<unknown> = Promise.resolve();

/** Browsers refuse a ceremony while another one is open, and a page may well stamp two requests at once. */
function oneAtATime<T>(ceremony: () => Promise<T>): Promise<T> {
  const result = lastCeremony.then(ceremony, ceremony);
  lastCeremony = result;
  return result;
}
