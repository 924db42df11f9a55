/**
 * `policy decide FILE`: decides cases that are given as facts, for customers' own tests. Pure: what the file holds comes in,
 * one result for each case goes out.
 */
import type { JsonValue } from '../protocol/json.ts';
import { activityKind } from './activity-kind.ts';
import { type DecisionRequest, decideByScan, policyOutcomes } from './decide-policies.ts';
import { locate } from './errors.ts';
import type { PolicyOutcome } from './evaluate-policy.ts';
import { imaginedApprovals } from './imagined-approvals.ts';
import { toJson } from './json-text.ts';
import {
  type Clause,
  compilePolicy,
  createPolicySet,
  InvalidPolicyError,
  type Policy,
  type PolicySource,
} from './policy-set.ts';
import { FactError, objectAt, readFacts, textAt } from './read-facts.ts';
import { readHistory } from './read-history.ts';
import { activityClass } from './schema/activities.ts';
import { conditionSchema } from './schema/condition.ts';
import { consensusSchema } from './schema/consensus.ts';
import { timeSchema } from './schema/time.ts';
import { evaluateWithTrace } from './trace.ts';
import type { Schema, Value } from './types.ts';
import type { Facts } from './values.ts';

export type CaseResult = {
  readonly id: string;
  readonly outcome: 'allow' | 'deny' | 'implicit-deny' | 'error' | 'rejected-at-creation';
  /** More approvals could still reach consensus. */
  readonly pending: boolean;
  /** The id of a policy (its place in the list where it has none), `root-quorum`, `own-credentials`, or null. */
  readonly decidedBy: string | null;
  readonly policyOutcomes: readonly JsonValue[];
  readonly trace: readonly JsonValue[] | null;
  /** What is wrong with the case itself. */
  readonly error?: string;
  /** Facts that no policy can name. */
  readonly ignored?: readonly string[];
};

type Json = { readonly [name: string]: JsonValue };

const maxSteps = 400;
const effects: ReadonlySet<string> = new Set(['EFFECT_ALLOW', 'EFFECT_DENY', 'EFFECT_GUARD']);

/**
 * Cases without `policies` are decided by those of the file. Throws `FactError` where the file holds no list of cases; a
 * mistake in one case is that case's result.
 */
export function decideFile(file: JsonValue): readonly CaseResult[] {
  const { cases, policies } = objectAt(file, 'file');
  return arrayAt(cases, 'cases').map((given, index) => decideCase(given, index, policies));
}

function decideCase(given: JsonValue, index: number, shared: JsonValue | undefined): CaseResult {
  const path = `cases[${index}]`;
  const named = typeof given === 'object' && given !== null && !Array.isArray(given) ? given.id : undefined;
  const id = typeof named === 'string' || typeof named === 'number' ? String(named) : path;
  const undecided = (outcome: CaseResult['outcome'], policyOutcomes: readonly JsonValue[]) =>
    ({ id, outcome, pending: false, decidedBy: null, policyOutcomes, trace: null }) as const;
  try {
    const fields = objectAt(given, path);
    const sources = readPolicies(fields.policies ?? shared, `${path}.policies`);
    const compiled = sources.map(compileOrReject);
    if (compiled.some((policy) => 'rejected' in policy)) {
      return undecided('rejected-at-creation', compiled.map(creationOutcome));
    }
    return { id, ...decideCompiled(compiled as Policy[], fields, path) };
  } catch (error) {
    if (error instanceof FactError) return { ...undecided('error', []), error: error.message };
    throw error;
  }
}

function decideCompiled(policies: readonly Policy[], fields: Json, path: string): Omit<CaseResult, 'id'> {
  const { request, ignored } = readRequest(policies, fields, path);
  const set = createPolicySet(policies);
  // Cases may leave out facts that the index takes for granted.
  const decision = decideByScan(set, request);
  const outcomes = policyOutcomes(set, request);
  const { decidedBy } = decision;
  return {
    outcome: outcomeName(decision.outcome, outcomes),
    pending: decision.pending,
    decidedBy: typeof decidedBy === 'object' ? (decidedBy?.policyId ?? null) : decidedBy,
    policyOutcomes: outcomes.map((outcome, index) => outcomeJson(outcome, policies[index] as Policy)),
    trace: policies.flatMap((policy) => policyTrace(policy, request.facts)),
    ...(ignored.length > 0 && { ignored }),
  };
}

function outcomeName(outcome: string, outcomes: readonly PolicyOutcome[]): CaseResult['outcome'] {
  if (outcome === 'OUTCOME_ALLOW') return 'allow';
  if (outcome === 'OUTCOME_DENY_EXPLICIT') return 'deny';
  return outcomes.some((found) => found.outcome === 'OUTCOME_ERROR') ? 'error' : 'implicit-deny';
}

// Policies.

export function readPolicies(json: JsonValue | undefined, path: string): readonly PolicySource[] {
  return arrayAt(json, path).map((item, index) =>
    readPolicy(objectAt(item, `${path}[${index}]`), index, `${path}[${index}]`),
  );
}

function readPolicy(fields: Json, index: number, path: string): PolicySource {
  const effect = textAt(fields.effect, `${path}.effect`);
  if (!effects.has(effect)) throw new FactError(`${path}.effect`, `expected one of ${[...effects].join(', ')}`);
  const clause = (name: 'condition' | 'consensus' | 'time') =>
    fields[name] === undefined || fields[name] === null ? {} : { [name]: textAt(fields[name], `${path}.${name}`) };
  const { language } = fields;
  if (language !== undefined && language !== 'cel' && language !== 'turnkey') {
    throw new FactError(`${path}.language`, 'expected `cel` or `turnkey`');
  }
  const id = fields.id ?? fields.policyId ?? fields.policyName ?? String(index);
  return {
    id: typeof id === 'number' ? String(id) : textAt(id, `${path}.id`),
    effect: effect as PolicySource['effect'],
    ...clause('condition'),
    ...clause('consensus'),
    ...clause('time'),
    ...(language !== undefined && { language }),
  };
}

export type Rejected = { readonly id: string; readonly rejected: InvalidPolicyError };

export function compileOrReject(source: PolicySource): Policy | Rejected {
  try {
    return compilePolicy(source);
  } catch (error) {
    if (error instanceof InvalidPolicyError) return { id: source.id, rejected: error };
    throw error;
  }
}

function creationOutcome(policy: Policy | Rejected): JsonValue {
  if (!('rejected' in policy)) return { policyId: policy.id, outcome: 'OUTCOME_UNSPECIFIED' };
  const { clause, source, cause, message } = policy.rejected;
  const place = cause.problems[0] && locate(source, cause.problems[0].span.start);
  return {
    policyId: policy.id,
    outcome: 'OUTCOME_REJECTED',
    error: { clause, language: cause.language, message, ...place },
  };
}

// Facts.

export function readRequest(
  policies: readonly Policy[],
  fields: Json,
  path: string,
): { request: DecisionRequest; ignored: readonly string[] } {
  const { activity, history, ...given } = objectAt(fields.facts ?? {}, `${path}.facts`);
  const json = {
    ...given,
    ...(activity !== undefined && { activity: withClass(objectAt(activity, `${path}.facts.activity`)) }),
  };
  const { facts, ignored } = readFacts(schema, withClock(json), `${path}.facts`);
  const approvers = once(readList('approvers', fields.approvers, path));
  const ids = approvers.map(({ id }) => id as string);
  const past = history !== undefined && { history: readHistory(history, `${path}.facts.history`) };
  const all = { ...facts, ...past, approvers, credentials: once(readList('credentials', fields.credentials, path)) };
  const rootQuorum = readRootQuorum(fields.rootQuorum, `${path}.rootQuorum`);
  const { kind, params } = (facts.activity ?? {}) as { kind?: string; params?: { user_id?: string } };
  return {
    request: {
      kind: kind ?? '',
      facts: all,
      initiatorId: ids[0] ?? '',
      ...(params?.user_id !== undefined && { targetUserId: params.user_id }),
      rootQuorum,
      others: () => imaginedApprovals(policies, ids, rootQuorum.userIds),
    },
    ignored,
  };
}

/** Kind, resource and action follow from the type. */
function withClass(activity: Json): Json {
  const { type } = activity;
  if (typeof type !== 'string') return { params: {}, ...activity };
  const kind = activityKind(type);
  return { params: {}, kind, ...activityClass(kind), ...activity };
}

/** One clock under both its names. */
function withClock(facts: Json): Json {
  const { time, now } = facts;
  const of = typeof time === 'object' && time !== null && !Array.isArray(time) ? time.now : undefined;
  if (now === undefined && of !== undefined) return { ...facts, now: of };
  if (now !== undefined && time === undefined) return { ...facts, time: { now } };
  return facts;
}

function readList(name: 'approvers' | 'credentials', json: JsonValue | undefined, path: string): readonly Struct[] {
  const items = arrayAt(json ?? [], `${path}.${name}`).map((item) => (typeof item === 'string' ? { id: item } : item));
  const { facts } = readFacts(listSchemas[name], { [name]: items }, path);
  return facts[name] as readonly Struct[];
}

const schema: Schema = { ...conditionSchema, ...timeSchema };
const { approvers, credentials } = consensusSchema;
const listSchemas: Readonly<Record<'approvers' | 'credentials', Schema>> = {
  approvers: { ...(approvers && { approvers }) },
  credentials: { ...(credentials && { credentials }) },
};

type Struct = { readonly [field: string]: Value | undefined };

/** The first of those with the same id; what has none is kept. */
function once(items: readonly Struct[]): readonly Struct[] {
  const seen = new Set<Value>();
  return items.filter(({ id }) => id === undefined || (!seen.has(id) && seen.add(id)));
}

function readRootQuorum(json: JsonValue | undefined, path: string): DecisionRequest['rootQuorum'] {
  if (json === undefined || json === null) return { threshold: 1, userIds: [] };
  const { threshold, userIds } = objectAt(json, path);
  if (typeof threshold !== 'number' || !Number.isSafeInteger(threshold) || threshold < 1) {
    throw new FactError(`${path}.threshold`, 'expected a whole number of at least 1');
  }
  return {
    threshold,
    userIds: arrayAt(userIds, `${path}.userIds`).map((id, index) => textAt(id, `${path}.userIds[${index}]`)),
  };
}

export function arrayAt(json: JsonValue | undefined, path: string): readonly JsonValue[] {
  if (Array.isArray(json)) return json;
  throw new FactError(path, 'expected an array');
}

// What happened.

function outcomeJson({ policyId, outcome, error, denies }: PolicyOutcome, policy: Policy): JsonValue {
  if (!error) return { policyId, outcome };
  const source = policy[error.clause]?.source ?? '';
  return {
    policyId,
    outcome,
    denies,
    error: {
      clause: error.clause,
      code: error.error.code,
      message: error.error.message,
      at: excerpt(source, error.error.span),
    },
  };
}

const policyTrace = (policy: Policy, facts: Facts): readonly JsonValue[] =>
  [policy.condition, policy.consensus, policy.time]
    .filter((clause) => clause !== null)
    .map((clause) => ({ policyId: policy.id, ...clauseTrace(clause, facts) }));

function clauseTrace({ name, language, source, checked }: Clause, facts: Facts): { [name: string]: JsonValue } {
  const { value, error, steps } = evaluateWithTrace(checked, facts);
  return {
    clause: name,
    language,
    ...(error ? { error: { code: error.code, message: error.message } } : { value: toJson(value) }),
    steps: steps.slice(0, maxSteps).map((step) => ({
      text: excerpt(source, step.span),
      ...(step.elements.length > 0 && { elements: [...step.elements] }),
      ...('value' in step && { value: toJson(step.value, step.type) }),
      ...('error' in step && { error: step.error.code }),
      ...('skipped' in step && { skipped: true }),
    })),
  };
}

const excerpt = (source: string, { start, end }: { start: number; end: number }): string => source.slice(start, end);
