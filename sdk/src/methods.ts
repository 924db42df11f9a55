/** What each method of the client sends, derived from the registry. The build puts the table in this module's place. */
import { activities, queries } from '../../src/protocol/registry.ts';

/** `type` is that of the activity's newest version; queries have none. */
export type Method = { readonly path: string; readonly type?: string };

/**
 * `create_wallet` → `createWallet`; `get_wallet`, `list_wallets` and `whoami` → `getWallet`, `getWallets`, `getWhoami`; any
 * other query as it is called.
 */
export const methods: Readonly<Record<string, Method>> = Object.fromEntries([
  ...activities.map(({ name, versions }) => [
    camelCase(name),
    { path: `submit/${name}`, type: Object.keys(versions).at(-1) },
  ]),
  ...queries.map(({ name }) => [
    camelCase(name.replace(/^(?:(?:get|list)_|(?=whoami$))/, 'get_')),
    { path: `query/${name}` },
  ]),
]);

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
