/** What each activity of the registry does; the compiler sees to it that none is missing. */

import type { Activity, Parameters, Result } from '../../protocol/activities/activity.ts';
import type { RegisteredActivity } from '../../protocol/registry.ts';
import type { Effect, EffectContext, Outcome } from '../effect.ts';
import { createApiKeysEffect } from './create-api-keys.ts';
import { createApiOnlyUsersEffect } from './create-api-only-users.ts';
import { createAuthenticatorsEffect } from './create-authenticators.ts';
import { createMfaPolicyEffect } from './create-mfa-policy.ts';
import { createPoliciesEffect } from './create-policies.ts';
import { createPolicyEffect } from './create-policy.ts';
import { createPrivateKeyTagEffect } from './create-private-key-tag.ts';
import { createPrivateKeysEffect } from './create-private-keys.ts';
import { createSessionProfileEffect } from './create-session-profile.ts';
import { createSmartAccountEffect } from './create-smart-account.ts';
import { createSmartContractInterfaceEffect } from './create-smart-contract-interface.ts';
import { createSubOrganizationEffect } from './create-sub-organization.ts';
import { createUserTagEffect } from './create-user-tag.ts';
import { createUsersEffect } from './create-users.ts';
import { createWalletEffect } from './create-wallet.ts';
import { createWalletAccountsEffect } from './create-wallet-accounts.ts';
import { deleteApiKeysEffect } from './delete-api-keys.ts';
import { deleteAuthenticatorsEffect } from './delete-authenticators.ts';
import { deleteMfaPolicyEffect } from './delete-mfa-policy.ts';
import { deletePoliciesEffect } from './delete-policies.ts';
import { deletePolicyEffect } from './delete-policy.ts';
import { deletePrivateKeyTagsEffect } from './delete-private-key-tags.ts';
import { deletePrivateKeysEffect } from './delete-private-keys.ts';
import { deleteSmartAccountsEffect } from './delete-smart-accounts.ts';
import { deleteSmartContractInterfaceEffect } from './delete-smart-contract-interface.ts';
import { deleteSubOrganizationEffect } from './delete-sub-organization.ts';
import { deleteUserTagsEffect } from './delete-user-tags.ts';
import { deleteUsersEffect } from './delete-users.ts';
import { deleteWalletAccountsEffect } from './delete-wallet-accounts.ts';
import { deleteWalletsEffect } from './delete-wallets.ts';
import { removeOrganizationFeatureEffect } from './remove-organization-feature.ts';
import { setOrganizationFeatureEffect } from './set-organization-feature.ts';
import { signRawPayloadEffect } from './sign-raw-payload.ts';
import { signRawPayloadsEffect } from './sign-raw-payloads.ts';
import { signTransactionEffect } from './sign-transaction.ts';
import { signUserOperationEffect } from './sign-user-operation.ts';
import { signUserOperationIntentEffect } from './sign-user-operation-intent.ts';
import { updateMfaPolicyEffect } from './update-mfa-policy.ts';
import { updateOrganizationNameEffect } from './update-organization-name.ts';
import { updatePolicyEffect } from './update-policy.ts';
import { updatePrivateKeyTagEffect } from './update-private-key-tag.ts';
import { updateRootQuorumEffect } from './update-root-quorum.ts';
import { updateUserEffect } from './update-user.ts';
import { updateUserEmailEffect } from './update-user-email.ts';
import { updateUserNameEffect } from './update-user-name.ts';
import { updateUserPhoneNumberEffect } from './update-user-phone-number.ts';
import { updateUserTagEffect } from './update-user-tag.ts';
import { updateWalletEffect } from './update-wallet.ts';

/** A vote's effect is that of the activity that it decides (src/enclave/vote.ts). */
type Vote = 'approve_activity' | 'reject_activity';
type Effects = { readonly [A in RegisteredActivity as Exclude<A['name'], Vote>]: Effect<A> };

export const effects: Effects = {
  create_api_keys: createApiKeysEffect,
  create_api_only_users: createApiOnlyUsersEffect,
  create_authenticators: createAuthenticatorsEffect,
  create_mfa_policy: createMfaPolicyEffect,
  create_policies: createPoliciesEffect,
  create_policy: createPolicyEffect,
  create_private_key_tag: createPrivateKeyTagEffect,
  create_private_keys: createPrivateKeysEffect,
  create_smart_account: createSmartAccountEffect,
  create_session_profile: createSessionProfileEffect,
  create_smart_contract_interface: createSmartContractInterfaceEffect,
  create_sub_organization: createSubOrganizationEffect,
  create_user_tag: createUserTagEffect,
  create_users: createUsersEffect,
  create_wallet: createWalletEffect,
  create_wallet_accounts: createWalletAccountsEffect,
  delete_api_keys: deleteApiKeysEffect,
  delete_authenticators: deleteAuthenticatorsEffect,
  delete_mfa_policy: deleteMfaPolicyEffect,
  delete_policies: deletePoliciesEffect,
  delete_policy: deletePolicyEffect,
  delete_private_key_tags: deletePrivateKeyTagsEffect,
  delete_private_keys: deletePrivateKeysEffect,
  delete_smart_accounts: deleteSmartAccountsEffect,
  delete_smart_contract_interface: deleteSmartContractInterfaceEffect,
  delete_sub_organization: deleteSubOrganizationEffect,
  delete_user_tags: deleteUserTagsEffect,
  delete_users: deleteUsersEffect,
  delete_wallet_accounts: deleteWalletAccountsEffect,
  delete_wallets: deleteWalletsEffect,
  remove_organization_feature: removeOrganizationFeatureEffect,
  set_organization_feature: setOrganizationFeatureEffect,
  sign_raw_payload: signRawPayloadEffect,
  sign_raw_payloads: signRawPayloadsEffect,
  sign_transaction: signTransactionEffect,
  sign_user_operation: signUserOperationEffect,
  sign_user_operation_intent: signUserOperationIntentEffect,
  update_mfa_policy: updateMfaPolicyEffect,
  update_organization_name: updateOrganizationNameEffect,
  update_policy: updatePolicyEffect,
  update_private_key_tag: updatePrivateKeyTagEffect,
  update_root_quorum: updateRootQuorumEffect,
  update_user: updateUserEffect,
  update_user_email: updateUserEmailEffect,
  update_user_name: updateUserNameEffect,
  update_user_phone_number: updateUserPhoneNumberEffect,
  update_user_tag: updateUserTagEffect,
  update_wallet: updateWalletEffect,
};

/** An effect of which only the registry knows the parameters: those that the schema of the same activity has parsed. */
export type AnyEffect = (
  context: EffectContext,
  parameters: Parameters<Activity>,
) => Outcome<Result<Activity>> | Promise<Outcome<Result<Activity>>>;

const byName: ReadonlyMap<string, AnyEffect> = new Map(Object.entries<AnyEffect>(effects));

/** The effect of the activity `name`. */
export const findEffect = (name: string): AnyEffect | undefined => byName.get(name);
