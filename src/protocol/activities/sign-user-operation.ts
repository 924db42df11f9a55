import * as v from 'valibot';
import { defineActivity } from './activity.ts';
import { operationForm, signedOperation } from './user-operation-fields.ts';

export const signUserOperation = defineActivity({
  name: 'sign_user_operation',
  summary: 'Sign a user operation (ERC-4337) of a smart account, read and hashed by the enclave',
  versions: {
    ACTIVITY_TYPE_SIGN_USER_OPERATION: {
      intent: 'signUserOperationIntent',
      result: 'signUserOperationResult',
      parameters: v.strictObject(operationForm),
    },
  },
  result: signedOperation,
});
