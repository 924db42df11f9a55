/** Runs effects one after the other on organizations in memory: real cryptography, a ledger of plain maps. */
import { createECDH, createHash, randomBytes, randomUUID } from 'node:crypto';
import { findEffect } from '../../src/enclave/activities/index.ts';
import type { EffectContext, IdentityHit, NewKey, Outcome, PasskeyRules } from '../../src/enclave/effect.ts';
import { noContent, type Organization } from '../../src/enclave/state.ts';
import { parseParameters } from '../../src/protocol/parse-parameters.ts';
import { findActivity } from '../../src/protocol/registry.ts';

export const now = 1_750_000_000_000;

export type World = {
  readonly parent: Organization;
  /** Newest state of an organization. */
  organization(id: string): Organization;
  set(organization: Organization): void;
  /** What is sealed, by id; secrets are as the effect left them. */
  readonly keys: ReadonlyMap<string, NewKey>;
  /** What effects got as randomness: entropy and secrets. */
  readonly randoms: readonly Buffer[];
  /** Passes time. */
  advance(milliseconds: number): void;
  /** Runs an activity (`CREATE_WALLET`) with parameters as on the wire and takes its outcome over. */
  // biome-ignore lint/suspicious/noExplicitAny: results are those of any activity.
  run(organizationId: string, type: string, parameters: unknown): Promise<any>;
  /** The same without taking it over. */
  outcome(organizationId: string, type: string, parameters: unknown): Promise<Outcome<unknown>>;
};

export const passkeyRules: PasskeyRules = { origins: ['http://localhost:*'], rpIds: ['localhost'] };

export function newApiKey(name = 'key') {
  const key = createECDH('prime256v1');
  key.generateKeys();
  return { apiKeyName: name, publicKey: key.getPublicKey('hex', 'compressed'), curveType: 'API_KEY_CURVE_P256' };
}

/** A world with one parent organization, whose one user has an API key. */
export function createWorld(): World {
  let time = now;
  const organizations = new Map<string, Organization>();
  const keys = new Map<string, NewKey>();
  const randoms: Buffer[] = [];
  const parent = newParent();
  organizations.set(parent.id, parent);

  const organization = (id: string): Organization => {
    const found = organizations.get(id);
    if (!found) throw new Error(`no organization ${id}`);
    return found;
  };

  const find = (parentId: string, { kind, value }: { kind: string; value: string }): IdentityHit[] =>
    [...organizations.values()]
      .filter((each) => each.id === parentId || each.parentId === parentId)
      .flatMap((each) =>
        [...each.users.values()].flatMap((user) =>
          user.authenticators
            .filter((passkey) => kind === 'credentialId' && passkey.credentialId === value)
            .map(({ publicKey }) => ({
              organizationId: each.id,
              userId: user.id,
              keyDigest: createHash('sha256').update(publicKey).digest().subarray(0, 16),
            })),
        ),
      );

  const contextOf = (id: string): EffectContext => ({
    organization: frozen(organization(id)),
    now: time,
    newId: () => randomUUID(),
    random: (size) => {
      const bytes = randomBytes(size);
      randoms.push(bytes);
      return bytes;
    },
    withKey: async (keyId, binding, use) => {
      const sealed = keys.get(keyId);
      if (sealed?.organizationId !== id || sealed.binding !== binding) throw new Error(`no key ${keyId}`);
      const secret = Buffer.from(sealed.secret);
      try {
        return use(secret);
      } finally {
        secret.fill(0);
      }
    },
    passkeys: {
      origins: organization(id).settings.origins ?? passkeyRules.origins,
      rpIds: organization(id).settings.rpIds ?? passkeyRules.rpIds,
    },
    identities: { find },
    parentProfiles: async () => organizations.get(organization(id).parentId ?? '')?.sessionProfiles ?? new Map(),
  });

  const outcome = async (id: string, type: string, parameters: unknown): Promise<Outcome<unknown>> => {
    const found = findActivity(`ACTIVITY_TYPE_${type}`);
    if (!found) throw new Error(`no activity of type ${type}`);
    const effect = findEffect(found.activity.name);
    if (!effect) throw new Error(`no effect of ${found.activity.name}`);
    return effect(contextOf(id), parseParameters(found.version, parameters));
  };

  return {
    parent,
    organization,
    set: (next) => void organizations.set(next.id, next),
    keys,
    randoms,
    advance: (milliseconds) => {
      time += milliseconds;
    },
    outcome,
    run: async (id, type, parameters) => {
      const {
        result,
        organization: next,
        created = [],
        keys: made = [],
        removedKeys = [],
      } = await outcome(id, type, parameters);
      for (const each of [...(next ? [next] : []), ...created]) organizations.set(each.id, each);
      for (const key of made) keys.set(key.id, key);
      for (const keyId of removedKeys) keys.delete(keyId);
      return result;
    },
  };
}

function newParent(): Organization {
  const { publicKey } = newApiKey();
  const userId = randomUUID();
  const times = { createdAt: now, updatedAt: now };
  const apiKey = {
    id: randomUUID(),
    name: 'root',
    publicKey,
    curve: 'API_KEY_CURVE_P256' as const,
    type: 'CREDENTIAL_TYPE_API_KEY_P256',
    ...times,
  };
  return {
    id: randomUUID(),
    parentId: null,
    settings: {
      name: 'Parent',
      ...times,
      rootQuorum: { threshold: 1, userIds: [userId] },
      features: [],
      origins: null,
      rpIds: null,
    },
    ...noContent,
    users: new Map([
      [userId, { id: userId, name: 'Root', authenticators: [], apiKeys: [apiKey], tagIds: [], ...times }],
    ]),
    deleted: false,
  };
}

/** Makes every change in place throw. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Object.isFrozen(value))
    return value;
  if (value instanceof Map) {
    const refuse = () => {
      throw new TypeError('a map of the state was changed in place');
    };
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse });
    for (const member of value.values()) frozen(member);
  }
  for (const member of Object.values(value)) if (typeof member !== 'function') frozen(member);
  return Object.freeze(value);
}
