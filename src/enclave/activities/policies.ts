/** What the activities about policies share. Expressions are kept as written. */
import type { PolicyParameters } from '../../protocol/activities/policy-fields.ts';
import type { EffectContext } from '../effect.ts';
import { type Policy, put } from '../state.ts';
import { checkQuota } from './quotas.ts';
import { checkUnique, refuseUnsupported } from './refusals.ts';

/** Makes policies: all of the organization with them, and the new ones in order. `pathOf` names each in errors. */
export function addPolicies(
  { organization, now, newId }: EffectContext,
  given: readonly PolicyParameters[],
  pathOf: (index: number) => string,
): { policies: ReadonlyMap<string, Policy>; added: Policy[] } {
  checkQuota('policies', organization.policies.size + given.length, pathOf(0));
  let { policies } = organization;
  const added = given.map((parameters, index): Policy => {
    const path = pathOf(index);
    refuseUnsupported(parameters.selectors, `${path}.selectors`, 'a policy with selectors in place of expressions');
    checkPolicyName(policies, parameters.policyName, `${path}.policyName`);
    const policy: Policy = {
      id: newId(),
      name: parameters.policyName,
      effect: parameters.effect,
      condition: parameters.condition ?? '',
      consensus: parameters.consensus ?? '',
      ...(parameters.time ? { time: parameters.time } : {}),
      notes: parameters.notes,
      createdAt: now,
      updatedAt: now,
    };
    policies = put(policies, policy);
    return policy;
  });
  return { policies, added };
}

/** Refuses a name that a policy other than `self` has. */
export const checkPolicyName = (policies: ReadonlyMap<string, Policy>, name: string, field: string, self?: string) =>
  checkUnique(policies.values(), name, field, 'policy label must be unique', self);
