/** What the activities about policies share. Expressions are kept as written, once they are known to be some. */
import { type ClauseName, InvalidPolicyError } from '../../policy/policy-set.ts';
import { windowKey, windowsOf } from '../../policy/windows.ts';
import type { PolicyParameters } from '../../protocol/activities/policy-fields.ts';
import { compileNew, compileStored } from '../compiled-policies.ts';
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
  checkTotals(policies, pathOf(0));
  return { policies, added };
}

/** Refuses expressions that are none, or that are not of this type, with the place and what was expected there. */
export function checkExpressions(policy: Policy, pathOf: (clause: ClauseName) => string): void {
  try {
    compileNew(policy);
  } catch (error) {
    if (!(error instanceof InvalidPolicyError)) throw error;
    throw invalidField(pathOf(error.clause), error.message);
  }
}

/** Refuses policies that together take too long, or ask more about the past than is kept of it. */
export function checkTotals(policies: ReadonlyMap<string, Policy>, field: string): void {
  const all = [...policies.values()].map(compileStored);
  const clauses = all.flatMap(({ condition, consensus, time }) => [condition, consensus, time]);
  const steps = clauses.reduce((sum, clause) => sum + (clause?.checked.cost ?? 0), 0);
  checkQuota('policySteps', steps, field);
  const windows = all.flatMap(({ condition }) => (condition ? windowsOf(condition.checked.tree) : []));
  checkQuota('windows', new Set(windows.map(windowKey)).size, field);
}

/** Only what binds everybody needs protection from those whom it binds. */
export function checkDelay({ effect, delaySeconds }: Policy, field: string): void {
  if (effect !== 'EFFECT_GUARD' && delaySeconds !== undefined) {
    throw invalidField(field, 'expected a delay only with EFFECT_GUARD');
  }
}

/** Refuses a name that a policy other than `self` has. */
export const checkPolicyName = (policies: ReadonlyMap<string, Policy>, name: string, field: string, self?: string) =>
  checkUnique(policies.values(), name, field, 'policy label must be unique', self);
