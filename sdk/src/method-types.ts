/** The types of the client's methods, derived from the registry as the methods are. */
import type * as v from 'valibot';
import type { Activity, Query } from '../../src/protocol/activities/activity.ts';
import type { RegisteredQuery } from '../../src/protocol/queries/index.ts';
import type { ActivityObject } from '../../src/protocol/queries/objects.ts';
import type { RegisteredActivity } from '../../src/protocol/registry.ts';

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** Queries that Turnkey's clients do not name by the rule. */
export type OfficialNames = {
  readonly list_user_tags: 'listUserTags';
  readonly list_private_key_tags: 'listPrivateKeyTags';
  readonly list_suborgs: 'getSubOrgIds';
  readonly list_verified_suborgs: 'getVerifiedSubOrgIds';
};

type QueryMethod<Name extends string> = Name extends keyof OfficialNames
  ? OfficialNames[Name]
  : Name extends 'whoami'
    ? 'getWhoami'
    : CamelCase<Name extends `${'get' | 'list'}_${infer Rest}` ? `get_${Rest}` : Name>;

/** The type with the highest `_V<n>`. */
type Newest<Type, Numbers = ['9', '8', '7', '6', '5', '4', '3', '2']> = Numbers extends [
  infer N extends string,
  ...infer Rest,
]
  ? [Extract<Type, `${string}_V${N}`>] extends [never]
    ? Newest<Type, Rest>
    : Extract<Type, `${string}_V${N}`>
  : Type;

type NewestParameters<A extends Activity> = v.InferInput<A['versions'][Newest<keyof A['versions']>]['parameters']>;

/** Any method takes another organization than the client's own. */
type Target = { readonly organizationId?: string };

type Submit<A extends Activity> = (
  parameters: NewestParameters<A> & Target,
) => Promise<{ activity: ActivityObject } & v.InferOutput<A['result']>>;

type QueryParameters<Q extends Query> = Omit<v.InferInput<Q['request']>, 'organizationId'> & Target;

/** A query that needs nothing but the organization may be asked without an argument. */
type Ask<Q extends Query> = (
  ...parameters: Target extends QueryParameters<Q>
    ? [parameters?: QueryParameters<Q>]
    : [parameters: QueryParameters<Q>]
) => Promise<v.InferOutput<Q['response']>>;

export type Methods = {
  readonly [A in RegisteredActivity as CamelCase<A['name']>]: Submit<A>;
} & {
  readonly [Q in RegisteredQuery as QueryMethod<Q['name']>]: Ask<Q>;
};
