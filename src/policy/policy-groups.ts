/** Policies whose conditions have operands of their && in common: these are evaluated once for all of them. */
import type { Code } from './compile.ts';
import { combine } from './compile-logic.ts';
import type { Plan } from './plan.ts';
import type { Clause, Policy } from './policy-set.ts';
import { type Comparison, comparisonOf, createScreen, passes, readValues, type Screen } from './screen.ts';
import type { Sharing } from './sharing.ts';
import type { Language } from './syntax.ts';
import type { Facts } from './values.ts';

export type Group = {
  /** What the conditions have in common; null where that is nothing. */
  readonly common: Code | null;
  /** The comparisons that each has besides; null where these are evaluated like the rest. */
  readonly screen: Screen | null;
  readonly policies: readonly Policy[];
  /** The same without what they have in common and without the comparisons, for when all that is true. */
  readonly rests: readonly Policy[];
  /** Where a part of its condition is false, it matters for none of them what else there is. */
  readonly absorbing: boolean;
  /** Nor where a part has no value. */
  readonly allows: boolean;
};

/**
 * Strict evaluation shows only where something errs. What cannot err on complete facts is evaluated as CEL is, which stops at
 * the first operand that decides.
 */
export const evaluatedAs = ({ fallible, language }: Clause): Language => (fallible ? language : 'cel');

/** Smaller groups are not worth a screen. */
const minScreened = 4;

/** Of a condition's &&. */
type Operand = { readonly key: number; readonly code: Code; readonly comparison: Comparison | undefined };
type Member = { readonly policy: Policy; readonly operands: readonly Operand[] };

export function groupPolicies(policies: readonly Policy[], sharing: Sharing): readonly Group[] {
  const members = policies.map((policy) => ({ policy, operands: operandsOf(policy, sharing) }));
  const counts = count(members.flatMap(({ operands }) => operands.map(({ key }) => key)));
  const isCommon = ({ key }: Operand): boolean => (counts.get(key) ?? 0) > 1;
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const common = member.operands.filter(isCommon).map(({ key }) => key);
    const name = `${isAbsorbing(member.policy)} ${common.toSorted((a, b) => a - b).join()}`;
    const group = groups.get(name) ?? [];
    group.push(member);
    groups.set(name, group);
  }
  return [...groups.values()].map((group) => createGroup(group, isCommon));
}

function operandsOf({ condition }: Policy, { keyOf, compile }: Sharing): readonly Operand[] {
  if (condition === null) return [];
  const language = evaluatedAs(condition);
  const { plan } = condition.checked;
  const operands = (plan.op === 'and' ? plan.operands : [plan]).map((operand) => ({
    key: keyOf(operand, language),
    code: compile(operand, language),
    comparison: comparisonOf(operand, (value: Plan) => compile(value, language)),
  }));
  return [...new Map(operands.map((operand) => [operand.key, operand])).values()];
}

/** No error ever allows; and a part that is false ends the evaluation but in Turnkey's language, or where another clause may err. */
function isAbsorbing({ effect, condition, consensus, time }: Policy): boolean {
  if (effect === 'EFFECT_ALLOW') return true;
  if (consensus?.fallible || time?.fallible) return false;
  return condition === null || evaluatedAs(condition) === 'cel';
}

function createGroup(members: readonly Member[], isCommon: (operand: Operand) => boolean): Group {
  const [{ policy, operands }] = members as readonly [Member, ...Member[]];
  const absorbing = isAbsorbing(policy);
  const own = members.map((member) => member.operands.filter((operand) => !isCommon(operand)));
  const counts = count(own.flat().map(({ comparison }) => comparison?.value));
  const isScreened = ({ comparison }: Operand): boolean =>
    absorbing && members.length >= minScreened && comparison !== undefined && (counts.get(comparison.value) ?? 0) > 1;
  const screened = own.map((each) => each.filter(isScreened).map(({ comparison }) => comparison as Comparison));
  return {
    common: conjunction(operands.filter(isCommon), 'cel'),
    screen: screened.some(({ length }) => length > 0) ? createScreen(screened) : null,
    policies: members.map((member) => member.policy),
    rests: members.map((member, index) =>
      withOperands(
        member.policy,
        (own[index] as readonly Operand[]).filter((operand) => !isScreened(operand)),
      ),
    ),
    absorbing,
    allows: policy.effect === 'EFFECT_ALLOW',
  };
}

function withOperands(policy: Policy, operands: readonly Operand[]): Policy {
  const { condition, effect } = policy;
  if (condition === null) return policy;
  const code = conjunction(operands, effect === 'EFFECT_ALLOW' ? 'cel' : evaluatedAs(condition));
  return { ...policy, condition: code && { ...condition, code } };
}

function conjunction(operands: readonly Operand[], language: Language): Code | null {
  const [first] = operands;
  if (first === undefined) return null;
  if (operands.length === 1) return first.code;
  return combine(
    'and',
    language,
    operands.map(({ code }) => code),
  );
}

function count<T>(items: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** Calls `visit` with each policy that may matter, until it answers true; says whether it did. */
export function someInGroups(groups: readonly Group[], facts: Facts, visit: (policy: Policy) => boolean): boolean {
  for (const group of groups) {
    const value = group.common === null || evaluate(group.common, facts);
    if (value === false ? group.absorbing : value === undefined && group.allows) continue;
    if (value !== true ? group.policies.some(visit) : someRest(group, facts, visit)) return true;
  }
  return false;
}

function someRest({ screen, policies, rests, allows }: Group, facts: Facts, visit: (policy: Policy) => boolean) {
  if (screen === null) return rests.some(visit);
  const values = readValues(screen, facts);
  for (let index = 0; index < rests.length; index += 1) {
    const passed = passes(screen, index, values);
    if (passed === false || (passed === undefined && allows)) continue;
    if (visit((passed ? rests : policies)[index] as Policy)) return true;
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
