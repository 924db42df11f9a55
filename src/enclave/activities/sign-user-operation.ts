import type { signUserOperation } from '../../protocol/activities/sign-user-operation.ts';
import type { Effect } from '../effect.ts';
import { readOwnedOperation } from '../user-operations.ts';
import { signOperation } from './user-operations.ts';

export const signUserOperationEffect: Effect<typeof signUserOperation> = async (context, parameters) => ({
  result: await signOperation(context, readOwnedOperation(context.organization, parameters)),
});
