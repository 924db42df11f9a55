/** The objects that answers are made of. What Turnkey marks as required is required; optional members are left out. */
import * as v from 'valibot';
import { authenticationType } from '../activities/mfa-fields.ts';
import { timestampSchema } from '../timestamps.ts';

const times = { createdAt: timestampSchema, updatedAt: timestampSchema };
const optionalText = v.exactOptional(v.string());

const credential = v.object({ publicKey: v.string(), type: v.string(), sessionProfileId: optionalText });

export const authenticator = v.object({
  authenticatorId: v.string(),
  authenticatorName: v.string(),
  credentialId: v.string(),
  /** `publicKey`: base64url of the COSE_Key. */
  credential,
  transports: v.array(v.string()),
  attestationType: v.string(),
  aaguid: v.string(),
  model: v.string(),
  ...times,
});

export const apiKey = v.object({
  apiKeyId: v.string(),
  apiKeyName: v.string(),
  /** `publicKey`: lower-case hex. */
  credential,
  expirationSeconds: optionalText,
  ...times,
});

export const oauthProvider = v.object({
  providerId: v.string(),
  providerName: v.string(),
  issuer: v.string(),
  audience: v.string(),
  subject: v.string(),
  ...times,
});

export const authenticationMethod = v.object({ type: authenticationType, id: optionalText });

/** All of these steps, each by any of its methods. */
export const requiredAuthenticationMethods = v.array(v.object({ any: v.array(authenticationMethod) }));

export const mfaPolicy = v.object({
  mfaPolicyId: v.string(),
  mfaPolicyName: v.string(),
  condition: v.string(),
  requiredAuthenticationMethods,
  order: v.number(),
  notes: optionalText,
  ...times,
});

export const sessionProfile = v.object({
  sessionProfileId: v.string(),
  sessionProfileName: v.string(),
  scope: v.string(),
  expirationSeconds: optionalText,
  notes: optionalText,
  ...times,
});

export const user = v.object({
  userId: v.string(),
  userName: v.string(),
  userEmail: optionalText,
  userPhoneNumber: optionalText,
  authenticators: v.array(authenticator),
  apiKeys: v.array(apiKey),
  userTags: v.array(v.string()),
  oauthProviders: v.array(oauthProvider),
  mfaPolicies: v.array(mfaPolicy),
  ...times,
});

const curve = v.picklist(['CURVE_SECP256K1', 'CURVE_ED25519', 'CURVE_P256']);

export const wallet = v.object({
  walletId: v.string(),
  walletName: v.string(),
  exported: v.boolean(),
  imported: v.boolean(),
  ...times,
});

export const walletAccount = v.object({
  walletAccountId: v.string(),
  organizationId: v.string(),
  walletId: v.string(),
  name: optionalText,
  curve,
  pathFormat: v.literal('PATH_FORMAT_BIP32'),
  path: v.string(),
  addressFormat: v.string(),
  address: v.string(),
  publicKey: v.string(),
  walletDetails: v.exactOptional(wallet),
  ...times,
});

export const privateKey = v.object({
  privateKeyId: v.string(),
  privateKeyName: v.string(),
  publicKey: v.string(),
  curve,
  addresses: v.array(v.object({ format: v.string(), address: v.string() })),
  privateKeyTags: v.array(v.string()),
  exported: v.boolean(),
  imported: v.boolean(),
  ...times,
});

export const policy = v.object({
  policyId: v.string(),
  policyName: v.string(),
  effect: v.picklist(['EFFECT_ALLOW', 'EFFECT_DENY', 'EFFECT_GUARD']),
  delaySeconds: v.exactOptional(v.number()),
  condition: v.string(),
  consensus: v.string(),
  time: optionalText,
  language: v.exactOptional(v.picklist(['turnkey', 'cel'])),
  notes: v.string(),
  ...times,
});

export const tag = v.object({
  tagId: v.string(),
  tagName: v.string(),
  tagType: v.picklist(['TAG_TYPE_USER', 'TAG_TYPE_PRIVATE_KEY']),
  ...times,
});

export const smartAccount = v.object({
  organizationId: v.string(),
  smartAccountId: v.string(),
  smartAccountName: v.string(),
  address: v.string(),
  /** Id of the key that owns it. */
  signWith: v.string(),
  accountKind: v.string(),
  entryPoint: v.string(),
  entryPointVersion: v.string(),
  /** None: all. */
  chainIds: v.array(v.string()),
  factory: optionalText,
  factoryData: optionalText,
  delegate: optionalText,
  ownerIndex: v.exactOptional(v.number()),
  module: optionalText,
  ...times,
});

export const smartContractInterface = v.object({
  organizationId: v.string(),
  smartContractInterfaceId: v.string(),
  smartContractAddress: v.string(),
  /** ABI or IDL: the JSON as it was uploaded. */
  smartContractInterface: v.string(),
  type: v.picklist(['SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM', 'SMART_CONTRACT_INTERFACE_TYPE_SOLANA']),
  label: v.string(),
  notes: v.string(),
  ...times,
});

export const features = v.array(v.object({ name: v.string(), value: v.string() }));
export const quorum = v.object({ threshold: v.number(), userIds: v.array(v.string()) });

export const organizationData = v.object({
  organizationId: v.string(),
  name: v.string(),
  users: v.array(user),
  policies: v.array(policy),
  wallets: v.array(wallet),
  privateKeys: v.array(privateKey),
  tags: v.array(tag),
  rootQuorum: quorum,
  features,
});

export const activityStatus = v.picklist([
  'ACTIVITY_STATUS_CREATED',
  'ACTIVITY_STATUS_PENDING',
  'ACTIVITY_STATUS_COMPLETED',
  'ACTIVITY_STATUS_FAILED',
  'ACTIVITY_STATUS_CONSENSUS_NEEDED',
  'ACTIVITY_STATUS_REJECTED',
  'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED',
]);

const vote = v.object({
  id: v.string(),
  userId: v.string(),
  user,
  activityId: v.string(),
  selection: v.picklist(['VOTE_SELECTION_APPROVED', 'VOTE_SELECTION_REJECTED']),
  /** The body that was stamped, as it was received. */
  message: v.string(),
  publicKey: v.string(),
  signature: v.string(),
  scheme: v.string(),
  createdAt: timestampSchema,
});

export const activity = v.object({
  id: v.string(),
  organizationId: v.string(),
  status: activityStatus,
  type: v.string(),
  /** One member, named after the version of the intent. */
  intent: v.record(v.string(), v.unknown()),
  /** One member, named after the version of the result, once the activity is completed. */
  result: v.record(v.string(), v.unknown()),
  votes: v.array(vote),
  appProofs: v.array(v.record(v.string(), v.unknown())),
  /** `sha256:` and the lower-case hex digest of the body that was submitted. */
  fingerprint: v.string(),
  /** When it can be carried out at the soonest, of what a guard makes wait. */
  waitsUntil: v.exactOptional(timestampSchema),
  canApprove: v.boolean(),
  canReject: v.boolean(),
  failure: v.nullable(
    v.object({ code: v.number(), message: v.string(), details: v.array(v.record(v.string(), v.unknown())) }),
  ),
  /** What the enclave noticed about the passkey that stamped it. */
  facts: v.exactOptional(v.object({ signCountRegressed: v.boolean(), userVerified: v.boolean() })),
  ...times,
});

export type AuthenticatorObject = v.InferOutput<typeof authenticator>;
export type ApiKeyObject = v.InferOutput<typeof apiKey>;
export type UserObject = v.InferOutput<typeof user>;
export type WalletObject = v.InferOutput<typeof wallet>;
export type WalletAccountObject = v.InferOutput<typeof walletAccount>;
export type PrivateKeyObject = v.InferOutput<typeof privateKey>;
export type MfaPolicyObject = v.InferOutput<typeof mfaPolicy>;
export type SessionProfileObject = v.InferOutput<typeof sessionProfile>;
export type PolicyObject = v.InferOutput<typeof policy>;
export type TagObject = v.InferOutput<typeof tag>;
export type SmartContractInterfaceObject = v.InferOutput<typeof smartContractInterface>;
export type SmartAccountObject = v.InferOutput<typeof smartAccount>;
export type ActivityStatus = v.InferOutput<typeof activityStatus>;
export type ActivityObject = v.InferOutput<typeof activity>;
