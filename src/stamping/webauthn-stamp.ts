import { hash, verify } from 'node:crypto';
import { CountersignError } from '../protocol/errors.ts';
import { authenticatorDataLength, flag, readAuthenticatorData } from './authenticator-data.ts';
import { decodeBase64url } from './base64url.ts';
import { parseCoseKey } from './cose-key.ts';
import { parseJsonObject } from './json-object.ts';
import { cachedKey } from './key-cache.ts';
import { originAllowed } from './origin.ts';
import { maxStampLength } from './stamp.ts';

export type WebauthnStamp = {
  /** base64url without padding. */
  readonly credentialId: string;
  readonly clientDataJson: Buffer;
  readonly authenticatorData: Buffer;
  readonly signature: Buffer;
};

/** What is stored of a passkey since its registration. */
export type StampCredential = {
  readonly credentialId: string;
  /** COSE_Key. */
  readonly publicKey: Uint8Array;
  readonly rpId: string;
  readonly backupEligible: boolean;
};

export type VerifiedWebauthnStamp = {
  readonly signCount: number;
  readonly userVerified: boolean;
  readonly backedUp: boolean;
  readonly origin: string;
};

/**
 * Reads the value of `X-Stamp-Webauthn`: JSON `{authenticatorData, clientDataJson, credentialId, signature}`, each
 * canonical base64url without padding. Throws UNAUTHENTICATED when it is anything else.
 */
export function parseWebauthnStamp(header: string): WebauthnStamp {
  const fields = header.length <= maxStampLength ? parseJsonObject(Buffer.from(header)) : undefined;
  const credentialId = decodeBase64url(fields?.credentialId, 1023);
  const clientDataJson = decodeBase64url(fields?.clientDataJson, 4096);
  const authenticatorData = decodeBase64url(fields?.authenticatorData, 1024);
  const signature = decodeBase64url(fields?.signature, 1024);
  const complete = credentialId?.length && clientDataJson && authenticatorData && signature;
  if (!complete || authenticatorData.length < authenticatorDataLength) {
    throw new CountersignError('UNAUTHENTICATED', 'could not extract webauthn stamp', { reason: 'SIGNATURE_INVALID' });
  }
  return { credentialId: fields?.credentialId as string, clientDataJson, authenticatorData, signature };
}

/**
 * Verifies that `stamp` is an assertion of `credential` over the exact bytes of `body`, made on one of `origins`
 * (WebAuthn L3 §7.2). Throws UNAUTHENTICATED, always the same; only the `cause`, which is never sent, names the check.
 * The sign count is for the caller to compare (step 22).
 */
export function verifyWebauthnStamp(params: {
  stamp: WebauthnStamp;
  credential: StampCredential;
  body: Uint8Array;
  origins: readonly string[];
  requireUserVerification: boolean;
}): VerifiedWebauthnStamp {
  const { stamp, credential, body, origins, requireUserVerification } = params;

  // Step 6: the credential is the one that the stamp names.
  check(stamp.credentialId === credential.credentialId, 'credential id');

  // Steps 8 and 9: the client data is JSON.
  const client = parseJsonObject(stamp.clientDataJson);
  check(client !== undefined, 'client data');

  // Step 10: the client data was made for an assertion.
  check(client.type === 'webauthn.get', 'type');

  // Step 11: the challenge is the body's digest. Some Android clients leave the padding on.
  const challenge = typeof client.challenge === 'string' ? client.challenge.replace(/={1,2}$/, '') : undefined;
  check(challenge === stampChallenge(body), 'challenge');

  // Step 12: the origin is one of those allowed.
  const { origin } = client;
  check(typeof origin === 'string' && originAllowed(origin, origins), 'origin');

  // Steps 13 and 14: not from inside a frame of another origin.
  check(client.crossOrigin === undefined || client.crossOrigin === false, 'crossOrigin');
  check(client.topOrigin === undefined, 'topOrigin');

  // Step 15: the authenticator answered for the RP id that the credential belongs to.
  const { rpIdHash, flags, signCount } = readAuthenticatorData(stamp.authenticatorData);
  check(rpIdHash.equals(hash('sha256', credential.rpId, 'buffer')), 'rpIdHash');

  // Step 16: somebody was there.
  check((flags & flag.UP) !== 0, 'UP');

  // Step 17: the user was verified, where that is required.
  const userVerified = (flags & flag.UV) !== 0;
  check(userVerified || !requireUserVerification, 'UV');

  // Step 18: only what can be backed up is backed up.
  const [backupEligible, backedUp] = [(flags & flag.BE) !== 0, (flags & flag.BS) !== 0];
  check(backupEligible || !backedUp, 'BS');

  // Step 19: backup eligibility never changes.
  check(backupEligible === credential.backupEligible, 'BE');

  // §6.1: an assertion carries no new credential, and bytes behind the fixed part are extensions.
  check((flags & flag.AT) === 0, 'AT');
  const hasMore = stamp.authenticatorData.length > authenticatorDataLength;
  check(hasMore === ((flags & flag.ED) !== 0), 'ED');

  // Steps 20 and 21: the stored key signed all of it, by the stored key's algorithm.
  const signed = Buffer.concat([stamp.authenticatorData, hash('sha256', stamp.clientDataJson, 'buffer')]);
  check(verifySignature(credential.publicKey, signed, stamp.signature), 'signature');

  return { signCount, userVerified, backedUp, origin };
}

/** The challenge of a stamp as client data has it: base64url of the 64 hexadecimal digits of SHA-256(body). */
function stampChallenge(body: Uint8Array): string {
  return Buffer.from(hash('sha256', body, 'hex')).toString('base64url');
}

/** Whether `signature` is one of the COSE key's over `message`; every type of key that is taken has one algorithm. */
function verifySignature(coseKey: Uint8Array, message: Buffer, signature: Buffer): boolean {
  const key = cachedKey(Buffer.from(coseKey).toString('latin1'), () => parseCoseKey(coseKey));
  return verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', message, key, signature);
}

function check(holds: boolean, what: string): asserts holds {
  if (holds) return;
  const error = new CountersignError('UNAUTHENTICATED', 'could not verify WebAuthN signature', {
    reason: 'SIGNATURE_INVALID',
  });
  error.cause = what;
  throw error;
}
