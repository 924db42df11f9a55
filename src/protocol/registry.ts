/** All activities and queries: routes, checks, the OpenAPI document and the SDK are derived from here. */
import type { Activity, ActivityVersion } from './activities/activity.ts';
import { approveActivity } from './activities/approve-activity.ts';
import { createApiKeys } from './activities/create-api-keys.ts';
import { createApiOnlyUsers } from './activities/create-api-only-users.ts';
import { createAuthenticators } from './activities/create-authenticators.ts';
import { createMfaPolicy } from './activities/create-mfa-policy.ts';
import { createPolicies } from './activities/create-policies.ts';
import { createPolicy } from './activities/create-policy.ts';
import { createPrivateKeyTag } from './activities/create-private-key-tag.ts';
import { createPrivateKeys } from './activities/create-private-keys.ts';
import { createSessionProfile } from './activities/create-session-profile.ts';
import { createSmartAccount } from './activities/create-smart-account.ts';
import { createSmartContractInterface } from './activities/create-smart-contract-interface.ts';
import { createSubOrganization } from './activities/create-sub-organization.ts';
import { createUserTag } from './activities/create-user-tag.ts';
import { createUsers } from './activities/create-users.ts';
import { createWallet } from './activities/create-wallet.ts';
import { createWalletAccounts } from './activities/create-wallet-accounts.ts';
import { deleteApiKeys } from './activities/delete-api-keys.ts';
import { deleteAuthenticators } from './activities/delete-authenticators.ts';
import { deleteMfaPolicy } from './activities/delete-mfa-policy.ts';
import { deletePolicies } from './activities/delete-policies.ts';
import { deletePolicy } from './activities/delete-policy.ts';
import { deletePrivateKeyTags } from './activities/delete-private-key-tags.ts';
import { deletePrivateKeys } from './activities/delete-private-keys.ts';
import { deleteSmartAccounts } from './activities/delete-smart-accounts.ts';
import { deleteSmartContractInterface } from './activities/delete-smart-contract-interface.ts';
import { deleteSubOrganization } from './activities/delete-sub-organization.ts';
import { deleteUserTags } from './activities/delete-user-tags.ts';
import { deleteUsers } from './activities/delete-users.ts';
import { deleteWalletAccounts } from './activities/delete-wallet-accounts.ts';
import { deleteWallets } from './activities/delete-wallets.ts';
import { rejectActivity } from './activities/reject-activity.ts';
import { removeOrganizationFeature } from './activities/remove-organization-feature.ts';
import { setOrganizationFeature } from './activities/set-organization-feature.ts';
import { signRawPayload } from './activities/sign-raw-payload.ts';
import { signRawPayloads } from './activities/sign-raw-payloads.ts';
import { signTransaction } from './activities/sign-transaction.ts';
import { signUserOperation } from './activities/sign-user-operation.ts';
import { signUserOperationIntent } from './activities/sign-user-operation-intent.ts';
import { updateMfaPolicy } from './activities/update-mfa-policy.ts';
import { updateOrganizationName } from './activities/update-organization-name.ts';
import { updatePolicy } from './activities/update-policy.ts';
import { updatePrivateKeyTag } from './activities/update-private-key-tag.ts';
import { updateRootQuorum } from './activities/update-root-quorum.ts';
import { updateUser } from './activities/update-user.ts';
import { updateUserEmail } from './activities/update-user-email.ts';
import { updateUserName } from './activities/update-user-name.ts';
import { updateUserPhoneNumber } from './activities/update-user-phone-number.ts';
import { updateUserTag } from './activities/update-user-tag.ts';
import { updateWallet } from './activities/update-wallet.ts';

export { queries } from './queries/index.ts';

const registered = [
  approveActivity,
  rejectActivity,
  createSubOrganization,
  deleteSubOrganization,
  updateOrganizationName,
  updateRootQuorum,
  setOrganizationFeature,
  removeOrganizationFeature,
  createUsers,
  createApiOnlyUsers,
  updateUser,
  updateUserName,
  updateUserEmail,
  updateUserPhoneNumber,
  deleteUsers,
  createUserTag,
  updateUserTag,
  deleteUserTags,
  createAuthenticators,
  deleteAuthenticators,
  createApiKeys,
  deleteApiKeys,
  createWallet,
  updateWallet,
  deleteWallets,
  createWalletAccounts,
  deleteWalletAccounts,
  createPrivateKeys,
  deletePrivateKeys,
  createPrivateKeyTag,
  updatePrivateKeyTag,
  deletePrivateKeyTags,
  signRawPayload,
  signRawPayloads,
  signTransaction,
  signUserOperation,
  signUserOperationIntent,
  createPolicy,
  createPolicies,
  updatePolicy,
  deletePolicy,
  deletePolicies,
  createMfaPolicy,
  updateMfaPolicy,
  deleteMfaPolicy,
  createSessionProfile,
  createSmartContractInterface,
  deleteSmartContractInterface,
  createSmartAccount,
  deleteSmartAccounts,
] as const;

/** Any of the registered activities, with its name and schemas as literal types. */
export type RegisteredActivity = (typeof registered)[number];

export const activities: readonly Activity[] = registered;

const byName = new Map(activities.map((activity) => [activity.name, activity]));
const byType = new Map(
  activities.flatMap((activity) =>
    Object.entries(activity.versions).map(([type, version]) => [type, { activity, version }] as const),
  ),
);

/** The activity that a request's `type` means, and the version of it. */
export const findActivity = (type: string): { activity: Activity; version: ActivityVersion } | undefined =>
  byType.get(type);

/** The activity of the path `/public/v1/submit/<name>`. */
export const findActivityByName = (name: string): Activity | undefined => byName.get(name);
