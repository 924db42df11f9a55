import * as v from 'valibot';
import { uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { payload, signWith, transactionType } from './key-fields.ts';

export const signTransaction = defineActivity({
  name: 'sign_transaction',
  summary: 'Sign a transaction',
  versions: {
    ACTIVITY_TYPE_SIGN_TRANSACTION: {
      intent: 'signTransactionIntent',
      result: 'signTransactionResult',
      parameters: v.pipe(
        v.strictObject({ privateKeyId: uuid, unsignedTransaction: payload, type: transactionType }),
        v.transform(({ privateKeyId, ...given }) => ({ signWith: privateKeyId, ...given })),
      ),
    },
    ACTIVITY_TYPE_SIGN_TRANSACTION_V2: {
      intent: 'signTransactionIntentV2',
      result: 'signTransactionResult',
      parameters: v.strictObject({ signWith, unsignedTransaction: payload, type: transactionType }),
    },
  },
  result: v.object({ signedTransaction: v.string() }),
});
