import type { MfaPolicyObject } from '../../protocol/queries/objects.ts';
import type { MfaPolicy, User } from '../state.ts';
import { timesView } from './times.ts';

/** In the order in which they are asked. */
export const mfaPoliciesView = ({ mfaPolicies = [] }: User): MfaPolicyObject[] => mfaPolicies.map(mfaPolicyView);

export const mfaPolicyView = ({ id, name, condition, steps, order, notes, ...times }: MfaPolicy): MfaPolicyObject => ({
  mfaPolicyId: id,
  mfaPolicyName: name,
  condition,
  requiredAuthenticationMethods: stepsView(steps),
  order,
  ...(notes === undefined ? {} : { notes }),
  ...timesView(times),
});

export const stepsView = (steps: MfaPolicy['steps']) =>
  steps.map((any) => ({ any: any.map((method) => ({ ...method })) }));
