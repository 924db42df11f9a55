/** The service for the tests of one file, with every answer that it gives looked at. */
import { Turnkey, type TurnkeyApiClient } from '@turnkey/sdk-server';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type ApiKeyPair, generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import { type Root, type Service, startService } from '../support/service.ts';
import { checkAnswer } from './check-answer.ts';
import { type Recorder, startRecorder } from './recorder.ts';

export type CompatService = {
  /** Of a relay in front of the service that passes on everything as it is. */
  readonly baseUrl: string;
  readonly root: Root;
  /** Paths that were answered with success. */
  readonly succeeded: ReadonlySet<string>;
  /** The official client of the root organization, or of another with the key of one of its users. */
  client(as?: Member): TurnkeyApiClient;
};

/** A user of an organization who stamps with an API key. */
export type Member = { readonly organizationId: string; readonly userId: string; readonly key: ApiKeyPair };

/** Starts the service before the tests of a file and ends it after them; after each test all answers must be well-formed. */
export function useService(): CompatService {
  const succeeded = new Set<string>();
  const problems: string[] = [];
  let service: Service;
  let recorder: Recorder;
  beforeAll(async () => {
    service = await startService();
    recorder = await startRecorder(service.port, (exchange) => {
      if (exchange.status === 200) succeeded.add(exchange.path);
      problems.push(...checkAnswer(exchange));
      // Only the log knows what it was.
      if (exchange.status === 500) console.error(service.output());
    });
  });
  afterEach(() => expect(problems.splice(0), 'answers that are not as they should be').toEqual([]));
  afterAll(async () => {
    await recorder?.close();
    await service?.stop();
  });
  return {
    succeeded,
    get baseUrl() {
      return recorder.baseUrl;
    },
    get root() {
      return service.root;
    },
    client: (as = rootMember(service.root)) =>
      new Turnkey({
        apiBaseUrl: recorder.baseUrl,
        apiPublicKey: as.key.publicKey,
        apiPrivateKey: as.key.privateKey,
        defaultOrganizationId: as.organizationId,
        // It asks again and again what became of an activity that waits for a second vote.
        activityPoller: { intervalMs: 50, numRetries: 3 },
      }).apiClient(),
  };
}

export const rootMember = ({ organizationId, userId, apiPublicKey, apiPrivateKey }: Root): Member => ({
  organizationId,
  userId,
  key: { publicKey: apiPublicKey, privateKey: apiPrivateKey },
});

export type SubOrganization = Member & { readonly walletId: string; readonly address: `0x${string}` };

/** `ApiKeyParamsV2`. */
export const apiKeyParams = (key: ApiKeyPair, apiKeyName = 'key') => ({
  apiKeyName,
  publicKey: key.publicKey,
  curveType: 'API_KEY_CURVE_P256' as const,
});

export const ethereumAccount = (index = 0) => ({
  curve: 'CURVE_SECP256K1' as const,
  pathFormat: 'PATH_FORMAT_BIP32' as const,
  path: `m/44'/60'/0'/0/${index}`,
  addressFormat: 'ADDRESS_FORMAT_ETHEREUM' as const,
});

/** A new sub-organization with one root user who has an API key, and a wallet with one Ethereum account. */
export async function newSubOrganization(
  parent: TurnkeyApiClient,
  { name = 'sub', key = generateApiKey() } = {},
): Promise<SubOrganization> {
  const { subOrganizationId, rootUserIds, wallet } = await parent.createSubOrganization({
    subOrganizationName: name,
    rootQuorumThreshold: 1,
    rootUsers: [{ userName: name, apiKeys: [apiKeyParams(key)], authenticators: [], oauthProviders: [] }],
    wallet: { walletName: 'main', accounts: [ethereumAccount()] },
  });
  const [userId] = rootUserIds as [string];
  const { walletId, addresses } = wallet as { walletId: string; addresses: [`0x${string}`] };
  return { organizationId: subOrganizationId, userId, key, walletId, address: addresses[0] };
}

/** A private key of the client's organization, with its Ethereum address. */
export async function newEthereumKey(client: TurnkeyApiClient): Promise<{ privateKeyId: string; address: string }> {
  const { privateKeys } = await client.createPrivateKeys({
    privateKeys: [
      {
        privateKeyName: 'ethereum',
        curve: 'CURVE_SECP256K1',
        privateKeyTags: [],
        addressFormats: ['ADDRESS_FORMAT_ETHEREUM'],
      },
    ],
  });
  const [{ privateKeyId = '', addresses = [] }] = privateKeys as [(typeof privateKeys)[0]];
  return { privateKeyId, address: addresses[0]?.address as string };
}
