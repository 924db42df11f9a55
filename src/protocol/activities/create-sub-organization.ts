import * as v from 'valibot';
import { emptyList, integer, label, list, text } from '../fields.ts';
import { defineActivity } from './activity.ts';
import {
  authenticator,
  clientSignature,
  rootUser,
  rootUserV1,
  rootUserV2,
  rootUserV3,
  rootUserV4,
  type UserParameters,
} from './credential-fields.ts';
import { type PrivateKeyParameters, privateKey, privateKeyResult, wallet, walletResult } from './key-fields.ts';

const flag = v.exactOptional(v.boolean());

const common = {
  subOrganizationName: v.pipe(text(255), v.regex(/^[^\p{Cc}]*$/u, 'expected text without control characters')),
  rootQuorumThreshold: integer(1, 100, 'quorum threshold must be non-zero integer'),
};
const sinceV4 = { ...common, wallet: v.exactOptional(wallet), disableEmailRecovery: flag, disableEmailAuth: flag };
const sinceV7 = {
  ...sinceV4,
  disableSmsAuth: flag,
  disableOtpEmailAuth: flag,
  verificationToken: v.exactOptional(text(16_384)),
  clientSignature: v.exactOptional(clientSignature),
};

const v8 = v.strictObject({ ...sinceV7, rootUsers: list(rootUser) });

/** What the effect gets from every version; `privateKeys` is there for `_V3` alone, which made keys and no wallet. */
export type SubOrganizationParameters = Omit<v.InferOutput<typeof v8>, 'rootUsers'> & {
  rootUsers: UserParameters[];
  privateKeys?: PrivateKeyParameters[];
};

const v1 = v.pipe(
  v.strictObject({ name: label, rootAuthenticator: authenticator }),
  v.transform(
    ({ name, rootAuthenticator }): SubOrganizationParameters => ({
      subOrganizationName: name,
      rootQuorumThreshold: 1,
      rootUsers: [{ userName: 'Root user', apiKeys: [], authenticators: [rootAuthenticator], oauthProviders: [] }],
    }),
  ),
);

export const createSubOrganization = defineActivity({
  name: 'create_sub_organization',
  summary: 'Create a sub-organization with its root users and, if wanted, a wallet',
  versions: {
    ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION: {
      intent: 'createSubOrganizationIntent',
      result: 'createSubOrganizationResult',
      parameters: v1,
    },
    ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V2: {
      intent: 'createSubOrganizationIntentV2',
      result: 'createSubOrganizationResult',
      parameters: v.strictObject({ ...common, rootUsers: list(rootUserV1) }),
    },
    ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V3: {
      intent: 'createSubOrganizationIntentV3',
      result: 'createSubOrganizationResultV3',
      parameters: v.strictObject({ ...common, rootUsers: list(rootUserV1), privateKeys: emptyList(privateKey) }),
    },
    ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V4: {
      intent: 'createSubOrganizationIntentV4',
      result: 'createSubOrganizationResultV4',
      parameters: v.strictObject({ ...sinceV4, rootUsers: list(rootUserV1) }),
    },
    ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V5: {
      intent: 'createSubOrganizationIntentV5',
      result: 'createSubOrganizationResultV5',
      parameters: v.strictObject({ ...sinceV4, rootUsers: list(rootUserV2) }),
    },
    ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V6: {
      intent: 'createSubOrganizationIntentV6',
      result: 'createSubOrganizationResultV6',
      parameters: v.strictObject({ ...sinceV4, rootUsers: list(rootUserV3) }),
    },
    ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V7: {
      intent: 'createSubOrganizationIntentV7',
      result: 'createSubOrganizationResultV7',
      parameters: v.strictObject({ ...sinceV7, rootUsers: list(rootUserV4) }),
    },
    ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8: {
      intent: 'createSubOrganizationIntentV8',
      result: 'createSubOrganizationResultV8',
      parameters: v8,
    },
  },
  result: v.object({
    subOrganizationId: v.string(),
    wallet: v.exactOptional(walletResult),
    privateKeys: v.exactOptional(v.array(privateKeyResult)),
    rootUserIds: v.exactOptional(v.array(v.string())),
  }),
});
