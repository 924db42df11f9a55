/** What the effect of an activity is given and gives back. Effects decide nothing about rights: that is done before them. */
import type { Activity, Parameters, Result } from '../protocol/activities/activity.ts';
import type { Organization, SessionProfile } from './state.ts';

/** A secret to be sealed under (organization, id, binding). The ledger zeroes `secret` once it is sealed. */
export type NewKey = { organizationId: string; id: string; binding: string; secret: Buffer };

export type EffectContext = {
  /** The organization that the activity acts in, in its newest state. */
  readonly organization: Organization;
  /** Unix milliseconds of this transition. */
  readonly now: number;
  /** A fresh UUID v4. */
  newId(): string;
  random(size: number): Buffer;
  /**
   * Unseals the key `id` of this organization, which must be bound to `binding` (`publicKey` of an account or key,
   * `seedDigest` of a wallet), runs `use` and zeroes the secret, whatever happens.
   */
  withKey<T>(id: string, binding: string, use: (secret: Buffer) => T): Promise<T>;
  /** Where passkeys of an organization may be made and used. */
  readonly passkeys: PasskeyRules;
  /** Other users' claims on an identity under the same parent; see `Identity`. */
  readonly identities: IdentityIndex;
  readonly parentProfiles: ProfileReader;
};

/** The session profiles of the organization's parent; none for a parent. */
export type ProfileReader = () => Promise<ReadonlyMap<string, SessionProfile>>;

export type PasskeyRules = { readonly origins: readonly string[]; readonly rpIds: readonly string[] };

/** What a passkey's stamp must fulfil besides. */
export type StampRules = PasskeyRules & { readonly requireUserVerification: boolean };

export type Identity = { kind: 'credentialId' | 'publicKey'; value: string };

export type IdentityHit = { organizationId: string; userId: string; keyDigest: Uint8Array };

export type IdentityIndex = {
  /** All organizations under `parentId` (itself included) that hold the identity; absence is known, not believed. */
  find(parentId: string, identity: Identity): IdentityHit[];
};

export type Outcome<R> = {
  readonly result: R;
  /** Next state of the organization; absent where nothing in its pages changes. */
  readonly organization?: Organization;
  /** Sub-organizations that come into being. */
  readonly created?: readonly Organization[];
  readonly keys?: readonly NewKey[];
  /** Ids of keys of this organization that no page names any more. */
  readonly removedKeys?: readonly string[];
};

export type Effect<A extends Activity> = (
  context: EffectContext,
  parameters: Parameters<A>,
) => Outcome<Result<A>> | Promise<Outcome<Result<A>>>;
