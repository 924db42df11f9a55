/** `@turnkey/http`: its client, its pollers, and the requests that it stamps for somebody else to send. */

import { ApiKeyStamper } from '@turnkey/api-key-stamper';
import {
  createActivityPoller,
  getSignatureFromActivity,
  getSignaturesFromActivity,
  getSignedTransactionFromActivity,
  init,
  sealAndStampRequestBody,
  TurnkeyApi,
  TurnkeyClient,
  TurnkeyRequestError,
  withAsyncPolling,
} from '@turnkey/http';
import { keccak256, parseTransaction, recoverAddress, toBytes } from 'viem';
import { beforeAll, expect, test } from 'vitest';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import { createSoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import { post, timestampMs } from './raw.ts';
import { apiKeyParams, ethereumAccount, newSubOrganization, type SubOrganization, useService } from './use-service.ts';

const service = useService();
let sub: SubOrganization;
let client: TurnkeyClient;

beforeAll(async () => {
  sub = await newSubOrganization(service.client(), { name: 'http' });
  client = clientOf(sub);
});

const clientOf = ({ key }: Pick<SubOrganization, 'key'>) => {
  const stamper = new ApiKeyStamper({ apiPublicKey: key.publicKey, apiPrivateKey: key.privateKey });
  return new TurnkeyClient({ baseUrl: service.baseUrl }, stamper);
};

const hash = keccak256(toBytes('hash'));
const signHash = () => ({
  type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2' as const,
  timestampMs: timestampMs(),
  organizationId: sub.organizationId,
  parameters: {
    signWith: sub.address,
    payload: hash,
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL' as const,
    hashFunction: 'HASH_FUNCTION_NO_OP' as const,
  },
});
const privateKeys = (privateKeyName: string) => ({
  type: 'ACTIVITY_TYPE_CREATE_PRIVATE_KEYS_V2' as const,
  timestampMs: timestampMs(),
  organizationId: sub.organizationId,
  parameters: {
    privateKeys: [
      {
        privateKeyName,
        curve: 'CURVE_SECP256K1' as const,
        privateKeyTags: [],
        addressFormats: ['ADDRESS_FORMAT_ETHEREUM' as const],
      },
    ],
  },
});

const signerOf = ({ r, s, v }: { r: string; s: string; v: string }) =>
  recoverAddress({ hash, signature: { r: `0x${r}`, s: `0x${s}`, yParity: Number(v) } });

test('TurnkeyClient asks and signs', async () => {
  expect(await client.getWhoami({ organizationId: sub.organizationId })).toMatchObject({ userId: sub.userId });
  const { activity } = await client.signRawPayload(signHash());
  expect(await signerOf(getSignatureFromActivity(activity))).toBe(sub.address);
  const several = await client.signRawPayloads({
    ...signHash(),
    type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOADS',
    parameters: {
      signWith: sub.address,
      payloads: [hash, hash],
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    },
  });
  const signers = await Promise.all(getSignaturesFromActivity(several.activity).map(signerOf));
  expect(signers).toEqual([sub.address, sub.address]);
  const { activity: transaction } = await client.signTransaction({
    ...signHash(),
    type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2',
    parameters: {
      signWith: sub.address,
      type: 'TRANSACTION_TYPE_ETHEREUM',
      unsignedTransaction: '02e801808459682f008509d4ae542e8252089440f008f4c17075efca092ae650655f6693aeced00180c0',
    },
  });
  const signed = getSignedTransactionFromActivity(transaction);
  expect(parseTransaction(`0x${signed.replace(/^0x/, '')}`)).toMatchObject({ chainId: 1, type: 'eip1559' });
});

test('createActivityPoller comes back with the completed activity', async () => {
  const poller = createActivityPoller({ client, requestFn: client.createPrivateKeys });
  const { status, result } = await poller(privateKeys('polled'));
  expect(status).toBe('ACTIVITY_STATUS_COMPLETED');
  expect(result.createPrivateKeysResultV2?.privateKeys).toHaveLength(1);
});

test('withAsyncPolling, of the days before TurnkeyClient, does too', async () => {
  init({ apiPublicKey: sub.key.publicKey, apiPrivateKey: sub.key.privateKey, baseUrl: service.baseUrl });
  const { organizationId } = sub;
  expect(await TurnkeyApi.getWhoami({ body: { organizationId } })).toMatchObject({ userId: sub.userId });
  const request = withAsyncPolling({ request: TurnkeyApi.createPrivateKeys });
  const { id, result } = await request({ body: privateKeys('polled as of old') });
  expect(result.createPrivateKeysResultV2?.privateKeys).toHaveLength(1);
  expect((await TurnkeyApi.getActivity({ body: { organizationId, activityId: id } })).activity.result).toEqual(result);
});

test('what only this client has: createApiOnlyUsers and getOrganization', async () => {
  const key = generateApiKey();
  const { activity } = await client.createApiOnlyUsers({
    type: 'ACTIVITY_TYPE_CREATE_API_ONLY_USERS',
    timestampMs: timestampMs(),
    organizationId: sub.organizationId,
    parameters: {
      apiOnlyUsers: [{ userName: 'ci', userTags: [], apiKeys: [{ apiKeyName: 'ci', publicKey: key.publicKey }] }],
    },
  });
  const [userId] = activity.result.createApiOnlyUsersResult?.userIds ?? [];
  const { organizationId } = sub;
  expect(await clientOf({ key }).getWhoami({ organizationId })).toMatchObject({ userId, username: 'ci' });
  const { organizationData } = await client.getOrganization({ organizationId });
  expect(organizationData).toMatchObject({
    organizationId,
    name: 'http',
    users: [{ userName: 'http' }, { userName: 'ci' }],
    wallets: [{ walletId: sub.walletId }],
    rootQuorum: { threshold: 1, userIds: [sub.userId] },
  });
});

test('requests that a browser stamps are sent on by a backend as they are', async () => {
  const { organizationId } = sub;
  const asked = await client.stampGetWhoami({ organizationId });
  const signed = await client.stampSignRawPayload(signHash());
  for (const { url, body, stamp } of [asked, signed]) {
    const answer = await post(url, body, { [stamp.stampHeaderName]: stamp.stampHeaderValue });
    expect(answer.status).toBe(200);
  }
  const { key } = sub;
  const { sealedBody, xStamp } = await sealAndStampRequestBody({
    body: { organizationId },
    apiPublicKey: key.publicKey,
    apiPrivateKey: key.privateKey,
  });
  const answer = await post(`${service.baseUrl}/public/v1/query/whoami`, sealedBody, { 'X-Stamp': xStamp });
  expect(answer.json).toMatchObject({ userId: sub.userId });
});

test('a passkey does the main job: it makes a wallet and signs with it', async () => {
  const { rpId, origin } = service.root;
  const passkey = createSoftwareAuthenticator({ rpId, origin });
  const { challenge, attestation } = passkey.register();
  const transports = ['AUTHENTICATOR_TRANSPORT_INTERNAL' as const];
  const authenticators = [{ authenticatorName: 'phone', challenge, attestation: { ...attestation, transports } }];
  const rootUsers = [{ userName: 'Ada', apiKeys: [], authenticators, oauthProviders: [] }];
  const { subOrganizationId: organizationId } = await service
    .client()
    .createSubOrganization({ subOrganizationName: 'Ada', rootQuorumThreshold: 1, rootUsers });
  const stamp = async (body: string) => {
    const { header, value } = passkey.stamp(body);
    return { stampHeaderName: header, stampHeaderValue: value };
  };
  const ada = new TurnkeyClient({ baseUrl: service.baseUrl }, { stamp });
  const { activity } = await ada.createWallet({
    type: 'ACTIVITY_TYPE_CREATE_WALLET',
    timestampMs: timestampMs(),
    organizationId,
    parameters: { walletName: 'mine', accounts: [ethereumAccount()] },
  });
  const [address = ''] = activity.result.createWalletResult?.addresses ?? [];
  const request = signHash();
  const parameters = { ...request.parameters, signWith: address };
  const signed = await ada.signRawPayload({ ...request, organizationId, parameters });
  expect(await signerOf(getSignatureFromActivity(signed.activity))).toBe(address);
  const { activities } = await ada.getActivities({ organizationId });
  expect(activities.map(({ type }) => type)).toEqual([
    'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    'ACTIVITY_TYPE_CREATE_WALLET',
  ]);
});

test('refusals are TurnkeyRequestErrors with code and details', async () => {
  const stranger = clientOf({ key: generateApiKey() });
  const error = await stranger.getWhoami({ organizationId: sub.organizationId }).catch((caught) => caught);
  expect(error).toBeInstanceOf(TurnkeyRequestError);
  expect(error).toMatchObject({ code: 16, details: [{ turnkeyErrorCode: 'PUBLIC_KEY_NOT_FOUND' }] });
  const twice = { ...privateKeys('named twice') };
  const [key] = twice.parameters.privateKeys;
  const parameters = { privateKeys: [key, key] as (typeof twice)['parameters']['privateKeys'] };
  await expect(client.createPrivateKeys({ ...twice, parameters })).rejects.toMatchObject({
    code: 3,
    message: expect.stringMatching(/^Turnkey error 3: .* \(Details: \[/),
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: [{ field: 'parameters.privateKeys.1.privateKeyName', description: expect.any(String) }],
      },
    ],
  });
});

test('apiKeyParams of an expired length are refused as Turnkey does', async () => {
  const apiKeys = [{ ...apiKeyParams(generateApiKey()), expirationSeconds: '0' }];
  await expect(
    client.createApiKeys({
      type: 'ACTIVITY_TYPE_CREATE_API_KEYS_V2',
      timestampMs: timestampMs(),
      organizationId: sub.organizationId,
      parameters: { userId: sub.userId, apiKeys },
    }),
  ).rejects.toThrow('invalid api key expiration');
});
