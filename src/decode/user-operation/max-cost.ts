import type { UserOperation } from './user-operation.ts';

/**
 * The most that the operation can cost in wei, whoever pays: all gas limits at the highest fee. EntryPoint 0.6 takes the limit of
 * the verification once more for the paymaster's, and once more for its `postOp`.
 */
export function maxCostOf(operation: UserOperation): bigint {
  const { entryPoint, paymaster, verificationGasLimit } = operation;
  const verifications = entryPoint.version === '0.6' && paymaster !== null ? 3n : 1n;
  const gas =
    operation.callGasLimit +
    verificationGasLimit * verifications +
    operation.preVerificationGas +
    operation.paymasterVerificationGasLimit +
    operation.paymasterPostOpGasLimit;
  return gas * operation.maxFeePerGas;
}
