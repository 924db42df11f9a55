import { type Address, concat, type Hex, type SignedAuthorization } from 'viem';
import {
  type SmartAccount,
  toSimple7702SmartAccount as toViemSimple7702SmartAccount,
  type UserOperation,
} from 'viem/account-abstraction';
import type { PrivateKeyAccount } from 'viem/accounts';
import { getChainId, getCode } from 'viem/actions';
import type { CountersignAccount } from './account.ts';

/** A smart account of viem's whose owner's key is in the service. */
export type OwnedSmartAccount<Account extends SmartAccount = SmartAccount> = Account & {
  readonly owner: CountersignAccount;
};

export type SmartAccountOptions<Account extends SmartAccount> = {
  /** Of viem, permissionless and others; made with `owner` as its owner. */
  readonly account: Account;
  readonly owner: CountersignAccount;
  /** Unix seconds between which signatures hold; of a Safe. */
  readonly validAfter?: number;
  readonly validUntil?: number;
};

/**
 * The same account, whose operations the service reads, checks against policies and hashes itself, in place of signing a hash
 * of the account's own. What the account is has to be pinned once (`client.createSmartAccount`, see `smartAccountPin`), except
 * where the code that it runs by EIP-7702 is one that the service knows.
 *
 * An account that runs code by EIP-7702 always has that code in its operations' hash (EntryPoint 0.8 and later), and an
 * authorization that an operation needs is signed together with it, with one stamp.
 */
export function toSmartAccount<Account extends SmartAccount>(
  options: SmartAccountOptions<Account>,
): OwnedSmartAccount<Account> {
  const { account, owner, validAfter, validUntil } = options;
  const delegate = delegateOf(account);
  const overrides: Partial<SmartAccount> = {
    ...(delegate && runningDelegate(account, delegate)),
    async signUserOperation(given) {
      const { chainId = await chainIdOf(account), ...operation } = given;
      const signed = await owner.signOperation({
        chainId,
        entryPoint: account.entryPoint.address,
        userOperation: { ...operation, sender: account.address } as UserOperation,
        delegate,
        validAfter,
        validUntil,
      });
      fillIn(given.authorization as SignedAuthorization | undefined, signed.userOperation.eip7702Auth);
      return signed.signature;
    },
  };
  return { ...account, ...overrides, owner };
}

/**
 * viem's account of an address that runs Simple7702Account by EIP-7702, owned by a key in the service: no deployment, no
 * pinning. `client` is of the chain.
 */
export async function toSimple7702SmartAccount(
  parameters: Omit<Parameters<typeof toViemSimple7702SmartAccount>[0], 'owner'> & { owner: CountersignAccount },
) {
  const { owner } = parameters;
  // viem's type asks for a private key, its code for an account.
  const account = await toViemSimple7702SmartAccount({ ...parameters, owner: owner as unknown as PrivateKeyAccount });
  return toSmartAccount({ account, owner });
}

/** The code that an account runs by EIP-7702. */
export const delegateOf = (account: SmartAccount): Address | undefined => account.authorization?.address;

export const chainIdOf = async ({ client }: SmartAccount): Promise<number> => client.chain?.id ?? getChainId(client);

const eip7702Flag = '0x7702';

function runningDelegate({ client, address, entryPoint }: SmartAccount, delegate: Address): Partial<SmartAccount> {
  const code = concat(['0xef0100', delegate]).toLowerCase();
  return {
    /** Whether it runs this very code. */
    isDeployed: async () => (await getCode(client, { address }))?.toLowerCase() === code,
    /** The flag binds the code, not only at the first operation; EntryPoint 0.7 does not know it. */
    getFactoryArgs: async () =>
      entryPoint.version >= '0.8' ? { factory: eip7702Flag, factoryData: '0x' } : { factory: undefined },
  };
}

/** viem sends the very object that it had signed; in place of its stand-in goes the signature that came with the operation's. */
function fillIn(authorization: SignedAuthorization | undefined, signed: unknown): void {
  if (!authorization || !signed || !isStandIn(authorization)) return;
  const { r, s, yParity } = signed as Record<'r' | 's' | 'yParity', Hex>;
  Object.assign(authorization, { r, s, yParity: Number(yParity) });
}

/** As `prepareUserOperation` makes it; no signature has an r with so many zeros. */
const isStandIn = ({ r }: Partial<SignedAuthorization>): boolean => !r || /^0xf{31}0{33}$/.test(r);
