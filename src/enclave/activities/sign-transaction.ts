import { signedTransaction } from '../../decode/ethereum-transaction.ts';
import { decodeTransaction } from '../../decode/transaction.ts';
import type { signTransaction } from '../../protocol/activities/sign-transaction.ts';
import type { Effect } from '../effect.ts';
import { signBytes } from '../keys/curve.ts';
import { invalidField } from './refusals.ts';
import { findSigner } from './signers.ts';

export const signTransactionEffect: Effect<typeof signTransaction> = async (context, parameters) => {
  const signer = findSigner(context.organization, parameters.signWith);
  const transaction = decodeTransaction(parameters.type, parameters.unsignedTransaction);
  if (signer.curve !== 'CURVE_SECP256K1') throw invalidField('parameters.signWith', 'invalid curve');
  const signature = await context.withKey(signer.id, signer.publicKey, (secret) =>
    signBytes(signer.curve, secret, transaction.signingHash),
  );
  return { result: { signedTransaction: signedTransaction(transaction, signature) } };
};
