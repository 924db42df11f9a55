/** Users and their credentials as they come in, in all wire versions; older ones are parsed into the newest. */
import * as v from 'valibot';
import { base64url, email, emptyIds, emptyList, expirationSeconds, hex, label, phoneNumber, text } from '../fields.ts';

const apiKeyV1 = v.strictObject({
  apiKeyName: label,
  publicKey: hex(132),
  expirationSeconds: v.exactOptional(expirationSeconds),
});

/** `ApiKeyParamsV2`. */
export const apiKey = v.strictObject({
  ...apiKeyV1.entries,
  curveType: v.picklist(['API_KEY_CURVE_P256', 'API_KEY_CURVE_SECP256K1', 'API_KEY_CURVE_ED25519'], 'invalid curve'),
});
export type ApiKeyParameters = v.InferOutput<typeof apiKey>;

/** `ApiKeyParams`, which knew only P-256. */
export const apiKeyOfV1 = v.pipe(
  apiKeyV1,
  v.transform((key): ApiKeyParameters => ({ ...key, curveType: 'API_KEY_CURVE_P256' })),
);

const transports = emptyList(
  v.picklist([
    'AUTHENTICATOR_TRANSPORT_BLE',
    'AUTHENTICATOR_TRANSPORT_INTERNAL',
    'AUTHENTICATOR_TRANSPORT_NFC',
    'AUTHENTICATOR_TRANSPORT_USB',
    'AUTHENTICATOR_TRANSPORT_HYBRID',
  ]),
  10,
);
/** As the client wrote it: some write plain base64. */
const challenge = v.pipe(text(256), v.minLength(1, 'expected a challenge'));
const clientDataJson = base64url(8192);
const attestationObject = base64url(65_536);

/** `AuthenticatorParamsV2`. */
export const authenticator = v.strictObject({
  authenticatorName: label,
  challenge,
  attestation: v.strictObject({
    credentialId: base64url(256),
    clientDataJson,
    attestationObject,
    transports,
  }),
});
export type AuthenticatorParameters = v.InferOutput<typeof authenticator>;

const attachment = v.exactOptional(v.picklist(['cross-platform', 'platform']));

/** `AuthenticatorParams`: the browser's `PublicKeyCredential` as it is, and the user whose it is to be. */
export const authenticatorV1 = v.strictObject({
  authenticatorName: label,
  userId: text(255),
  challenge,
  attestation: v.pipe(
    v.strictObject({
      id: base64url(256),
      rawId: base64url(256),
      type: v.literal('public-key'),
      authenticatorAttachment: attachment,
      response: v.strictObject({
        clientDataJson,
        attestationObject,
        transports,
        authenticatorAttachment: attachment,
      }),
      // What the browser's extensions gave out: facts about the browser, no wish of the caller.
      clientExtensionResults: v.looseObject({}),
    }),
    v.check(({ id, rawId }) => id === rawId, 'expected `id` and `rawId` to be the same'),
  ),
});

export const ofAuthenticatorV1 = (given: v.InferOutput<typeof authenticatorV1>): AuthenticatorParameters => ({
  authenticatorName: given.authenticatorName,
  challenge: given.challenge,
  attestation: {
    credentialId: given.attestation.id,
    clientDataJson: given.attestation.response.clientDataJson,
    attestationObject: given.attestation.response.attestationObject,
    transports: given.attestation.response.transports,
  },
});

const oauthProviderV1 = v.strictObject({ providerName: label, oidcToken: text(16_384) });
const oauthProvider = v.strictObject({
  providerName: label,
  oidcToken: v.exactOptional(text(16_384)),
  oidcClaims: v.exactOptional(v.strictObject({ iss: text(1024), sub: text(1024), aud: text(1024) })),
});

/** `ClientSignature`. */
export const clientSignature = v.strictObject({
  publicKey: hex(132),
  scheme: v.literal('CLIENT_SIGNATURE_SCHEME_API_P256'),
  message: text(65_536),
  signature: hex(512),
});

const named = { userName: label, userEmail: v.exactOptional(email) };
const tags = { userTags: emptyIds };
const phone = { userPhoneNumber: v.exactOptional(phoneNumber) };
const keysOfV1 = { apiKeys: emptyList(apiKeyOfV1) };
const keys = { apiKeys: emptyList(apiKey) };
const passkeys = { authenticators: emptyList(authenticator) };
const oauthV1 = { oauthProviders: emptyList(oauthProviderV1) };
const oauth = { oauthProviders: emptyList(oauthProvider) };

/** `RootUserParamsV5`. */
export const rootUser = v.strictObject({ ...named, ...phone, ...keys, ...passkeys, ...oauth });
/** `UserParamsV4`. */
export const user = v.strictObject({ ...rootUser.entries, ...tags });

/** A user to be made, as effects get it from every version. */
export type UserParameters = v.InferOutput<typeof rootUser> & { userTags?: string[] };

/** `RootUserParams` to `RootUserParamsV4`. */
export const rootUserV1 = v.pipe(
  v.strictObject({ ...named, ...keysOfV1, ...passkeys }),
  v.transform((given): UserParameters => ({ ...given, oauthProviders: [] })),
);
export const rootUserV2 = v.strictObject({ ...named, ...keysOfV1, ...passkeys, ...oauthV1 });
export const rootUserV3 = v.strictObject({ ...named, ...keys, ...passkeys, ...oauthV1 });
export const rootUserV4 = v.strictObject({ ...named, ...phone, ...keys, ...passkeys, ...oauthV1 });

/** `UserParams` to `UserParamsV3`. `accessType` chose between dashboard and API; the credentials decide that here. */
export const userV1 = v.pipe(
  v.strictObject({
    ...named,
    accessType: v.picklist(['ACCESS_TYPE_WEB', 'ACCESS_TYPE_API', 'ACCESS_TYPE_ALL']),
    ...keysOfV1,
    authenticators: emptyList(v.pipe(authenticatorV1, v.transform(ofAuthenticatorV1))),
    ...tags,
  }),
  v.transform(({ accessType: _accessType, ...given }): UserParameters => ({ ...given, oauthProviders: [] })),
);
export const userV2 = v.pipe(
  v.strictObject({ ...named, ...keysOfV1, ...passkeys, ...tags }),
  v.transform((given): UserParameters => ({ ...given, oauthProviders: [] })),
);
export const userV3 = v.strictObject({ ...rootUserV4.entries, ...tags });

/** `ApiOnlyUserParams`. */
export const apiOnlyUser = v.pipe(
  v.strictObject({ ...named, ...keysOfV1, ...tags }),
  v.transform((given): UserParameters => ({ ...given, authenticators: [], oauthProviders: [] })),
);
