/** What the company sets up once in its organization, with its root key: who of its backend may do what. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Address } from 'viem';
import { apiKeyStamper, createClient } from '../../sdk/src/index.ts';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import type { ApiKey, Config, Contracts } from './backend/config.ts';

/** `root.json` of Countersign. */
export type Root = Readonly<Record<'apiBaseUrl' | 'organizationId' | 'apiPublicKey' | 'apiPrivateKey', string>>;

type User = ApiKey & { readonly userId: string };
type Keys = { readonly registrar: User; readonly sponsor: User & { readonly address: Address } };
type Company = ReturnType<typeof companyOf>;

const companyOf = ({ apiBaseUrl, organizationId, ...root }: Root) => {
  const stamp = apiKeyStamper({ publicKey: root.apiPublicKey, privateKey: root.apiPrivateKey });
  return createClient({ baseUrl: apiBaseUrl, organizationId, stamp });
};

/** Two users with an API key each and the sponsor's key pair, made once and kept in `file`. */
export async function openKeys(root: Root, file: string): Promise<Keys> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const company = companyOf(root);
  const [registrar, sponsor] = [await createUser(company, 'registrar'), await createUser(company, 'sponsor')];
  const { addresses } = await company.createWallet({
    walletName: 'sponsor',
    accounts: [
      {
        curve: 'CURVE_SECP256K1',
        pathFormat: 'PATH_FORMAT_BIP32',
        path: "m/44'/60'/0'/0/0",
        addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
      },
    ],
  });
  const keys = { registrar, sponsor: { ...sponsor, address: addresses[0] as Address } };
  writeFileSync(file, JSON.stringify(keys, null, 2), { mode: 0o600 });
  return keys;
}

/** The policies that bind them: all that is not said here they cannot do. */
export async function setPolicies(root: Root, keys: Keys, contracts: Contracts, limits: SponsorLimits): Promise<void> {
  const company = companyOf(root);
  const { policies } = await company.getPolicies();
  for (const { userId, ...policy } of policiesFor(keys, contracts, limits)) {
    const wanted = {
      ...policy,
      effect: 'EFFECT_ALLOW',
      language: 'cel',
      consensus: `approvers.exists(user, user.id == '${userId}')`,
    } as const;
    const found = policies.find(({ policyName }) => policyName === policy.policyName);
    if (found) await company.deletePolicy({ policyId: found.policyId });
    await company.createPolicy(wanted);
  }
}

export type SponsorLimits = {
  readonly chainId: Config['chain']['id'];
  /** Sponsored mints within 24 hours, of all users together. */
  readonly mintsPerDay: number;
};

const policiesFor = ({ registrar, sponsor }: Keys, contracts: Contracts, { chainId, mintsPerDay }: SponsorLimits) => [
  {
    policyName: 'passkey-mint: register users',
    userId: registrar.userId,
    condition: "activity.kind == 'CREATE_SUB_ORGANIZATION'",
  },
  {
    policyName: 'passkey-mint: pay for mints',
    userId: sponsor.userId,
    condition: [
      "activity.kind == 'SIGN_RAW_PAYLOAD'",
      `wallet_account.address == '${sponsor.address}'`,
      "eth.eip_712.primary_type == 'Sponsorship'",
      `eth.eip_712.domain.chain_id == ${chainId}`,
      `eth.eip_712.domain.verifying_contract == '${contracts.sponsor}'`,
      `eth.eip_712.values['target'] == '${contracts.nft}'`,
      "eth.eip_712.values['value'] == 0",
      // mint(address,uint256)
      "eth.eip_712.values['data'].startsWith('0x40c10f19')",
      "eth.eip_712.values['maxCost'] <= 0.01 ether",
      "eth.eip_712.values['validUntil'] <= int(now) + 900",
      `activities('SIGN_RAW_PAYLOAD', '24h') < ${mintsPerDay}`,
    ].join('\n&& '),
  },
];

async function createUser(company: Company, name: string): Promise<User> {
  const { publicKey, privateKey } = generateApiKey();
  const { userIds } = await company.createApiOnlyUsers({
    apiOnlyUsers: [{ userName: name, apiKeys: [{ apiKeyName: name, publicKey }] }],
  });
  return { userId: userIds[0] as string, publicKey, privateKey };
}
