/** Users live in Countersign alone: each is a sub-organization with a passkey and a wallet. There is no other database. */
import type { Address } from 'viem';
import { apiKeyStamper, type Client, createClient } from '../../../sdk/src/index.ts';
import { AppError } from './app-error.ts';
import type { Config } from './config.ts';

/** A new passkey, as `createPasskey` of the SDK gives it in the browser. */
export type Registration = Omit<
  Parameters<Client['createAuthenticators']>[0]['authenticators'][0],
  'authenticatorName'
>;

const ethereumAccount = {
  curve: 'CURVE_SECP256K1',
  pathFormat: 'PATH_FORMAT_BIP32',
  path: "m/44'/60'/0'/0/0",
  addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
} as const;

export function createUsers({ countersign, registrar }: Pick<Config, 'countersign' | 'registrar'>) {
  const client = createClient({ ...countersign, stamp: apiKeyStamper(registrar) });
  let last: Promise<unknown> = Promise.resolve();

  async function create(email: string, registration: Registration): Promise<void> {
    const { organizationIds } = await client.getSubOrgIds({ filterType: 'EMAIL', filterValue: email });
    if (organizationIds.length > 0) throw new AppError('email-taken', `${email} is taken. Is it yours? Then sign in.`);
    await client.createSubOrganization({
      subOrganizationName: email,
      rootQuorumThreshold: 1,
      rootUsers: [
        {
          userName: email,
          userEmail: email,
          authenticators: [{ authenticatorName: 'First passkey', ...registration }],
        },
      ],
      wallet: { walletName: 'Wallet', accounts: [ethereumAccount] },
    });
  }

  return {
    /** `email` is a name to be found by: nobody has checked whose it is, and it is no way in. */
    register(email: string, registration: Registration): Promise<void> {
      // One after the other, so that two at once do not both find the e-mail free.
      const done = last.then(() => create(email, registration));
      last = done.catch(() => {});
      return done;
    },

    async read(organizationId: string, userId: string) {
      const [{ accounts }, { user }, { policies }] = await Promise.all([
        client.getWalletAccounts({ organizationId }),
        client.getUser({ organizationId, userId }),
        client.getPolicies({ organizationId }),
      ]);
      return {
        address: accounts[0]?.address as Address,
        passkeys: user.authenticators.map(({ authenticatorName, credentialId }) => ({
          name: authenticatorName,
          credentialId,
        })),
        rules: policies.map(({ policyId, policyName }) => ({ policyId, name: policyName })),
      };
    },

    async history(organizationId: string) {
      const { activities } = await client.getActivities({ organizationId, paginationOptions: { limit: '20' } });
      return activities.map(({ id, type, status, createdAt }) => ({
        id,
        type,
        status,
        at: Number(createdAt.seconds) * 1000,
      }));
    },

    async explain(organizationId: string, activityId: string) {
      const { decision, explanation, problem } = await client.explainActivity({ organizationId, activityId });
      return { outcome: decision.outcome, text: explanation?.text ?? problem ?? '' };
    },
  };
}
