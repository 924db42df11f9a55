/** The operation of the vectors that were checked against the EntryPoints on a chain, and ways to make others. */
import { encodeFunctionData, type Hex, parseAbi } from 'viem';
import type { InterfaceOf } from '../../../../src/decode/facts/calls.ts';
import type { AccountKind, SmartAccount } from '../../../../src/decode/user-operation/account-kinds.ts';
import { accountRules } from '../../../../src/decode/user-operation/account-kinds.ts';
import { userOperationFacts } from '../../../../src/decode/user-operation/facts.ts';
import {
  type EntryPointVersion,
  entryPoints,
  type OperationContext,
  readUserOperation,
  type UserOperation,
} from '../../../../src/decode/user-operation/user-operation.ts';
import type { JsonObject } from '../../../../src/protocol/json.ts';

export const sender = `0x${'11'.repeat(20)}` as const;
export const target = `0x${'22'.repeat(20)}` as const;
export const paymaster = `0x${'33'.repeat(20)}` as const;
export const delegate = '0xe6Cae83BdE06E4c305530e199D7217f42808555B';
export const mint = '0x1249c58b';

export const executeAbi = parseAbi(['function execute(address,uint256,bytes)']);
export const execute = (to: Hex, value: bigint, data: Hex): Hex =>
  encodeFunctionData({ abi: executeAbi, functionName: 'execute', args: [to, value, data] });

export const entryPointOf = (version: EntryPointVersion) => ({
  address: [...entryPoints].find(([, each]) => each === version)?.[0] as Hex,
  version,
});

export const contextOf = (version: EntryPointVersion, chainId = 31337n): OperationContext => ({
  chainId,
  entryPoint: entryPointOf(version),
});

const common = {
  sender,
  nonce: '0x7',
  callData: execute(target, 0n, mint),
  callGasLimit: '0x186a0',
  verificationGasLimit: '0x30d40',
  preVerificationGas: '0xc350',
  maxFeePerGas: '0x77359400',
  maxPriorityFeePerGas: '0x3b9aca00',
};

/** The JSON of the vectors' operation. */
export const given = (version: EntryPointVersion): JsonObject =>
  version === '0.6'
    ? { ...common, initCode: '0x', paymasterAndData: `${paymaster}abcd` }
    : {
        ...common,
        paymaster,
        paymasterVerificationGasLimit: '0x7530',
        paymasterPostOpGasLimit: '0x9c40',
        paymasterData: '0xabcd',
      };

export const operationOf = (version: EntryPointVersion, changes: JsonObject = {}): UserOperation =>
  readUserOperation({ ...given(version), ...changes }, contextOf(version), 'parameters.userOperation');

const unknownInterfaces: InterfaceOf = () => undefined;
export const owner = `0x${'77'.repeat(20)}`;

/** The facts of an operation with this calldata, of an account of this kind. */
export function factsOf(
  kind: AccountKind,
  callData: Hex,
  changes: JsonObject = {},
  account: Partial<SmartAccount> = {},
) {
  const version = accountRules[kind].entryPoints[0] as EntryPointVersion;
  return userOperationFacts(
    operationOf(version, { callData, ...changes }),
    { kind, ...account },
    owner,
    unknownInterfaces,
  );
}
