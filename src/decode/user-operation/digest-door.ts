import { payloadBytes } from '../payload.ts';
import { parseTypedData } from '../typed-data.ts';
import { safeModules } from './safe-operation.ts';
import { entryPoints } from './user-operation.ts';

type RawPayload = { readonly payload: string; readonly encoding: string; readonly hashFunction: string };

/**
 * Whether what is signed for a raw payload could be what a smart account takes as its owner's consent to a user operation: a bare
 * digest, the hash of a digest as a personal message, what a digest is hashed from, or typed data of an EntryPoint or of
 * Safe4337Module. A key that owns a smart account has to sign these as user operations. May throw as signing it would.
 */
export function isUserOperationDigestDoor({ payload, encoding, hashFunction }: RawPayload): boolean {
  if (encoding === 'PAYLOAD_ENCODING_EIP712') return isOperationTypedData(payload);
  if (encoding === 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION') return false;
  if (hashFunction === 'HASH_FUNCTION_NO_OP') return true;
  return hashFunction === 'HASH_FUNCTION_KECCAK256' && isPreimage(payloadBytes(payload, encoding));
}

const types = ['PackedUserOperation', 'UserOperation', 'SafeOp'];
const domainName = 'ERC4337';
const contracts: ReadonlySet<string> = new Set([...entryPoints.keys(), ...safeModules]);

/** One of these is in the text of all such typed data, unless a letter of it is escaped: parsing is what takes time. */
const sign = new RegExp(['\\\\u', ...types, domainName, ...contracts].join('|'), 'i');

function isOperationTypedData(text: string): boolean {
  if (!sign.test(text)) return false;
  const { primaryType, domain } = parseTypedData(text);
  const contract = typeof domain.verifyingContract === 'string' ? domain.verifyingContract.toLowerCase() : '';
  return types.includes(primaryType) || domain.name === domainName || contracts.has(contract);
}

const personalDigest = Buffer.from('\x19Ethereum Signed Message:\n32');

function isPreimage(bytes: Buffer): boolean {
  // EIP-712: the hashes of a domain and of a struct, which may be those of an operation.
  if (bytes.length === 66 && bytes[0] === 0x19 && bytes[1] === 0x01) return true;
  if (bytes.length === personalDigest.length + 32 && bytes.subarray(0, personalDigest.length).equals(personalDigest)) {
    return true;
  }
  // EntryPoint 0.6 and 0.7: a hash, the EntryPoint in 32 bytes, and the chain, which Coinbase Smart Wallet may leave out.
  const hasAddress = bytes.subarray(32, 44).every((byte) => byte === 0);
  return (bytes.length === 96 || bytes.length === 64) && hasAddress;
}
