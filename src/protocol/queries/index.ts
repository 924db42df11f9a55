/** All queries; routes, checks, the OpenAPI document and the SDK are derived from this list. */
import type { Query } from '../activities/activity.ts';
import { checkPolicy } from './check-policy.ts';
import { dryRun } from './dry-run.ts';
import { explainActivity } from './explain-activity.ts';
import { explainRequest } from './explain-request.ts';
import { formatPolicy } from './format-policy.ts';
import { getActivity } from './get-activity.ts';
import { getActivityFacts } from './get-activity-facts.ts';
import { getApiKey } from './get-api-key.ts';
import { getApiKeys } from './get-api-keys.ts';
import { getAuthenticator } from './get-authenticator.ts';
import { getAuthenticators } from './get-authenticators.ts';
import { getMfaPolicies } from './get-mfa-policies.ts';
import { getMfaPolicy } from './get-mfa-policy.ts';
import { getMfaStatus } from './get-mfa-status.ts';
import { getOauthProviders } from './get-oauth-providers.ts';
import { getOrganization } from './get-organization.ts';
import { getOrganizationConfigs } from './get-organization-configs.ts';
import { getPolicy } from './get-policy.ts';
import { getPolicyEvaluations } from './get-policy-evaluations.ts';
import { getPrivateKey } from './get-private-key.ts';
import { getReceipt } from './get-receipt.ts';
import { getSessionProfile } from './get-session-profile.ts';
import { getSessionProfiles } from './get-session-profiles.ts';
import { getSmartContractInterface } from './get-smart-contract-interface.ts';
import { getUser } from './get-user.ts';
import { getWallet } from './get-wallet.ts';
import { getWalletAccount } from './get-wallet-account.ts';
import { listActivities } from './list-activities.ts';
import { listPolicies } from './list-policies.ts';
import { listPrivateKeyTags } from './list-private-key-tags.ts';
import { listPrivateKeys } from './list-private-keys.ts';
import { listSmartAccounts } from './list-smart-accounts.ts';
import { listSmartContractInterfaces } from './list-smart-contract-interfaces.ts';
import { listSuborgs } from './list-suborgs.ts';
import { listUserTags } from './list-user-tags.ts';
import { listUsers } from './list-users.ts';
import { listVerifiedSuborgs } from './list-verified-suborgs.ts';
import { listWalletAccounts } from './list-wallet-accounts.ts';
import { listWallets } from './list-wallets.ts';
import { replayPolicies } from './replay-policies.ts';
import { whoami } from './whoami.ts';

const registered = [
  whoami,
  getOrganization,
  getOrganizationConfigs,
  getUser,
  listUsers,
  listUserTags,
  getAuthenticator,
  getAuthenticators,
  getApiKey,
  getApiKeys,
  getOauthProviders,
  getMfaPolicy,
  getMfaPolicies,
  getMfaStatus,
  getSessionProfile,
  getSessionProfiles,
  getWallet,
  listWallets,
  getWalletAccount,
  listWalletAccounts,
  getPrivateKey,
  getReceipt,
  listPrivateKeys,
  listPrivateKeyTags,
  getPolicy,
  listPolicies,
  getPolicyEvaluations,
  checkPolicy,
  formatPolicy,
  dryRun,
  explainActivity,
  explainRequest,
  replayPolicies,
  getActivityFacts,
  getSmartContractInterface,
  listSmartAccounts,
  listSmartContractInterfaces,
  getActivity,
  listActivities,
  listSuborgs,
  listVerifiedSuborgs,
] as const;

/** Any of the registered queries, with its name and schemas as literal types. */
export type RegisteredQuery = (typeof registered)[number];

export const queries: readonly Query[] = registered;

const byName = new Map(queries.map((query) => [query.name, query]));

/** The query of the path `/public/v1/query/<name>`. */
export const findQuery = (name: string): Query | undefined => byName.get(name);
