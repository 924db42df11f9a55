/** From a stamp to who made it: the user and credential in the named organization, or else in its parent. */
import { CountersignError } from '../protocol/errors.ts';
import type { StampHeader } from '../protocol/messages.ts';
import { type ApiKeyStamp, parseApiKeyStamp, verifyApiKeyStamp } from '../stamping/api-key-stamp.ts';
import {
  parseWebauthnStamp,
  type VerifiedWebauthnStamp,
  verifyWebauthnStamp,
  type WebauthnStamp,
} from '../stamping/webauthn-stamp.ts';
import type { Identity, IdentityHit, StampRules } from './effect.ts';
import { scopeOf } from './ledger/identities.ts';
import type { Opened } from './ledger/organizations.ts';
import type { ApiKey, Authenticator, Organization, User } from './state.ts';

export type Credential =
  | { readonly kind: 'passkey'; readonly authenticator: Authenticator; readonly stamp: WebauthnStamp }
  | { readonly kind: 'apiKey'; readonly apiKey: ApiKey; readonly stamp: ApiKeyStamp };

/** A caller whose stamp over `body` was verified. */
export type Caller = {
  readonly opened: Opened;
  readonly user: User;
  readonly credential: Credential;
  /** What a passkey's assertion said besides. */
  readonly assertion: VerifiedWebauthnStamp | null;
};

export type Stamp = { kind: 'passkey'; stamp: WebauthnStamp } | { kind: 'apiKey'; stamp: ApiKeyStamp };

/** What `resolveCaller` needs of the enclave. */
export type CallerSource = {
  load(organizationId: string): Promise<Opened | undefined>;
  findIdentity(scope: string, identity: Identity): IdentityHit[];
  passkeyRules(organization: Organization): StampRules;
  now(): number;
};

/** Reads the stamp header; throws UNAUTHENTICATED when there is none or it is malformed. */
export function readStamp(header: { header: StampHeader; value: string } | null): Stamp {
  if (!header) {
    throw unauthenticated(
      'cannot authenticate public API activity request without a stamp (X-Stamp/X-Stamp-Webauthn header)',
      'SIGNATURE_MISSING',
    );
  }
  return header.header === 'x-stamp'
    ? { kind: 'apiKey', stamp: parseApiKeyStamp(header.value) }
    : { kind: 'passkey', stamp: parseWebauthnStamp(header.value) };
}

/**
 * Finds who stamped `body` among the users of `target`, then of its parent, and verifies the stamp. Throws
 * UNAUTHENTICATED when there is nobody, the credential has expired or the stamp does not verify.
 */
export async function resolveCaller(
  source: CallerSource,
  target: Opened,
  stamp: Stamp,
  body: Uint8Array,
): Promise<Caller> {
  const own = holderIn(target.organization, stamp);
  if (own) return verifyCaller(source, target, own.id, stamp, body);
  const hits = source.findIdentity(scopeOf(target.organization), identityOf(stamp));
  const ofParent = hits.find(({ organizationId }) => organizationId === target.organization.parentId);
  if (!ofParent) throw notFound(stamp);
  return verifyCaller(source, await source.load(ofParent.organizationId), ofParent.userId, stamp, body);
}

/** The user who holds the credential that a stamp names. */
function holderIn({ users }: Organization, { kind, stamp }: Stamp): User | undefined {
  for (const user of users.values()) {
    const holds =
      kind === 'passkey'
        ? user.authenticators.some(({ credentialId }) => credentialId === stamp.credentialId)
        : user.apiKeys.some(({ publicKey }) => publicKey === stamp.publicKey);
    if (holds) return user;
  }
  return undefined;
}

/**
 * As `resolveCaller`, but a parent's id stands for the one sub-organization that the credential belongs to, unless the
 * parent itself has it.
 */
export async function resolveThroughParent(
  source: CallerSource,
  target: Opened,
  stamp: Stamp,
  body: Uint8Array,
): Promise<Caller> {
  const { organization } = target;
  const hits = source.findIdentity(scopeOf(organization), identityOf(stamp));
  const direct = hits.some(({ organizationId }) => organizationId === organization.id);
  if (organization.parentId !== null || direct) return resolveCaller(source, target, stamp, body);
  const [only, another] = hits;
  if (!only) throw notFound(stamp);
  if (another) {
    const what = stamp.kind === 'passkey' ? 'credential ID' : 'public key';
    throw unauthenticated(`more than one suborg associated with a ${what}`, 'CREDENTIAL_CONFLICT');
  }
  return verifyCaller(source, await source.load(only.organizationId), only.userId, stamp, body);
}

const identityOf = (stamp: Stamp): Identity =>
  stamp.kind === 'passkey'
    ? { kind: 'credentialId', value: stamp.stamp.credentialId }
    : { kind: 'publicKey', value: stamp.stamp.publicKey };

function verifyCaller(
  source: CallerSource,
  opened: Opened | undefined,
  userId: string,
  stamp: Stamp,
  body: Uint8Array,
): Caller {
  const user = opened?.organization.users.get(userId);
  if (!opened || !user) throw notFound(stamp);
  if (stamp.kind === 'passkey') {
    const authenticator = user.authenticators.find(({ credentialId }) => credentialId === stamp.stamp.credentialId);
    if (!authenticator) throw notFound(stamp);
    const { origins, requireUserVerification } = source.passkeyRules(opened.organization);
    const assertion = verifyWebauthnStamp({
      stamp: stamp.stamp,
      credential: authenticator,
      body,
      origins,
      requireUserVerification,
    });
    return { opened, user, credential: { kind: 'passkey', authenticator, stamp: stamp.stamp }, assertion };
  }
  const apiKey = user.apiKeys.find(({ publicKey }) => publicKey === stamp.stamp.publicKey);
  if (!apiKey) throw notFound(stamp);
  if (!verifyApiKeyStamp(stamp.stamp, apiKey.curve, body)) {
    throw unauthenticated('could not verify api key signature', 'SIGNATURE_INVALID');
  }
  if (hasExpired(apiKey, source.now())) {
    // The client of Turnkey's wallet kit takes exactly these words for the end of a session.
    throw unauthenticated(
      `rpc error: code = Unauthenticated desc = expired api key publicKey: ${apiKey.publicKey}`,
      'API_KEY_EXPIRED',
    );
  }
  return { opened, user, credential: { kind: 'apiKey', apiKey, stamp: stamp.stamp }, assertion: null };
}

const hasExpired = ({ createdAt, expirationSeconds }: ApiKey, now: number): boolean =>
  expirationSeconds !== undefined && now >= createdAt + expirationSeconds * 1000;

function notFound(stamp: Stamp): CountersignError {
  return stamp.kind === 'passkey'
    ? unauthenticated(
        'credential ID could not be found in organization or its parent organization',
        'CREDENTIAL_NOT_FOUND',
      )
    : unauthenticated('could not find public key in organization or its parent organization', 'PUBLIC_KEY_NOT_FOUND');
}

const unauthenticated = (message: string, reason: string): CountersignError =>
  new CountersignError('UNAUTHENTICATED', message, { reason });
