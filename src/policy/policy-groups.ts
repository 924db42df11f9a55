/** Policies whose conditions have operands of their && in common: these are evaluated once for all of them. */
import type { Code } from './compile.ts';
import { combine } from './compile-logic.ts';
import type { Plan } from './plan.ts';
import type { Clause, Policy } from './policy-set.ts';
import type { Sharing } from './sharing.ts';
import type { Language } from './syntax.ts';
import type { Facts } from './values.ts';

export type Group = {
  /** What the conditions have in common; null where that is nothing. */
  readonly common: Code | null;
  readonly policies: readonly Policy[];
  /** The same without what they have in common, for when that is true. */
  readonly rests: readonly Policy[];
  /** For none of them it matters what else there is, where what they have in common is false. */
  readonly absorbing: boolean;
  /** Nor where it has no value. */
  readonly allows: boolean;
};

export function groupPolicies(policies: readonly Policy[], sharing: Sharing): readonly Group[] {
  const counts = new Map<number, number>();
  const all = policies.map((policy) => {
    const operands = operandsOf(policy, sharing);
    for (const key of operands.keys()) counts.set(key, (counts.get(key) ?? 0) + 1);
    return { policy, operands };
  });
  const groups = new Map<string, { common: Code | null; absorbing: boolean; policies: Policy[]; rests: Policy[] }>();
  for (const { policy, operands } of all) {
    const keys = [...operands.keys()].filter((key) => (counts.get(key) ?? 0) > 1);
    const absorbing = isAbsorbing(policy);
    const name = `${absorbing} ${keys.toSorted().join()}`;
    const codes = keys.map((key) => operands.get(key) as Code);
    const group = groups.get(name) ?? { common: conjunction(codes), absorbing, policies: [], rests: [] };
    groups.set(name, group);
    group.policies.push(policy);
    group.rests.push(without(policy, operands, new Set(keys)));
  }
  return [...groups.values()].map((group) => ({ ...group, allows: group.policies[0]?.effect === 'EFFECT_ALLOW' }));
}

/**
 * Strict evaluation shows only where something errs. What cannot err on complete facts is evaluated as CEL is, which stops at
 * the first operand that decides.
 */
export const evaluatedAs = ({ fallible, language }: Clause): Language => (fallible ? language : 'cel');

/** The code of each operand of the condition's &&, by its key. */
function operandsOf({ condition }: Policy, { keyOf, compile }: Sharing): ReadonlyMap<number, Code> {
  if (condition === null) return new Map();
  const language = evaluatedAs(condition);
  const { plan } = condition.checked;
  const operands: readonly Plan[] = plan.op === 'and' ? plan.operands : [plan];
  return new Map(operands.map((operand) => [keyOf(operand, language), compile(operand, language)]));
}

/** No error ever allows; and a part that is false ends the evaluation but in Turnkey's language, or where another clause may err. */
function isAbsorbing({ effect, condition, consensus, time }: Policy): boolean {
  if (effect === 'EFFECT_ALLOW') return true;
  if (consensus?.fallible || time?.fallible) return false;
  return condition === null || evaluatedAs(condition) === 'cel';
}

function without(policy: Policy, operands: ReadonlyMap<number, Code>, keys: ReadonlySet<number>): Policy {
  const { condition, effect } = policy;
  if (condition === null || keys.size === 0) return policy;
  const codes = [...operands].filter(([key]) => !keys.has(key)).map(([, code]) => code);
  const language = effect === 'EFFECT_ALLOW' ? 'cel' : evaluatedAs(condition);
  const code = conjunction(codes, language);
  const rest: Clause | null = code && { ...condition, code };
  return { ...policy, condition: rest };
}

function conjunction(codes: readonly Code[], language: Language = 'cel'): Code | null {
  const [first] = codes;
  if (first === undefined) return null;
  return codes.length === 1 ? first : combine('and', language, codes);
}

/** Calls `visit` with each policy that may matter, until it answers true; says whether it did. */
export function someInGroups(groups: readonly Group[], facts: Facts, visit: (policy: Policy) => boolean): boolean {
  for (const { common, policies, rests, absorbing, allows } of groups) {
    const value = common === null || evaluate(common, facts);
    if (value === false ? absorbing : value === undefined && allows) continue;
    const visited = value === true ? rests : policies;
    for (let index = 0; index < visited.length; index += 1) if (visit(visited[index] as Policy)) return true;
  }
  return false;
}

/** What it throws comes again, policy by policy. */
function evaluate(code: Code, facts: Facts): boolean | undefined {
  try {
    const value = code(facts);
    return value === undefined ? undefined : value === true;
  } catch {
    return undefined;
  }
}
