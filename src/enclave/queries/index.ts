/** What each query answers. */
import type { RegisteredQuery } from '../../protocol/queries/index.ts';
import type { Answer } from '../answer.ts';
import { checkPolicyAnswer } from './check-policy.ts';
import { dryRunAnswer } from './dry-run.ts';
import { explainActivityAnswer } from './explain-activity.ts';
import { explainRequestAnswer } from './explain-request.ts';
import { formatPolicyAnswer } from './format-policy.ts';
import { getActivityAnswer } from './get-activity.ts';
import { getActivityFactsAnswer } from './get-activity-facts.ts';
import { getApiKeyAnswer } from './get-api-key.ts';
import { getApiKeysAnswer } from './get-api-keys.ts';
import { getAuthenticatorAnswer } from './get-authenticator.ts';
import { getAuthenticatorsAnswer } from './get-authenticators.ts';
import { getMfaPoliciesAnswer } from './get-mfa-policies.ts';
import { getMfaPolicyAnswer } from './get-mfa-policy.ts';
import { getMfaStatusAnswer } from './get-mfa-status.ts';
import { getOauthProvidersAnswer } from './get-oauth-providers.ts';
import { getOrganizationAnswer } from './get-organization.ts';
import { getOrganizationConfigsAnswer } from './get-organization-configs.ts';
import { getPolicyAnswer } from './get-policy.ts';
import { getPolicyEvaluationsAnswer } from './get-policy-evaluations.ts';
import { getPrivateKeyAnswer } from './get-private-key.ts';
import { getReceiptAnswer } from './get-receipt.ts';
import { getSessionProfileAnswer } from './get-session-profile.ts';
import { getSessionProfilesAnswer } from './get-session-profiles.ts';
import { getSmartContractInterfaceAnswer } from './get-smart-contract-interface.ts';
import { getUserAnswer } from './get-user.ts';
import { getWalletAnswer } from './get-wallet.ts';
import { getWalletAccountAnswer } from './get-wallet-account.ts';
import { listActivitiesAnswer } from './list-activities.ts';
import { listPoliciesAnswer } from './list-policies.ts';
import { listPrivateKeyTagsAnswer } from './list-private-key-tags.ts';
import { listPrivateKeysAnswer } from './list-private-keys.ts';
import { listSmartAccountsAnswer } from './list-smart-accounts.ts';
import { listSmartContractInterfacesAnswer } from './list-smart-contract-interfaces.ts';
import { listSuborgsAnswer } from './list-suborgs.ts';
import { listUserTagsAnswer } from './list-user-tags.ts';
import { listUsersAnswer } from './list-users.ts';
import { listVerifiedSuborgsAnswer } from './list-verified-suborgs.ts';
import { listWalletAccountsAnswer } from './list-wallet-accounts.ts';
import { listWalletsAnswer } from './list-wallets.ts';
import { replayPoliciesAnswer } from './replay-policies.ts';
import { whoamiAnswer } from './whoami.ts';

type Answers = { readonly [Q in RegisteredQuery as Q['name']]: Answer<Q> };

export const answers: Answers = {
  check_policy: checkPolicyAnswer,
  dry_run: dryRunAnswer,
  explain_activity: explainActivityAnswer,
  explain_request: explainRequestAnswer,
  format_policy: formatPolicyAnswer,
  get_policy_evaluations: getPolicyEvaluationsAnswer,
  get_activity: getActivityAnswer,
  get_activity_facts: getActivityFactsAnswer,
  get_api_key: getApiKeyAnswer,
  get_api_keys: getApiKeysAnswer,
  get_authenticator: getAuthenticatorAnswer,
  get_authenticators: getAuthenticatorsAnswer,
  get_mfa_policies: getMfaPoliciesAnswer,
  get_mfa_policy: getMfaPolicyAnswer,
  get_mfa_status: getMfaStatusAnswer,
  get_oauth_providers: getOauthProvidersAnswer,
  get_organization: getOrganizationAnswer,
  get_organization_configs: getOrganizationConfigsAnswer,
  get_policy: getPolicyAnswer,
  get_private_key: getPrivateKeyAnswer,
  get_receipt: getReceiptAnswer,
  get_session_profile: getSessionProfileAnswer,
  get_session_profiles: getSessionProfilesAnswer,
  get_smart_contract_interface: getSmartContractInterfaceAnswer,
  get_user: getUserAnswer,
  get_wallet: getWalletAnswer,
  get_wallet_account: getWalletAccountAnswer,
  list_activities: listActivitiesAnswer,
  list_policies: listPoliciesAnswer,
  list_private_key_tags: listPrivateKeyTagsAnswer,
  list_private_keys: listPrivateKeysAnswer,
  list_smart_accounts: listSmartAccountsAnswer,
  list_smart_contract_interfaces: listSmartContractInterfacesAnswer,
  list_suborgs: listSuborgsAnswer,
  list_user_tags: listUserTagsAnswer,
  list_users: listUsersAnswer,
  list_verified_suborgs: listVerifiedSuborgsAnswer,
  list_wallet_accounts: listWalletAccountsAnswer,
  list_wallets: listWalletsAnswer,
  replay_policies: replayPoliciesAnswer,
  whoami: whoamiAnswer,
};
