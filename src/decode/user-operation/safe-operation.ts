/** What the owners of a Safe sign for Safe4337Module (github.com/safe-global/safe-modules, version 0.2.0 and 0.3.0). */
import { keccak256 } from '../keccak.ts';
import type { SmartAccount } from './account-kinds.ts';
import { bytesHash, signedInitCode, signedPaymasterAndData } from './hash.ts';
import { textHash, typedDigest, word } from './hash-words.ts';
import type { UserOperation } from './user-operation.ts';

/** By version of the EntryPoint. Lower case. */
const modules: ReadonlyMap<string, string> = new Map([
  ['0.6', '0xa581c4a4db7175302464ff3c06380bc3270b4037'],
  ['0.7', '0x75cf11467937ce3f2f357ce24ffc3dbf8fd5c226'],
]);

export const safeModules: ReadonlySet<string> = new Set(modules.values());

export const safeOperationTypes = {
  '0.6':
    'SafeOp(address safe,uint256 nonce,bytes initCode,bytes callData,uint256 callGasLimit,uint256 verificationGasLimit,uint256 preVerificationGas,uint256 maxFeePerGas,uint256 maxPriorityFeePerGas,bytes paymasterAndData,uint48 validAfter,uint48 validUntil,address entryPoint)',
  '0.7':
    'SafeOp(address safe,uint256 nonce,bytes initCode,bytes callData,uint128 verificationGasLimit,uint128 callGasLimit,uint256 preVerificationGas,uint128 maxPriorityFeePerGas,uint128 maxFeePerGas,bytes paymasterAndData,uint48 validAfter,uint48 validUntil,address entryPoint)',
};

const domainTypeHash = textHash('EIP712Domain(uint256 chainId,address verifyingContract)');
const typeHashes = { '0.6': textHash(safeOperationTypes['0.6']), '0.7': textHash(safeOperationTypes['0.7']) };

/** The EIP-712 digest of the SafeOp: 32 bytes. */
export function safeOperationDigest(operation: UserOperation, account: SmartAccount): Buffer {
  const { entryPoint, chainId, sender, nonce, callData } = operation;
  const version = entryPoint.version as '0.6' | '0.7';
  const module = account.module ?? (modules.get(version) as string);
  const { callGasLimit, verificationGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas } = operation;
  const gas =
    version === '0.6'
      ? [callGasLimit, verificationGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas]
      : [verificationGasLimit, callGasLimit, preVerificationGas, maxPriorityFeePerGas, maxFeePerGas];
  const structHash = keccak256(
    typeHashes[version],
    word(sender),
    word(nonce),
    bytesHash(signedInitCode(operation)),
    keccak256(callData),
    ...gas.map(word),
    bytesHash(signedPaymasterAndData(operation)),
    word(account.validAfter ?? 0n),
    word(account.validUntil ?? 0n),
    word(entryPoint.address),
  );
  return typedDigest(keccak256(domainTypeHash, word(chainId), word(module)), structHash);
}
