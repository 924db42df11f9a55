import { invalidArgument } from '../protocol/errors.ts';
import { decodeBase64url } from '../stamping/base64url.ts';
import { parseCoseKey } from '../stamping/cose-key.ts';
import { isEd25519PublicKey } from '../stamping/is-public-key.ts';
import { parseJsonObject } from '../stamping/json-object.ts';
import { originAllowed } from '../stamping/origin.ts';
import type { Registration } from '../stamping/stamp.ts';
import type { PasskeyRules } from './effect.ts';
import type { Authenticator } from './state.ts';

export type RegisteredPasskey = Pick<
  Authenticator,
  'credentialId' | 'publicKey' | 'rpId' | 'aaguid' | 'transports' | 'backupEligible'
>;

/** ES256, RS256, EdDSA. */
const algorithms = [-7, -257, -8];

/** Other formats bring certificates whose revocation is looked up on a network, which the enclave does not have. */
const formats = ['none', 'packed'];

/**
 * Verifies a new passkey (WebAuthn L3 §7.1) against where passkeys may be made. User verification is not asked for, and
 * whether the credential id is free is for the caller to know (step 26). Throws INVALID_ARGUMENT with the field, below
 * `path` (`parameters.authenticators.0`) where that is given, and the expectation that failed.
 */
export async function verifyRegistration(
  registration: Registration,
  rules: PasskeyRules,
  path = '',
): Promise<RegisteredPasskey> {
  const inField = async <T>(field: keyof Registration['attestation'], run: () => T | Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      const place = path ? `${path}.attestation.${field}` : `attestation.${field}`;
      const description = (error as Error).message.slice(0, 200);
      throw invalidArgument('invalid authenticator attestation', { fields: [{ field: place, description }] });
    }
  };
  const { challenge, attestation } = registration;
  await inField('credentialId', () => decode(attestation.credentialId, 1023));
  const client = await inField('clientDataJson', () => readClientData(attestation.clientDataJson, challenge, rules));
  const library = await loadLibrary();
  const passkey = await inField('attestationObject', () => verifyAttestation(library, attestation, client, rules));
  await inField('credentialId', () => {
    expect(passkey.credentialId === attestation.credentialId, 'the credential id that is in the attestation object');
  });
  return passkey;
}

type ClientData = { readonly challenge: string; readonly origin: string };

/** Steps 5 to 11, told apart more finely than the library does, and with ports on localhost left open. */
function readClientData(text: string, expectedChallenge: string, rules: PasskeyRules): ClientData {
  const client = parseJsonObject(decode(text, 4096));
  expect(client !== undefined, 'a JSON object');
  const { type, challenge, origin, crossOrigin, topOrigin } = client;
  expect(type === 'webauthn.create', 'type `webauthn.create`');
  const isExpected = typeof challenge === 'string' && toBase64url(challenge) === toBase64url(expectedChallenge);
  expect(isExpected && challenge !== '', 'the challenge that is given beside the attestation');
  expect(typeof origin === 'string', 'an origin');
  expect(originAllowed(origin, rules.origins), `an origin of ${rules.origins.join(', ')}, found \`${origin}\``);
  const isFramed = (crossOrigin ?? false) !== false || topOrigin !== undefined;
  expect(!isFramed, 'a page that is not inside a frame of another origin');
  return { challenge, origin };
}

/** It takes 0.2 s to load, and an enclave that starts has no passkey to register yet. */
export async function loadLibrary() {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  return { verifyRegistrationResponse, decodeAttestationObject };
}

/** Steps 12 to 25. */
async function verifyAttestation(
  { verifyRegistrationResponse, decodeAttestationObject }: Awaited<ReturnType<typeof loadLibrary>>,
  { credentialId, clientDataJson, attestationObject, transports }: Registration['attestation'],
  client: ClientData,
  rules: PasskeyRules,
): Promise<RegisteredPasskey> {
  const attestation = Uint8Array.from(decode(attestationObject, 16_384));
  expect(
    formats.includes(decodeAttestationObject(attestation).get('fmt')),
    `attestation of format ${formats.join(' or ')}`,
  );

  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: {
      id: credentialId,
      rawId: credentialId,
      type: 'public-key',
      clientExtensionResults: {},
      response: { clientDataJSON: clientDataJson, attestationObject },
    },
    expectedChallenge: client.challenge,
    expectedOrigin: client.origin,
    expectedRPID: [...rules.rpIds],
    requireUserVerification: false,
    supportedAlgorithmIDs: algorithms,
  });
  expect(verified, 'an attestation signature that verifies');
  const { credential, aaguid, rpID, credentialDeviceType } = registrationInfo;
  expect(rpID !== undefined, `an RP id of ${rules.rpIds.join(', ')}`);
  checkPublicKey(credential.publicKey);
  return {
    credentialId: credential.id,
    publicKey: credential.publicKey,
    rpId: rpID,
    aaguid: Buffer.from(aaguid.replaceAll('-', ''), 'hex'),
    transports,
    backupEligible: credentialDeviceType === 'multiDevice',
  };
}

/** What is stored must be a key that stamps can be verified with. */
function checkPublicKey(coseKey: Uint8Array): void {
  const key = parseCoseKey(coseKey);
  if (key.asymmetricKeyType !== 'ed25519') return;
  const { x = '' } = key.export({ format: 'jwk' });
  expect(isEd25519PublicKey(Buffer.from(x, 'base64url')), 'an Ed25519 key of prime order');
}

/** Some mobile clients write challenges in plain base64. */
const toBase64url = (text: string): string =>
  text
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/={1,2}$/, '');

function decode(text: string, maxBytes: number): Buffer {
  const bytes = decodeBase64url(text, maxBytes);
  expect(bytes !== undefined && bytes.length > 0, `base64url without padding of 1 to ${maxBytes} bytes`);
  return bytes;
}

function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`expected ${what}`);
}
