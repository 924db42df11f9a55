import { bytesToHex } from '../hex.ts';
import { eip7702Flag, type UserOperation } from './user-operation.ts';

/** The operation in the JSON of bundlers (ERC-7769), without signature and authorization. */
export function writeUserOperation(operation: UserOperation): Record<string, string> {
  const { sender, nonce, callData, factory, factoryData, entryPoint } = operation;
  const isOld = entryPoint.version === '0.6';
  return {
    sender,
    nonce: quantity(nonce),
    ...(isOld ? { initCode: joined(factory, factoryData) } : writeFactory(factory, factoryData)),
    callData: bytesToHex(callData),
    callGasLimit: quantity(operation.callGasLimit),
    verificationGasLimit: quantity(operation.verificationGasLimit),
    preVerificationGas: quantity(operation.preVerificationGas),
    maxFeePerGas: quantity(operation.maxFeePerGas),
    maxPriorityFeePerGas: quantity(operation.maxPriorityFeePerGas),
    ...(isOld ? { paymasterAndData: joined(operation.paymaster, operation.paymasterData) } : writePaymaster(operation)),
  };
}

function writeFactory(factory: string | null, data: Buffer): Record<string, string> {
  if (factory === null) return {};
  // viem and bundlers know the flag by its two bytes.
  return { factory: factory === eip7702Flag ? '0x7702' : factory, factoryData: bytesToHex(data) };
}

function writePaymaster(operation: UserOperation): Record<string, string> {
  const { paymaster, paymasterData, paymasterVerificationGasLimit, paymasterPostOpGasLimit } = operation;
  if (paymaster === null) return {};
  return {
    paymaster,
    paymasterData: bytesToHex(paymasterData),
    paymasterVerificationGasLimit: quantity(paymasterVerificationGasLimit),
    paymasterPostOpGasLimit: quantity(paymasterPostOpGasLimit),
  };
}

const joined = (address: string | null, data: Buffer): string =>
  address === null ? '0x' : `${address}${data.toString('hex')}`;

const quantity = (value: bigint): string => `0x${value.toString(16)}`;
