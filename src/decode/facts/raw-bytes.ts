/** What bytes are that are hashed and signed as they stand: the forms that Ethereum knows, or nothing that can be seen. */
import { CountersignError } from '../../protocol/errors.ts';
import type { Authorization } from '../authorization.ts';
import { decodeUnsignedTransaction, type EthereumTransaction } from '../ethereum-transaction.ts';
import { itemReader } from '../ethereum-transaction-items.ts';
import { bytesToHex } from '../hex.ts';
import { decodeRlp, RlpError } from '../rlp.ts';

export type RawBytes =
  | { readonly kind: 'transaction'; readonly transaction: EthereumTransaction }
  | { readonly kind: 'authorization'; readonly authorization: Authorization }
  /** EIP-191 version 0x45; `message` is what follows the length. */
  | { readonly kind: 'personal_message'; readonly message: Buffer }
  /** EIP-712: the hashes of a domain and of a message. */
  | { readonly kind: 'typed_data_hashes' }
  /** EIP-191 version 0. */
  | { readonly kind: 'validator_data' }
  | { readonly kind: 'other' };

const personalPrefix = Buffer.from('\x19Ethereum Signed Message:\n', 'latin1');

/** What a Keccak-256 over `bytes` is a digest of. Never throws: what is not of a form to the letter is `other`. */
export function classifyBytes(bytes: Buffer): RawBytes {
  const first = bytes[0] as number;
  if (first === 0x19) return classifySignedData(bytes);
  if (first === 0x05) return readAuthorization(bytes);
  if (first >= 0xc0 || (first >= 1 && first <= 4 && (bytes[1] ?? 0) >= 0xc0)) return readTransaction(bytes);
  return other;
}

const other: RawBytes = { kind: 'other' };

/** EIP-191: 0x19, a version, and the data of that version. */
function classifySignedData(bytes: Buffer): RawBytes {
  if (bytes[1] === 0x01 && bytes.length === 66) return { kind: 'typed_data_hashes' };
  if (bytes[1] === 0x00 && bytes.length >= 22) return { kind: 'validator_data' };
  if (!bytes.subarray(0, personalPrefix.length).equals(personalPrefix)) return other;
  const rest = bytes.subarray(personalPrefix.length);
  // Only one number of digits can fit what is left.
  for (let digits = 1; digits <= 6 && digits <= rest.length; digits++) {
    const message = rest.subarray(digits);
    if (rest.toString('latin1', 0, digits) === String(message.length)) return { kind: 'personal_message', message };
  }
  return other;
}

function readTransaction(bytes: Buffer): RawBytes {
  try {
    return { kind: 'transaction', transaction: decodeUnsignedTransaction(bytesToHex(bytes)) };
  } catch (error) {
    if (error instanceof CountersignError) return other;
    throw error;
  }
}

/** EIP-7702: 0x05 ‖ rlp([chainId, address, nonce]). */
function readAuthorization(bytes: Buffer): RawBytes {
  try {
    const items = decodeRlp(bytes.subarray(1));
    if (Buffer.isBuffer(items) || items.length !== 3 || items[1]?.length !== 20) return other;
    const next = itemReader(items);
    const authorization = {
      chainId: next.uint256('chainId'),
      address: next.bytes('address'),
      nonce: next.uint64('nonce'),
    };
    return { kind: 'authorization', authorization };
  } catch (error) {
    if (error instanceof RlpError) return other;
    throw error;
  }
}
