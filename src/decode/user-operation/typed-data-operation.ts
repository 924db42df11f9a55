/** A user operation that comes as the typed data whose hash EntryPoint 0.8 and later have for it. */
import type { JsonObject } from '../../protocol/json.ts';
import { hexToBytes } from '../hex.ts';
import { parseInteger } from '../integer.ts';
import { isObject } from '../json-text.ts';
import { hashTypedData, parseTypedData } from '../typed-data.ts';
import { userOperationHash } from './hash.ts';
import {
  type EntryPoint,
  eip7702Flag,
  paymasterSignatureMagic,
  readUserOperation,
  type UserOperation,
} from './user-operation.ts';

/** What has to be known of the account: the packed fields alone do not tell a delegate from a factory. */
export type TypedDataContext = {
  readonly entryPointOf: (address: string) => EntryPoint | undefined;
  readonly isDelegate: (sender: string, address: string) => boolean;
};

/**
 * The operation that typed data with the domain `ERC4337` are; undefined where they are not one or cannot be read as one. What is
 * returned has the very hash that would be signed.
 */
export function readTypedDataOperation(text: string, context: TypedDataContext): UserOperation | undefined {
  const { primaryType, domain, message } = parseTypedData(text);
  if (primaryType !== 'PackedUserOperation' || domain.name !== 'ERC4337' || !isObject(message)) return undefined;
  const entryPoint = context.entryPointOf(addressOf(domain.verifyingContract));
  const chainId = parseInteger(domain.chainId);
  if (!entryPoint || chainId === undefined) return undefined;
  const account = unpackInitCode(message, context);
  const { delegate, ...fields } = account;
  try {
    const operation = readUserOperation(
      { ...unpack(message), ...fields },
      { chainId, entryPoint, ...(delegate && { delegate }) },
      'parameters.payload.message',
    );
    return userOperationHash(operation).equals(hashTypedData(text)) ? operation : undefined;
  } catch {
    return undefined;
  }
}

function unpack(message: JsonObject): JsonObject {
  const gas = bytesOf(message.accountGasLimits);
  const fees = bytesOf(message.gasFees);
  return {
    sender: message.sender ?? null,
    nonce: message.nonce ?? null,
    callData: message.callData ?? null,
    preVerificationGas: message.preVerificationGas ?? null,
    verificationGasLimit: hex(gas.subarray(0, 16)),
    callGasLimit: hex(gas.subarray(16)),
    maxPriorityFeePerGas: hex(fees.subarray(0, 16)),
    maxFeePerGas: hex(fees.subarray(16)),
    ...unpackPaymaster(bytesOf(message.paymasterAndData)),
  };
}

function unpackPaymaster(all: Buffer): JsonObject {
  if (all.length === 0) return {};
  const data = all.subarray(52);
  const isSignedLater = data.subarray(-8).equals(paymasterSignatureMagic);
  return {
    paymaster: hex(all.subarray(0, 20)),
    paymasterVerificationGasLimit: hex(all.subarray(20, 36)),
    paymasterPostOpGasLimit: hex(all.subarray(36, 52)),
    paymasterData: hex(isSignedLater ? data.subarray(0, -8) : data),
    ...(isSignedLater && { paymasterSignature: '0x' }),
  };
}

function unpackInitCode(message: JsonObject, { isDelegate }: TypedDataContext): JsonObject & { delegate?: string } {
  const all = bytesOf(message.initCode);
  if (all.length === 0) return {};
  const [address, factoryData] = [hex(all.subarray(0, 20)), hex(all.subarray(20))];
  const isRun = isDelegate(addressOf(message.sender), address);
  return isRun ? { factory: eip7702Flag, factoryData, delegate: address } : { factory: address, factoryData };
}

/** The types may make anything of what has to be an address; then the hash differs. */
const addressOf = (value: unknown): string => (typeof value === 'string' ? value.toLowerCase() : '');

/** What is no hex becomes nothing, and then the hash differs. */
const bytesOf = (value: unknown): Buffer => (typeof value === 'string' && hexToBytes(value)) || Buffer.alloc(0);

const hex = (bytes: Buffer): string => `0x${bytes.toString('hex')}`;
