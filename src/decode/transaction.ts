import { CountersignError } from '../protocol/errors.ts';
import { decodeUnsignedTransaction, type EthereumTransaction } from './ethereum-transaction.ts';

/**
 * Decodes `unsignedTransaction` as the wire protocol's `type` says. Throws UNIMPLEMENTED that names a type other than
 * `TRANSACTION_TYPE_ETHEREUM`, and what `decodeUnsignedTransaction` throws.
 */
export function decodeTransaction(type: string, unsignedTransaction: string): EthereumTransaction {
  if (type === 'TRANSACTION_TYPE_ETHEREUM') return decodeUnsignedTransaction(unsignedTransaction);
  throw new CountersignError('UNIMPLEMENTED', `transaction type not implemented: ${type}`, {
    reason: 'UNSUPPORTED_TRANSACTION_TYPE',
  });
}
