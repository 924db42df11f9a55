/** `activity.params`: what Turnkey exposes of the parameters, and the kinds that have each. */
import { field, int, list, optional, orEmpty, orZero, string, struct } from './shorthand.ts';

const leafId = struct('SparkSigningLeaf', { leaf_id: orEmpty(string, 'leaf, or empty') });
const deposit = struct('SparkStaticDeposit', { index: orZero(int, 'index, or 0') });
const noLeaf = Object.freeze(Object.assign(Object.create(null), { leaf_id: '' }));
const noDeposit = Object.freeze(Object.assign(Object.create(null), { index: 0n }));

/** The variants that are not the `type` read as their defaults. */
const derivation = struct('SparkDerivation', {
  type: orEmpty(string, '`identity`, `signing_leaf`, `deposit`, `static_deposit`, `htlc_preimage`, or empty'),
  signing_leaf: { ...field(leafId, 'for `signing_leaf`'), default: noLeaf },
  static_deposit: { ...field(deposit, 'for `static_deposit`'), default: noDeposit },
});

const signature = struct('SparkSignature', {
  derivation: field(derivation, 'key that signs'),
  message: orEmpty(string, 'message in hex'),
  verifying_key: orEmpty(string, 'public key in hex'),
  operator_commitments: field(
    list(
      struct('SparkCommitment', {
        operator_id: orEmpty(string, 'operator'),
        hiding: orEmpty(string, 'hiding commitment in hex'),
        binding: orEmpty(string, 'binding commitment in hex'),
      }),
      32,
    ),
    'commitments of the operators',
  ),
  adaptor_public_key: orEmpty(string, 'adaptor key, or empty'),
});

const leaf = struct('SparkLeaf', {
  leaf_id: orEmpty(string, 'leaf'),
  old_leaf_derivation: field(derivation, 'key before'),
  new_leaf_derivation: field(derivation, 'key after'),
});

const threshold = field(int, 'operators needed');
const recipients = field(
  list(
    struct('SparkRecipient', {
      operator_id: field(string, 'operator'),
      encryption_public_key: field(string, 'key that its share is encrypted for'),
    }),
    32,
  ),
  'operators that get a share',
);
const leaves = field(list(leaf), 'leaves');

/** By name; each is the error `missing-field` for activities that do not have it. */
export const parameters = struct('ActivityParameters', {
  hash_function: optional(string, '`HASH_FUNCTION_…`, of SIGN_RAW_PAYLOAD(S)'),
  encoding: optional(string, '`PAYLOAD_ENCODING_…`, of SIGN_RAW_PAYLOAD(S)'),
  type: optional(string, '`TRANSACTION_TYPE_…`, of SIGN_TRANSACTION'),
  user_ids: optional(list(string, 100), 'of DELETE_USERS'),
  user_id: optional(string, 'of CREATE_API_KEYS and DELETE_API_KEYS'),
  api_key_ids: optional(list(string, 100), 'of DELETE_API_KEYS'),
  target_public_key: optional(string, 'of EXPORT_WALLET, EXPORT_WALLET_ACCOUNT and EXPORT_PRIVATE_KEY'),
  wallet_id: optional(string, 'of UPDATE_WALLET'),
  otp_length: optional(int, 'of INIT_OTP_AUTH'),
  session_profile_id: optional(string, 'of OTP_LOGIN, STAMP_LOGIN and OAUTH_LOGIN; empty when omitted'),
  endpoint_id: optional(string, 'of UPDATE_WEBHOOK_ENDPOINT and DELETE_WEBHOOK_ENDPOINT'),
  sign_with: optional(string, 'of SPARK_…'),
  signatures: optional(list(signature, 128), 'of SPARK_SIGN_FROST'),
  transfer: optional(
    struct('SparkTransfer', {
      transfer_id: field(string, 'transfer'),
      leaves,
      threshold,
      operator_recipients: recipients,
      receiver_public_key: field(string, 'who receives'),
    }),
    'of SPARK_PREPARE_TRANSFER',
  ),
  claim: optional(
    struct('SparkClaim', {
      leaves,
      threshold,
      operator_recipients: recipients,
      transfer_id: field(string, 'transfer'),
      sender_identity_public_key: field(string, 'who sends'),
    }),
    'of SPARK_CLAIM_TRANSFER',
  ),
  lightning_receive: optional(
    struct('SparkLightningReceive', { threshold, operator_recipients: recipients }),
    'of SPARK_PREPARE_LIGHTNING_RECEIVE',
  ),
});

const rawPayload = ['hash_function', 'encoding'];
const exported = ['target_public_key'];
const session = ['session_profile_id'];
const endpoint = ['endpoint_id'];

/** The parameters that an activity exposes, by its kind. */
export const exposedParameters: Readonly<Record<string, readonly string[]>> = {
  SIGN_RAW_PAYLOAD: rawPayload,
  SIGN_RAW_PAYLOADS: rawPayload,
  SIGN_TRANSACTION: ['type'],
  DELETE_USERS: ['user_ids'],
  CREATE_API_KEYS: ['user_id'],
  DELETE_API_KEYS: ['user_id', 'api_key_ids'],
  EXPORT_WALLET: exported,
  EXPORT_WALLET_ACCOUNT: exported,
  EXPORT_PRIVATE_KEY: exported,
  UPDATE_WALLET: ['wallet_id'],
  INIT_OTP_AUTH: ['otp_length'],
  OTP_LOGIN: session,
  STAMP_LOGIN: session,
  OAUTH_LOGIN: session,
  UPDATE_WEBHOOK_ENDPOINT: endpoint,
  DELETE_WEBHOOK_ENDPOINT: endpoint,
  SPARK_SIGN_FROST: ['sign_with', 'signatures'],
  SPARK_PREPARE_TRANSFER: ['sign_with', 'transfer'],
  SPARK_CLAIM_TRANSFER: ['sign_with', 'claim'],
  SPARK_PREPARE_LIGHTNING_RECEIVE: ['sign_with', 'lightning_receive'],
};
