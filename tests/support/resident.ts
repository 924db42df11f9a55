/** The owner of a sub-organization, with a passkey, an API key and a wallet of two accounts. */
import { randomBytes } from 'node:crypto';
import { recoverAddress } from 'viem/utils';
import { expect } from 'vitest';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { createSoftwareAuthenticator, type SoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import { type Caller, query, resultOf, submit, type Wire, type WireAnswer } from './wire.ts';

export type Resident = {
  readonly organizationId: string;
  readonly userId: string;
  readonly walletId: string;
  /** Ethereum addresses of the wallet's accounts. */
  readonly addresses: readonly [string, string];
  readonly privateKeyId: string;
  readonly passkey: SoftwareAuthenticator;
  readonly apiKey: ReturnType<typeof generateApiKey>;
  readonly byPasskey: Caller;
  readonly byApiKey: Caller;
};

const passkeyOrigin = 'http://localhost:3000';
export const newPasskey = () => createSoftwareAuthenticator({ rpId: 'localhost', origin: passkeyOrigin });

export const ethereumAccount = (index: number) =>
  ({
    curve: 'CURVE_SECP256K1',
    pathFormat: 'PATH_FORMAT_BIP32',
    path: `m/44'/60'/0'/0/${index}`,
    addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
  }) as const;

/** `parent` makes a sub-organization for a new user. */
export async function createResident(wire: Wire, parent: Caller, name: string): Promise<Resident> {
  const [passkey, apiKey] = [newPasskey(), generateApiKey()];
  const created = resultOf(
    await submit(wire, parent, 'create_sub_organization', 'CREATE_SUB_ORGANIZATION_V7', {
      subOrganizationName: name,
      rootQuorumThreshold: 1,
      rootUsers: [
        {
          userName: name,
          userEmail: `${name.toLowerCase()}@example.com`,
          apiKeys: [{ apiKeyName: 'key', publicKey: apiKey.publicKey, curveType: 'API_KEY_CURVE_P256' }],
          authenticators: [{ authenticatorName: 'passkey', ...passkey.register() }],
          oauthProviders: [],
        },
      ],
      wallet: { walletName: 'wallet', accounts: [ethereumAccount(0), ethereumAccount(1)] },
    }),
  );
  const organizationId = created.subOrganizationId as string;
  const wallet = created.wallet as { walletId: string; addresses: [string, string] };
  const byPasskey: Caller = { organizationId, stamp: (body) => passkey.stamp(body) };
  const privateKeys = resultOf(
    await submit(wire, byPasskey, 'create_private_keys', 'CREATE_PRIVATE_KEYS_V2', {
      privateKeys: [{ privateKeyName: 'spare', curve: 'CURVE_SECP256K1', addressFormats: ['ADDRESS_FORMAT_ETHEREUM'] }],
    }),
  ).privateKeys as [{ privateKeyId: string }];
  return {
    organizationId,
    userId: (created.rootUserIds as [string])[0],
    walletId: wallet.walletId,
    addresses: wallet.addresses,
    privateKeyId: privateKeys[0].privateKeyId,
    passkey,
    apiKey,
    byPasskey,
    byApiKey: { organizationId, stamp: (body) => makeApiKeyStamp(body, apiKey) },
  };
}

export type Member = Caller & { readonly userId: string; readonly apiKey: ReturnType<typeof generateApiKey> };

/** `owner` adds a user with an API key, who is not in the root quorum: what policies allow, and nothing else. */
export async function addUser(wire: Wire, owner: Caller, userName: string): Promise<Member> {
  const apiKey = generateApiKey();
  const apiKeys = [{ apiKeyName: 'key', publicKey: apiKey.publicKey }];
  const users = [{ userName, apiKeys, authenticators: [], userTags: [] }];
  const created = resultOf(await submit(wire, owner, 'create_users', 'CREATE_USERS_V2', { users }));
  const [userId] = created.userIds as [string];
  return {
    organizationId: owner.organizationId,
    userId,
    apiKey,
    stamp: (body) => makeApiKeyStamp(body, apiKey),
  };
}

/** Parameters of a signature over `digest` (hex without 0x). */
export const signing = (signWith: string, digest = randomBytes(32).toString('hex')) => ({
  signWith,
  payload: digest,
  encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
  hashFunction: 'HASH_FUNCTION_NO_OP',
});

/** Has a fresh digest signed; the answer, whatever it is. A signature by any other key than the address's fails the test. */
export async function sign(wire: Wire, caller: Caller, address: string): Promise<WireAnswer> {
  const parameters = signing(address);
  const answer = await submit(wire, caller, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', parameters);
  if (answer.status === 200) expect(await signerOf(answer, parameters.payload)).toBe(address);
  return answer;
}

/** The address that a signature in `answer` over `digest` is by. */
function signerOf(answer: WireAnswer, digest: string): Promise<string> {
  const { r, s, v } = resultOf(answer) as { r: string; s: string; v: string };
  const signature = `0x${r}${s}${(27 + Number.parseInt(v, 16)).toString(16)}` as const;
  return recoverAddress({ hash: `0x${digest}`, signature });
}

/** What queries show of an organization, to be compared with what they show later. */
export async function readAll(wire: Wire, caller: Caller): Promise<WireAnswer[]> {
  const names = ['get_organization', 'list_users', 'list_wallets', 'list_private_keys', 'list_policies'];
  return Promise.all(names.map((name) => query(wire, caller, name)));
}
