/** What the compiled program and the tracing interpreter share, so that they cannot differ. */
import { kindOf } from './dynamic.ts';
import { EvaluationError } from './errors.ts';
import { duplicateKey, Failure, noSuchOverload, tooLarge, typeMismatch } from './failure.ts';
import type { Plan, Step } from './plan.ts';
import type { Span } from './syntax.ts';
import type { Value } from './types.ts';
import { type Facts, isList, isMap, isStruct } from './values.ts';

let reason: EvaluationError = new EvaluationError('limit', 'nothing has failed', { start: 0, end: 0 });

/** How code says that it has no value: throwing would take a hundred times as long. It is for the caller to ask why at once. */
export function fail(error: EvaluationError): undefined {
  reason = error;
  return undefined;
}

/** Why the code that ran last has no value. */
export const failure = (): EvaluationError => reason;

/** Gives a failure its place; each cause is made once for its place. */
export function failureAt(span: Span): (error: unknown) => unknown {
  let known: Map<Failure, EvaluationError> | undefined;
  return (error) => {
    if (!(error instanceof Failure)) return error;
    known ??= new Map();
    const found = known.get(error) ?? new EvaluationError(error.code, error.message, span);
    known.set(error, found);
    return found;
  };
}

/** What was thrown, as a failure of the code; nothing may absorb the limit or what is no evaluation error. */
export function absorb(thrown: unknown): undefined {
  if (!(thrown instanceof EvaluationError) || thrown.code === 'limit') throw thrown;
  return fail(thrown);
}

/** The field of a struct or its default; undefined, after `fail`, where it is absent. */
type Reader = (object: Value | undefined) => Value | undefined;

export function fieldReader(step: Step, span: Span): Reader {
  const absent = absence([step], 0, span);
  return (object) => {
    const found = object !== undefined && isStruct(object) ? object[step.field] : undefined;
    return found === undefined ? absent() : found;
  };
}

/** What the absence of a step means: a default, or an error; of a namespace's parent, that the namespace is absent. */
function absence(steps: readonly Step[], index: number, span: Span): () => Value | undefined {
  const namespace = steps.slice(index).find((step) => step.absent === 'namespace-absent');
  const step = steps[index];
  if (namespace === undefined && step?.absent === 'default') return () => step.default;
  let error: EvaluationError | undefined;
  return () => {
    if (namespace !== undefined) {
      const message = `the activity does not carry ${namespace.namespace}`;
      error ??= new EvaluationError('namespace-absent', message, span, namespace.namespace);
    } else {
      error ??= new EvaluationError('missing-field', `\`${step?.field}\` is absent`, span);
    }
    return fail(error);
  };
}

/** Reads a path from the root of the facts; undefined, after `fail`, where it ends early. */
export function pathReader(steps: readonly Step[], span: Span): (facts: Facts) => Value | undefined {
  const absences = steps.map((_, index) => absence(steps, index, span));
  return (facts) => {
    let value: Value | undefined = facts as Value;
    for (const [index, { field }] of steps.entries()) {
      const next: Value | undefined = isStruct(value) ? value[field] : undefined;
      value = next === undefined ? absences[index]?.() : next;
      if (value === undefined) return undefined;
    }
    return value;
  };
}

/** Whether the object has the field; of what cannot have fields, an error. */
export function hasField(object: Value, field: string): boolean {
  if (isMap(object)) return object.has(field);
  if (isStruct(object) && kindOf(object) === 'struct') return object[field] !== undefined;
  throw noSuchOverload;
}

/** `has` of a field of a root: an absent root has none, so that `has(eth.tx)` can be asked of every activity. */
export const hasOfRoot =
  (root: string, field: string) =>
  (facts: Facts): boolean => {
    const object = facts[root];
    return object !== undefined && isStruct(object) && object[field] !== undefined;
  };

export const isRootHas = (plan: Plan & { op: 'has' }): boolean =>
  plan.object.op === 'path' && plan.object.steps.length === 1;

/** What a macro visits: a list's items, a map's keys. */
export function itemsOf(range: Value): readonly Value[] {
  if (isList(range)) return range;
  if (isMap(range)) return [...range.keys()];
  if (isStruct(range) && kindOf(range) === 'struct') return Object.keys(range);
  throw typeMismatch;
}

export function buildMap(entries: readonly (readonly [Value, Value])[]): Value {
  const map = new Map<string | bigint | boolean, Value>();
  for (const [key, value] of entries) {
    const plain = mapKey(key);
    if (map.has(plain)) throw duplicateKey;
    map.set(plain, value);
  }
  return map;
}

function mapKey(key: Value): string | bigint | boolean {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key;
  if (key !== null && kindOf(key) === 'uint') return (key as unknown as { value: bigint }).value;
  throw noSuchOverload;
}

/** Of two errors the one to report: a real one before that of an absent namespace, which excuses a policy. */
export function worse(known: EvaluationError | undefined, error: EvaluationError): EvaluationError {
  if (known === undefined || (known.code === 'namespace-absent' && error.code !== 'namespace-absent')) return error;
  return known;
}

/** Counts the elements that macros visit. */
export type Budget = { left: number };

export function spend(budget: Budget, items: number): void {
  budget.left -= items;
  if (budget.left < 0) throw tooLarge;
}
