import { invalidArgument } from '../../protocol/errors.ts';
import { keccak256 } from '../keccak.ts';
import { accountRules, type SmartAccount } from './account-kinds.ts';
import { userOperationHash } from './hash.ts';
import { word } from './hash-words.ts';
import { nonceMode } from './nonce.ts';
import { safeOperationDigest } from './safe-operation.ts';
import type { UserOperation } from './user-operation.ts';

/** Coinbase Smart Wallet, `executeWithoutChainIdValidation`. */
const withoutChainId = '2c2abd1e';
const personalPrefix = Buffer.from('\x19Ethereum Signed Message:\n32');

/**
 * The 32 bytes that the key of the account's owner signs. Throws INVALID_ARGUMENT where there are no such accounts for the
 * EntryPoint, and for operations that would be valid on every chain.
 */
export function digestToSign(operation: UserOperation, account: SmartAccount): Buffer {
  const { entryPoints, signs } = accountRules[account.kind];
  if (!entryPoints.includes(operation.entryPoint.version)) {
    throw invalidArgument(`there is no ${account.kind} account for EntryPoint ${operation.entryPoint.version}`);
  }
  checkOneChain(operation, account);
  switch (signs) {
    case 'hash':
      return userOperationHash(operation);
    case 'personal_message':
      return keccak256(personalPrefix, userOperationHash(operation));
    case 'safe_operation':
      return safeOperationDigest(operation, account);
  }
}

/** What Coinbase Smart Wallet takes on every chain has another hash; the one of this chain would not be valid on any. */
function checkOneChain({ nonce, callData }: UserOperation, { kind }: SmartAccount): void {
  const isReplayable = nonceMode(kind, nonce) === 'replayable' || callData.toString('hex', 0, 4) === withoutChainId;
  if (kind === 'coinbase' && isReplayable) {
    throw invalidArgument('invalid user operation: it would be valid on every chain, which is not supported');
  }
}

/** Biconomy's ECDSA ownership registry module. */
const biconomyValidator = '0x0000001c5b32f37f5bea87bdd5374eb2ac54ea8e';

/** The operation's `signature` field: the owner's signature, r ‖ s ‖ v with v of 27 or 28 (65 bytes), as the account takes it. */
export function wrapSignature(signature: Buffer, account: SmartAccount): Buffer {
  switch (account.kind) {
    case 'kernel-2':
      // Mode 0: the account's default validator.
      return Buffer.concat([Buffer.alloc(4), signature]);
    case 'safe-4337':
      return Buffer.concat([time(account.validAfter), time(account.validUntil), signature]);
    case 'coinbase':
      // One struct, SignatureWrapper.
      return Buffer.concat([word(32n), word(account.ownerIndex ?? 0n), word(64n), abiBytes(signature)]);
    case 'openfort-7702':
      // A key of type 0: EOA.
      return Buffer.concat([word(0n), word(64n), abiBytes(signature)]);
    case 'biconomy':
      return Buffer.concat([word(64n), word(account.validator ?? biconomyValidator), abiBytes(signature)]);
    case 'light-2':
      // An owner of type 0: EOA.
      return Buffer.concat([Buffer.alloc(1), signature]);
    default:
      return signature;
  }
}

/** A uint48. */
const time = (seconds: bigint | undefined): Buffer => word(seconds ?? 0n).subarray(26);

/** The tail of `bytes` in the contract ABI. */
const abiBytes = (bytes: Buffer): Buffer =>
  Buffer.concat([word(BigInt(bytes.length)), bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)]);
