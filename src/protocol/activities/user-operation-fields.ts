/** User operations as they come in and go out; what is in them is checked where they are read (src/decode/user-operation). */
import * as v from 'valibot';
import type { JsonObject } from '../json.ts';
import { signWith } from './key-fields.ts';
import { chainId, ethereumAddress } from './smart-account-fields.ts';

/** In the JSON of bundlers (ERC-7769): unpacked, all numbers in hex. Its `signature` may be there and is not read. */
const userOperation = v.pipe(
  v.record(v.string(), v.unknown()),
  v.transform((value) => value as JsonObject),
);

/** Unix seconds; 0 or absent: no bound. */
const seconds = v.exactOptional(v.pipe(v.string(), v.regex(/^\d{1,14}$/, 'expected Unix seconds in decimal digits')));

export const operationForm = {
  signWith,
  chainId,
  entryPoint: ethereumAddress,
  userOperation,
  /** The code that the account runs by EIP-7702, where the operation does not bring its authorization along. */
  delegate: v.exactOptional(ethereumAddress),
  /** Of a Safe's operation, which its owner may bind to a time. */
  validAfter: seconds,
  validUntil: seconds,
};
export type OperationForm = v.InferOutput<v.StrictObjectSchema<typeof operationForm, undefined>>;

/** Decimal wei. */
export const wei = v.pipe(v.string(), v.regex(/^\d{1,78}$/, 'expected wei in decimal digits'));

export const signedOperation = v.object({
  userOpHash: v.string(),
  /** As the account takes it. */
  signature: v.string(),
  /** The whole operation, ready for `eth_sendUserOperation`. */
  userOperation: v.record(v.string(), v.unknown()),
  decoded: v.object({
    calls: v.array(
      v.object({ to: v.string(), value: v.string(), data: v.string(), name: v.string(), depth: v.number() }),
    ),
    callsComplete: v.boolean(),
    opaque: v.boolean(),
    paymaster: v.string(),
    /** Decimal wei. */
    maxCost: v.string(),
    totalValue: v.string(),
  }),
});
