/** User operations as an application sends them: three calls in a batch, sponsored, of an EOA that runs Simple7702Account. */
import { randomBytes, randomInt } from 'node:crypto';
import { encodeFunctionData, erc20Abi, getAddress, type Hex, parseAbi } from 'viem';
import { entryPoint08Address, getUserOperationHash } from 'viem/account-abstraction';

const delegate = '0xe6Cae83BdE06E4c305530e199D7217f42808555B';
const chainId = 8453;
const [nft, token, sponsor] = ['22', '44', '33'].map((byte) => getAddress(`0x${byte.repeat(20)}`)) as [Hex, Hex, Hex];
const abi = parseAbi([
  'function executeBatch((address target, uint256 value, bytes data)[] calls)',
  'function mint(address to, uint256 amount)',
]);

/** Reads all that such an operation says, and refuses all others: binds the root quorum, and every operation is checked by it. */
export const operationGuard = {
  policyName: 'only what the application does',
  effect: 'EFFECT_GUARD',
  language: 'cel',
  condition:
    `userop.chain_id != ${chainId} || userop.opaque || userop.is_admin || userop.try_mode || userop.nonce_mode != 'plain'` +
    ` || userop.total_value > 0 || userop.paymaster != address('${sponsor}') || userop.max_cost > 0.01 ether` +
    ` || !userop.calls.all(c, c.to in [address('${nft}'), address('${token}')])` +
    " || !userop.transfers.all(t, t.kind == 'approval' || t.amount <= 1000000)",
  notes: '',
};

/** Parameters of `sign_user_operation`, and the hash as viem computes it, which is what is to be signed. */
export function randomOperation(sender: string): { readonly parameters: object; readonly digest: () => Buffer } {
  const amount = () => BigInt(randomInt(1, 1_000_000));
  const account = sender as Hex;
  const call = (target: Hex, data: Hex) => ({ target, value: 0n, data });
  const calls = [
    call(token, encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [nft, amount()] })),
    call(nft, encodeFunctionData({ abi, functionName: 'mint', args: [account, amount()] })),
    call(token, encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [sponsor, amount()] })),
  ];
  const numbers = {
    nonce: `0x${randomBytes(16).toString('hex')}0000000000000000`,
    callGasLimit: '0x30d40',
    verificationGasLimit: '0x186a0',
    preVerificationGas: '0xc350',
    maxFeePerGas: '0x77359400',
    maxPriorityFeePerGas: '0x3b9aca00',
    paymasterVerificationGasLimit: '0x13880',
    paymasterPostOpGasLimit: '0x0',
  };
  const bytes = {
    sender: account,
    factory: '0x7702',
    factoryData: '0x',
    callData: encodeFunctionData({ abi, functionName: 'executeBatch', args: [calls] }),
    paymaster: sponsor,
    paymasterData: `0x${randomBytes(71).toString('hex')}`,
  } as const;
  const hash = () =>
    getUserOperationHash({
      chainId,
      entryPointAddress: entryPoint08Address,
      entryPointVersion: '0.8',
      userOperation: {
        ...bytes,
        ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value)])),
        authorization: { address: delegate },
      } as never,
    });
  return {
    parameters: {
      signWith: sender,
      chainId: String(chainId),
      entryPoint: entryPoint08Address,
      delegate,
      userOperation: { ...bytes, ...numbers },
    },
    digest: () => Buffer.from(hash().slice(2), 'hex'),
  };
}
