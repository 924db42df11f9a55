/** What the activities about policies share. Expressions are kept as written, once they are known to be some. */
import { type ClauseName, compilePolicy, InvalidPolicyError, type PolicySource } from '../../policy/policy-set.ts';
import type { PolicyParameters } from '../../protocol/activities/policy-fields.ts';
import type { EffectContext } from '../effect.ts';
import { type Policy, put } from '../state.ts';
import { checkQuota } from './quotas.ts';
import { checkUnique, invalidField, refuseUnsupported } from './refusals.ts';

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
      ...(parameters.language ? { language: parameters.language } : {}),
      ...(parameters.delaySeconds === undefined ? {} : { delaySeconds: parameters.delaySeconds }),
      notes: parameters.notes,
      createdAt: now,
      updatedAt: now,
    };
    checkDelay(policy, `${path}.delaySeconds`);
    checkExpressions(policy, (clause) => `${path}.${clause}`);
    policies = put(policies, policy);
    return policy;
  });
  return { policies, added };
}

/** Refuses expressions that are none, or that are not of this type, with the place and what was expected there. */
export function checkExpressions(policy: Policy, pathOf: (clause: ClauseName) => string): void {
  try {
    compilePolicy(sourceOf(policy));
  } catch (error) {
    if (!(error instanceof InvalidPolicyError)) throw error;
    throw invalidField(pathOf(error.clause), error.message);
  }
}

/** Only what binds everybody needs protection from those whom it binds. */
export function checkDelay({ effect, delaySeconds }: Policy, field: string): void {
  if (effect !== 'EFFECT_GUARD' && delaySeconds !== undefined) {
    throw invalidField(field, 'expected a delay only with EFFECT_GUARD');
  }
}

/** As the engine takes it. */
export const sourceOf = ({ id, effect, condition, consensus, time, language }: Policy): PolicySource => ({
  id,
  effect,
  condition,
  consensus,
  ...(time !== undefined && { time }),
  ...(language !== undefined && { language }),
});

/** Refuses a name that a policy other than `self` has. */
export const checkPolicyName = (policies: ReadonlyMap<string, Policy>, name: string, field: string, self?: string) =>
  checkUnique(policies.values(), name, field, 'policy label must be unique', self);
