/** The fields of a user operation that may be filled in after an intent was stamped: gas, fees and sponsor. */
export const completable: ReadonlySet<string> = new Set([
  'callGasLimit',
  'verificationGasLimit',
  'preVerificationGas',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'paymaster',
  'paymasterData',
  'paymasterVerificationGasLimit',
  'paymasterPostOpGasLimit',
  'paymasterSignature',
  'paymasterAndData',
]);
