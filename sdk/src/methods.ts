/** What each method of the client sends, derived from the registry. The build puts the table in this module's place. */
import { activities, queries } from '../../src/protocol/registry.ts';

import type { OfficialNames } from './method-types.ts';

/** `type` is that of the activity's newest version; queries have none. */
export type Method = { readonly path: string; readonly type?: string };

/** Queries that Turnkey's clients do not name by the rule. */
const officialNames: OfficialNames = {
  list_user_tags: 'listUserTags',
  list_private_key_tags: 'listPrivateKeyTags',
  list_suborgs: 'getSubOrgIds',
  list_verified_suborgs: 'getVerifiedSubOrgIds',
};

/**
 * As Turnkey's clients have it: `create_wallet` → `createWallet`; `get_wallet`, `list_wallets` and `whoami` → `getWallet`,
 * `getWallets`, `getWhoami`; queries of ours as they are called.
 */
export const methods: Readonly<Record<string, Method>> = Object.fromEntries([
  ...activities.map(({ name, versions }) => [
    camelCase(name),
    { path: `submit/${name}`, type: Object.keys(versions).at(-1) },
  ]),
  ...queries.map(({ name }) => [nameOfQuery(name), { path: `query/${name}` }]),
]);

function nameOfQuery(name: string): string {
  const official: Readonly<Record<string, string>> = officialNames;
  return official[name] ?? camelCase(name.replace(/^(?:(?:get|list)_|(?=whoami$))/, 'get_'));
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
