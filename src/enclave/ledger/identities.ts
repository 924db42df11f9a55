/**
 * Identity look-ups: which organizations under a parent hold a credential. They are leaves of the Merkle map, so that
 * absence and uniqueness are known. Name filters are only hints for the database, and hits are verified.
 */
import { createHmac, type KeyObject } from 'node:crypto';
import { encode } from '../../protocol/cbor.ts';
import { uuidBytes, uuidText } from '../../protocol/uuid.ts';
import type { Identity, IdentityHit } from '../effect.ts';
import type { Organization, User } from '../state.ts';
import { sha256 } from './hash.ts';
import type { MerkleMap } from './merkle-map.ts';

const digestSize = 16;

/** `kind`s of the name filters; hits are verified, completeness is not promised. */
export type HintKind = 'NAME' | 'USERNAME' | 'EMAIL' | 'PHONE_NUMBER' | 'WALLET_ACCOUNT_ADDRESS';

/** Organizations that share look-ups: a parent and its sub-organizations. */
export const scopeOf = (organization: { id: string; parentId: string | null }): string =>
  organization.parentId ?? organization.id;

export function identityDigest(key: KeyObject, scope: string, { kind, value }: Identity): Buffer {
  return keyedDigest(key, [scope, kind, value]);
}

export function hintDigest(key: KeyObject, scope: string, kind: HintKind, value: string): Buffer {
  return keyedDigest(key, [scope, kind, normalHint(kind, value)]);
}

/** E-mail addresses and addresses of accounts are found whatever their case. */
export const normalHint = (kind: HintKind, value: string): string =>
  kind === 'EMAIL' || kind === 'WALLET_ACCOUNT_ADDRESS' ? value.toLowerCase() : value;

/** Filters of a list by type or status, per organization. */
export const filterDigest = (key: KeyObject, organizationId: string, value: string): Buffer =>
  keyedDigest(key, [organizationId, value]).subarray(0, 8);

const keyedDigest = (key: KeyObject, parts: readonly string[]): Buffer =>
  createHmac('sha256', key).update(encode(parts)).digest().subarray(0, digestSize);

export function findIdentity(map: MerkleMap, key: KeyObject, scope: string, identity: Identity): IdentityHit[] {
  return map.withPrefix(identityDigest(key, scope, identity)).map(({ key: entry, value }) => ({
    organizationId: uuidText(entry.subarray(digestSize)),
    userId: uuidText(value.subarray(0, 16)),
    keyDigest: value.subarray(16),
  }));
}

export type LookupChange = { key: Buffer; value: Buffer | null };

/** Whether another organization holds the identity of a look-up with another public key. */
export function isContested(map: MerkleMap, { key, value }: LookupChange): boolean {
  const held = map.withPrefix(key.subarray(0, digestSize));
  const keyDigest = value?.subarray(16);
  return held.some((other) => keyDigest && !other.key.equals(key) && !keyDigest.equals(other.value.subarray(16)));
}

/** The look-ups that come and go between two states of an organization. */
export function lookupChanges(before: Organization | null, after: Organization, key: KeyObject): LookupChange[] {
  if (before?.users === after.users) return [];
  const scope = scopeOf(after);
  const organizationId = uuidBytes(after.id);
  const entries = (users: Iterable<User>) => {
    const found = new Map<string, { key: Buffer; value: Buffer }>();
    for (const user of users) {
      for (const { identity, publicKey } of identitiesOf(user)) {
        const entry = Buffer.concat([identityDigest(key, scope, identity), organizationId]);
        const value = Buffer.concat([uuidBytes(user.id), sha256(publicKey).subarray(0, 16)]);
        found.set(entry.toString('latin1'), { key: entry, value });
      }
    }
    return found;
  };
  const old = before?.users ?? new Map<string, User>();
  const gone = entries([...old.values()].filter((user) => after.users.get(user.id) !== user));
  const come = entries([...after.users.values()].filter((user) => old.get(user.id) !== user));
  const changes: LookupChange[] = [...come]
    .filter(([id, { value }]) => !gone.get(id)?.value.equals(value))
    .map(([, change]) => change);
  for (const [id, { key: entry }] of gone) if (!come.has(id)) changes.push({ key: entry, value: null });
  return changes;
}

/** What a user can be found by when a stamp comes in. */
function identitiesOf(user: User): { identity: Identity; publicKey: Uint8Array }[] {
  return [
    ...user.authenticators.map(({ credentialId, publicKey }) => ({
      identity: { kind: 'credentialId', value: credentialId } as const,
      publicKey,
    })),
    ...user.apiKeys.map(({ publicKey }) => ({
      identity: { kind: 'publicKey', value: publicKey } as const,
      publicKey: Buffer.from(publicKey, 'hex'),
    })),
  ];
}

/** The hints that come and go between two states of a sub-organization. */
export function hintChanges(
  before: Organization | null,
  after: Organization,
  key: KeyObject,
): { added: Buffer[]; removed: Buffer[] } {
  const scope = after.parentId;
  const unchanged =
    before?.settings.name === after.settings.name && before.users === after.users && before.accounts === after.accounts;
  if (scope === null || unchanged) return { added: [], removed: [] };
  // The texts are compared before any is hashed: there may be ten thousand accounts, of which one came.
  const byText = (organization: Organization | null) =>
    new Map((organization ? hintsOf(organization) : []).map((hint) => [`${hint[0]} ${normalHint(...hint)}`, hint]));
  const [old, next] = [byText(before), byText(after)];
  const missing = (from: typeof old, other: typeof old) =>
    [...from].filter(([text]) => !other.has(text)).map(([, [kind, value]]) => hintDigest(key, scope, kind, value));
  return { added: missing(next, old), removed: missing(old, next) };
}

/** What a sub-organization can be found by. */
export function hintsOf(organization: Organization): (readonly [HintKind, string])[] {
  const users = [...organization.users.values()];
  return [
    ...(organization.deleted ? [] : [['NAME', organization.settings.name] as const]),
    ...users.map(({ name }) => ['USERNAME', name] as const),
    ...users.flatMap(({ email }) => (email ? [['EMAIL', email] as const] : [])),
    ...users.flatMap(({ phoneNumber }) => (phoneNumber ? [['PHONE_NUMBER', phoneNumber] as const] : [])),
    ...[...organization.accounts.values()].map(({ address }) => ['WALLET_ACCOUNT_ADDRESS', address] as const),
  ];
}
