import type { signUserOperationIntent } from '../../protocol/activities/sign-user-operation-intent.ts';
import type { Effect } from '../effect.ts';
import { checkLimits } from '../operation-intent.ts';
import { readOwnedOperation } from '../user-operations.ts';
import { signOperation } from './user-operations.ts';

export const signUserOperationIntentEffect: Effect<typeof signUserOperationIntent> = async (context, parameters) => {
  const owned = readOwnedOperation(context.organization, parameters);
  checkLimits(owned.operation, parameters.limits, context.now);
  return { result: await signOperation(context, owned) };
};
