/** Why a request was decided as it was: what became of each policy, by which sub-expressions and values. */
import { checksumAddress, parseAddress } from '../decode/ethereum-address.ts';
import type { JsonValue } from '../protocol/json.ts';
import { type Blame, blame, type Seen } from './blame.ts';
import { type Decision, type DecisionRequest, policyOutcomes } from './decide-policies.ts';
import { locate } from './errors.ts';
import type { PolicyOutcome } from './evaluate-policy.ts';
import { toJson } from './json-text.ts';
import type { Clause, ClauseName, Effect, Policy, PolicySet } from './policy-set.ts';
import type { Language, Span } from './syntax.ts';
import { evaluateWithTrace } from './trace.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

/** A sub-expression that decided, with its place in the clause (UTF-16 units; line and column from 1). */
export type BlamedPart = {
  readonly text: string;
  readonly span: Span;
  readonly line: number;
  readonly column: number;
  /** Which elements of the lists that macros visited, the outermost first. */
  readonly elements: readonly number[];
  /** Absent where it is an error. */
  readonly value?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  /** What it was computed from. */
  readonly seen: readonly { readonly text: string; readonly value: JsonValue }[];
  /** Elements that its macro visited. */
  readonly items?: number;
};

export type ClauseExplanation = {
  readonly clause: ClauseName;
  readonly language: Language;
  /** Null: it could not be evaluated. */
  readonly value: boolean | null;
  readonly blamed: readonly BlamedPart[];
};

export type PolicyExplanation = {
  readonly policyId: string;
  readonly policyName: string;
  readonly effect: Effect;
  readonly outcome: PolicyOutcome['outcome'];
  readonly denies: boolean;
  readonly clauses: readonly ClauseExplanation[];
};

export type Explanation = {
  readonly outcome: Decision['outcome'];
  readonly pending: boolean;
  /** Id of a policy, or the name of the rule. */
  readonly decidedBy: string | null;
  readonly reason: string;
  readonly policies: readonly PolicyExplanation[];
  /** The same for people. */
  readonly text: string;
};

/** Of the static bounds of all clauses that are traced for one explanation: tracing is slower than deciding. */
const maxTracedCost = 1_000_000;
const maxText = 300;
const maxValue = 1_000;

/** Explains a decision of `set` about `request`; `nameOf` a policy, for people. */
export function explain(
  set: PolicySet,
  request: DecisionRequest,
  decision: Decision,
  nameOf: (id: string) => string,
): Explanation {
  const outcomes = policyOutcomes(set, request);
  let cost = 0;
  const policies = set.policies.map((policy, index) => {
    cost += costOf(policy);
    const outcome = outcomes[index] as PolicyOutcome;
    const clauses = cost <= maxTracedCost ? explainClauses(policy, outcome, request.facts) : [];
    const { denies } = outcome;
    return {
      policyId: policy.id,
      policyName: nameOf(policy.id),
      effect: policy.effect,
      outcome: outcome.outcome,
      denies,
      clauses,
    };
  });
  const { decidedBy } = decision;
  const explained = {
    outcome: decision.outcome,
    pending: decision.pending,
    decidedBy: typeof decidedBy === 'object' ? (decidedBy?.policyId ?? null) : decidedBy,
    reason: decision.reason,
    policies,
  };
  return { ...explained, text: render(explained) };
}

/** For each policy that is in the way, the first sub-expression that would have to come out otherwise. */
export function firstUnmet(policies: readonly PolicyExplanation[]): readonly DecidingPart[] {
  return policies.filter(isInTheWay).flatMap(({ policyId, ...policy }) => {
    const [clause] = tellingClauses(policy);
    const [part] = clause?.blamed ?? [];
    return clause && part ? [{ policyId, clause: clause.clause, ...part }] : [];
  });
}

/** A sub-expression that decided, with where it stands. */
export type DecidingPart = BlamedPart & { readonly policyId: string; readonly clause: ClauseName };

/** Policies that are told of where none decided. */
const maxNearest = 5;

/**
 * What made a decision come out so: the sub-expressions of the policy that decided; where there was nothing that allowed, what
 * stood in the way of those that could have, at most {@link maxNearest}, first of those that only wait for approvals.
 */
export function decidingParts(set: PolicySet, request: DecisionRequest, decision: Decision): readonly DecidingPart[] {
  const { decidedBy, outcome } = decision;
  const decider = typeof decidedBy === 'object' ? decidedBy?.policyId : undefined;
  if (decider === undefined && outcome === 'OUTCOME_ALLOW') return [];
  const policies = set.policies.filter(({ id, effect }) =>
    decider === undefined ? effect === 'EFFECT_ALLOW' : id === decider,
  );
  const outcomes = policyOutcomes({ ...set, policies }, request);
  const told = policies.map((policy, index) => ({ policy, outcome: outcomes[index] as PolicyOutcome }));
  const nearest = [...told.filter(awaitsApprovals), ...told.filter((each) => !awaitsApprovals(each))].slice(
    0,
    maxNearest,
  );
  let cost = 0;
  return nearest.flatMap(({ policy, outcome }) => {
    cost += costOf(policy);
    const clauses = cost <= maxTracedCost ? explainClauses(policy, outcome, request.facts) : [];
    return tellingClauses({ clauses }).flatMap(({ clause, blamed }) =>
      blamed.map((part) => ({ policyId: policy.id, clause, ...part })),
    );
  });
}

const awaitsApprovals = ({ outcome }: { readonly outcome: PolicyOutcome }): boolean =>
  outcome.outcome === 'OUTCOME_REQUIRES_CONSENSUS';

/** For people, on one line. */
export const renderDecidingPart = ({ clause, ...part }: DecidingPart): string => `${clause} ${renderPart(part)}`;

const isInTheWay = ({ effect, outcome, denies }: PolicyExplanation): boolean =>
  effect === 'EFFECT_ALLOW' ? outcome !== 'OUTCOME_ALLOW' : denies;

const clausesOf = ({ condition, consensus, time }: Policy): readonly Clause[] =>
  [condition, consensus, time].filter((clause) => clause !== null);

const costOf = (policy: Policy): number => clausesOf(policy).reduce((sum, { checked }) => sum + checked.cost, 0);

function explainClauses(policy: Policy, { error }: PolicyOutcome, facts: Facts): readonly ClauseExplanation[] {
  return clausesOf(policy).map((clause) => {
    const { name, language, source, checked } = clause;
    const trace = evaluateWithTrace(checked, facts);
    const failed = trace.error ?? (error?.clause === name ? error.error : undefined);
    const blamed = blame(checked, failed ? { steps: trace.steps, error: failed } : trace);
    return {
      clause: name,
      language,
      value: failed ? null : trace.value === true,
      blamed: blamed.map((part) => blamedPart(part, source)),
    };
  });
}

function blamedPart({ span, elements, value, error, seen, items }: Blame, source: string): BlamedPart {
  return {
    text: excerpt(source, span),
    span: { start: span.start, end: span.end },
    ...locate(source, span.start),
    elements,
    ...(value !== undefined && { value }),
    ...(error && { error: { code: error.code, message: error.message } }),
    seen: seen.map((one) => ({ text: excerpt(source, one.span), value: seenValue(one) })),
    ...(items !== undefined && { items }),
  };
}

const excerpt = (source: string, { start, end }: Span): string => shorten(source.slice(start, end), maxText);

const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length).toWellFormed()}…` : text;

/** As cases are given; what is long is cut, and then a text. */
export function seenValue({ type, value }: Pick<Seen, 'type' | 'value'>): JsonValue {
  const json = toJson(type.kind === 'address' ? checksummed(value) : value, type);
  const text = JSON.stringify(json);
  return text.length > maxValue ? shorten(typeof json === 'string' ? json : text, maxValue) : json;
}

function checksummed(value: Value): Value {
  const address = typeof value === 'string' ? parseAddress(value) : undefined;
  return address ? checksumAddress(address) : value;
}

// For people.

/** What decided first, then what could have allowed it, then the rest. */
function render({ outcome, pending, decidedBy, reason, policies }: Omit<Explanation, 'text'>): string {
  const verdict = outcome === 'OUTCOME_ALLOW' ? 'allowed' : pending ? 'waits for approvals' : 'denied';
  const rank = (policy: PolicyExplanation): number =>
    policy.policyId === decidedBy ? 0 : policy.denies ? 1 : policy.effect === 'EFFECT_ALLOW' ? 2 : 3;
  const sorted = [...policies].sort((a, b) => rank(a) - rank(b));
  return [`${verdict}: ${reason}`, ...sorted.map(renderPolicy)].join('\n');
}

function renderPolicy(policy: PolicyExplanation): string {
  const { policyId, policyName, effect } = policy;
  const noun = effect === 'EFFECT_GUARD' ? 'guard' : effect === 'EFFECT_DENY' ? 'deny' : 'policy';
  const title = policyName === policyId || policyName === '' ? policyId : `${policyName} (${policyId})`;
  const causes = tellingClauses(policy).flatMap(({ clause, blamed }) =>
    blamed.map((part) => `\n  ${clause} ${renderPart(part)}`),
  );
  return `${noun} ${title} ${verdictOf(policy)}${causes.join('')}`;
}

function verdictOf({ effect, outcome, denies }: PolicyExplanation): string {
  switch (outcome) {
    case 'OUTCOME_ALLOW':
      return 'allows this';
    case 'OUTCOME_DENY_EXPLICIT':
      return 'denies this';
    case 'OUTCOME_REQUIRES_CONSENSUS':
      return 'needs more approvals';
    case 'OUTCOME_TIME_INACTIVE':
      return 'is not active now';
    case 'OUTCOME_ERROR':
      return denies ? 'could not be evaluated and so denies this' : 'could not be evaluated';
    case 'OUTCOME_DENY_IMPLICIT':
      return effect === 'EFFECT_ALLOW' ? 'did not match' : 'does not apply';
  }
}

/** The clauses that say why: those that fail it, or all where nothing does. */
function tellingClauses({ clauses }: Pick<PolicyExplanation, 'clauses'>): readonly ClauseExplanation[] {
  const failed = clauses.filter(({ value }) => value === null);
  if (failed.length > 0) return failed;
  const unmet = clauses.filter(({ value }) => value === false);
  return unmet.length > 0 ? unmet : clauses;
}

function renderPart({ text, line, column, elements, value, error, seen, items }: BlamedPart): string {
  const state = error ? `is an error: ${error.message}` : `was ${value}`;
  const facts = [
    ...elements.map((index) => `element ${index}`),
    ...(items === undefined ? [] : [`${items} ${items === 1 ? 'element' : 'elements'}`]),
    ...seen.map((one) => `${oneLine(one.text)} = ${shorten(JSON.stringify(one.value), maxText)}`),
  ];
  return `${line}:${column} \`${oneLine(text)}\` ${state}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
