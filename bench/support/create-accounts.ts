/** Sub-organizations made through the service's API, as a company's backend does. */
import { makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import type { Registration } from '../../src/stamping/stamp.ts';
import type { Account } from './load.ts';
import type { Root } from './service.ts';
import { submit } from './submit.ts';

/** Requests that are under way at once. */
const atOnce = 16;

type Created = { subOrganizationId: string; wallet: { addresses: string[] } };

/** One sub-organization for each passkey's registration, with a wallet of one Ethereum account; in their order. */
export async function createAccounts(
  port: number,
  root: Root,
  registrations: readonly Registration[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Account[]> {
  const accounts: Account[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < registrations.length; index = next++) {
      accounts[index] = await createAccount(port, root, registrations[index] as Registration, index, headers);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return accounts;
}

async function createAccount(
  port: number,
  root: Root,
  registration: Registration,
  index: number,
  headers: Readonly<Record<string, string>>,
): Promise<Account> {
  const stamper = { stamp: (body: string) => makeApiKeyStamp(body, root.apiKey) };
  const asked = {
    type: 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V7',
    organizationId: root.organizationId,
    parameters: {
      subOrganizationName: `bench ${index}`,
      rootQuorumThreshold: 1,
      rootUsers: [
        {
          userName: 'user',
          apiKeys: [],
          authenticators: [{ authenticatorName: 'passkey', ...registration }],
          oauthProviders: [],
        },
      ],
      wallet: {
        walletName: 'wallet',
        accounts: [
          {
            curve: 'CURVE_SECP256K1',
            pathFormat: 'PATH_FORMAT_BIP32',
            path: "m/44'/60'/0'/0/0",
            addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
          },
        ],
      },
    },
  };
  const created = await submit(port, stamper, 'create_sub_organization', asked, headers);
  const { subOrganizationId, wallet } = created as Created;
  return { organizationId: subOrganizationId, address: wallet.addresses[0] as string };
}
