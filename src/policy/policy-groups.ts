/** Policies whose conditions have operands of their && in common: these are evaluated once for all of them. */
import type { Code } from './compile.ts';
import { combine } from './compile-logic.ts';
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
  /** What is left of each condition; null where nothing is. */
  readonly rests: readonly (Code | null)[];
  readonly policies: readonly Policy[];
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

/** Is told whether the policy's condition holds, as far as that is known. */
export type Visit = (policy: Policy, met?: boolean) => boolean;

/** Smaller groups are not worth a screen. */
const minScreened = 4;

/** Of a condition's &&. */
type Operand = {
  readonly key: number | undefined;
  readonly code: Code;
  readonly comparison: Comparison | undefined;
};

/** A policy as it is evaluated together with others. */
export type Member = { readonly policy: Policy; readonly operands: readonly Operand[] };

export function createMember(policy: Policy, sharing: Sharing): Member {
  const { condition, consensus, time } = policy;
  const shared = (clause: Clause | null): Clause | null =>
    clause && { ...clause, code: sharing.compile(clause.checked.plan, evaluatedAs(clause)) };
  const operands = condition ? operandsOf(condition, sharing) : [];
  const code = condition && conjunction(operands, evaluatedAs(condition));
  const quick = {
    condition: code && { ...(condition as Clause), code },
    consensus: shared(consensus),
    time: shared(time),
  };
  return { policy: { ...policy, ...quick }, operands };
}

function operandsOf(condition: Clause, { keyOf, compile, shared }: Sharing): readonly Operand[] {
  const language = evaluatedAs(condition);
  const { plan } = condition.checked;
  return (plan.op === 'and' ? plan.operands : [plan]).map((operand) => ({
    key: keyOf(operand),
    code: compile(operand, language),
    comparison: comparisonOf(operand, (value) => shared(value, language)),
  }));
}

export function groupMembers(members: readonly Member[]): readonly Group[] {
  const counts = count(members.flatMap(({ operands }) => [...new Set(operands.map(({ key }) => key))]));
  const isCommon = ({ key }: Operand): boolean => key !== undefined && (counts.get(key) ?? 0) > 1;
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const common = member.operands.filter(isCommon).map(({ key }) => key as number);
    const name = `${isAbsorbing(member.policy)} ${common.toSorted((a, b) => a - b).join()}`;
    const group = groups.get(name) ?? [];
    group.push(member);
    groups.set(name, group);
  }
  return [...groups.values()].map((group) => createGroup(group, isCommon));
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
    rests: own.map((each, index) =>
      conjunction(
        each.filter((operand) => !isScreened(operand)),
        absorbing ? 'cel' : languageOf((members[index] as Member).policy),
      ),
    ),
    policies: members.map((member) => member.policy),
    absorbing,
    allows: policy.effect === 'EFFECT_ALLOW',
  };
}

const languageOf = ({ condition }: Policy): Language => (condition ? evaluatedAs(condition) : 'cel');

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
export function someInGroups(groups: readonly Group[], facts: Facts, visit: Visit): boolean {
  for (const group of groups) {
    const value = group.common === null || evaluate(group.common, facts);
    if (value === false ? group.absorbing : value === undefined && group.allows) continue;
    if (value === true ? someRest(group, facts, visit) : group.policies.some((policy) => visit(policy))) return true;
  }
  return false;
}

function someRest({ screen, rests, policies, absorbing, allows }: Group, facts: Facts, visit: Visit): boolean {
  const values = screen && readValues(screen, facts);
  for (let index = 0; index < rests.length; index += 1) {
    let met = screen && values ? passes(screen, index, values) : true;
    if (met === false) continue;
    const rest = rests[index] as Code | null;
    if (met && rest !== null) met = evaluate(rest, facts);
    if (met === false ? absorbing : met === undefined && allows) continue;
    if (visit(policies[index] as Policy, met)) return true;
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
