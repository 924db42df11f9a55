import { keccak256 } from '../keccak.ts';
import { halfWord, textHash, typedDigest, word } from './hash-words.ts';
import { paymasterSignatureMagic, type UserOperation } from './user-operation.ts';

/** Hashing takes longer than reading, and the hash is asked for by who signs and by who answers. */
const hashes = new WeakMap<UserOperation, Buffer>();

/** The hash that the EntryPoint has for the operation (`getUserOpHash` of its version): 32 bytes. */
export function userOperationHash(operation: UserOperation): Buffer {
  const known = hashes.get(operation);
  if (known) return known;
  const hash = computeHash(operation);
  hashes.set(operation, hash);
  return hash;
}

function computeHash(operation: UserOperation): Buffer {
  const { chainId, entryPoint } = operation;
  if (entryPoint.version === '0.6' || entryPoint.version === '0.7') {
    return keccak256(keccak256(...fieldWords(operation)), word(entryPoint.address), word(chainId));
  }
  return typedDigest(domainSeparator(chainId, entryPoint.address), keccak256(packedTypeHash, ...fieldWords(operation)));
}

let lastDomain: { readonly chainId: bigint; readonly address: string; readonly separator: Buffer } | undefined;

/** Most operations are for the chain and the EntryPoint of the one before. */
function domainSeparator(chainId: bigint, address: string): Buffer {
  if (lastDomain?.chainId !== chainId || lastDomain.address !== address) {
    const separator = keccak256(domainTypeHash, nameHash, versionHash, word(chainId), word(address));
    lastDomain = { chainId, address, separator };
  }
  return lastDomain.separator;
}

/** The fields as the EntryPoint encodes them to hash them: `bytes` as their hashes, and two integers a word from 0.7 on. */
function fieldWords(operation: UserOperation): Buffer[] {
  const { verificationGasLimit, callGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas } = operation;
  const gas =
    operation.entryPoint.version === '0.6'
      ? [callGasLimit, verificationGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas].map(word)
      : [
          halfWord(verificationGasLimit),
          halfWord(callGasLimit),
          word(preVerificationGas),
          halfWord(maxPriorityFeePerGas),
          halfWord(maxFeePerGas),
        ];
  return [
    word(operation.sender),
    word(operation.nonce),
    bytesHash(signedInitCode(operation)),
    keccak256(operation.callData),
    ...gas,
    bytesHash(signedPaymasterAndData(operation)),
  ];
}

/** `initCode` as it is hashed: with EIP-7702 the delegate stands for the flag (EntryPoint 0.8, `Eip7702Support`). */
export function signedInitCode({ factory, factoryData, delegate, delegateBound }: UserOperation): Buffer[] {
  return factory === null ? [] : [address((delegateBound ? delegate : factory) as string), factoryData];
}

/** `paymasterAndData` as it is hashed: of the paymaster's signature in 0.9 only that there is one. */
export function signedPaymasterAndData(operation: UserOperation): Buffer[] {
  const { paymaster, paymasterData, entryPoint } = operation;
  if (paymaster === null) return [];
  if (entryPoint.version === '0.6') return [address(paymaster), paymasterData];
  return [
    address(paymaster),
    halfWord(operation.paymasterVerificationGasLimit),
    halfWord(operation.paymasterPostOpGasLimit),
    paymasterData,
    ...(operation.paymasterSigned ? [paymasterSignatureMagic] : []),
  ];
}

const emptyHash = keccak256();

/** The hash of `bytes` that are given in parts. */
export const bytesHash = (parts: readonly Buffer[]): Buffer => (parts.length === 0 ? emptyHash : keccak256(...parts));

const address = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex');

const domainTypeHash = textHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)');
const nameHash = textHash('ERC4337');
const versionHash = textHash('1');
const packedTypeHash = textHash(
  'PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)',
);
