import type { Checked } from './check.ts';
import { EvaluationError } from './errors.ts';
import {
  absorb,
  type Budget,
  buildMap,
  failure,
  failureAt,
  fieldReader,
  hasField,
  hasOfRoot,
  isRootHas,
  itemsOf,
  pathReader,
  spend,
  worse,
} from './evaluation.ts';
import { typeMismatch } from './failure.ts';
import { maxIterations } from './limits.ts';
import type { Plan } from './plan.ts';
import type { Language, Span } from './syntax.ts';
import type { Type, Value } from './types.ts';
import type { Facts } from './values.ts';

/** One sub-expression as it was evaluated; inside macros, `elements` says for which element of each. */
export type TraceStep = { readonly span: Span; readonly type: Type; readonly elements: readonly number[] } & (
  | { readonly value: Value }
  | { readonly error: EvaluationError }
  | { readonly skipped: true }
);

export type Trace = {
  readonly value?: Value;
  readonly error?: EvaluationError;
  /** In the order of evaluation, operands before their operator; the first {@link maxSteps} of them. */
  readonly steps: readonly TraceStep[];
};

const maxSteps = 20_000;

type Tracer = {
  readonly language: Language;
  readonly facts: Facts;
  readonly slots: Value[];
  readonly elements: number[];
  readonly budget: Budget;
  readonly steps: TraceStep[];
};

/** Evaluates as the compiled program does, and notes every step. */
export function evaluateWithTrace({ language, plan }: Checked, facts: Facts): Trace {
  const tracer: Tracer = { language, facts, slots: [], elements: [], budget: { left: maxIterations }, steps: [] };
  const { steps } = tracer;
  try {
    return { value: evaluate(tracer, plan), steps };
  } catch (error) {
    if (error instanceof EvaluationError) return { error, steps };
    throw error;
  }
}

type Outcome = { readonly value: Value } | { readonly error: EvaluationError } | { readonly skipped: true };

function note({ steps, elements }: Tracer, plan: Plan, outcome: Outcome): void {
  if (plan.op === 'constant' || steps.length >= maxSteps) return;
  steps.push({ span: plan.source.span, type: plan.type, elements: [...elements], ...outcome });
}

function evaluate(tracer: Tracer, plan: Plan): Value {
  try {
    const value = evaluateNode(tracer, plan);
    note(tracer, plan, { value });
    return value;
  } catch (thrown) {
    const error = failureAt(plan.source.span)(thrown);
    if (error instanceof EvaluationError) note(tracer, plan, { error });
    throw error;
  }
}

function evaluateNode(tracer: Tracer, plan: Plan): Value {
  const { span } = plan.source;
  switch (plan.op) {
    case 'constant':
      return plan.value;
    case 'path':
      return found(pathReader(plan.steps, span)(tracer.facts));
    case 'variable':
      return tracer.slots[plan.slot] as Value;
    case 'field':
      return found(fieldReader(plan.step, span)(evaluate(tracer, plan.object)));
    case 'has':
      if (isRootHas(plan) && plan.object.op === 'path')
        return hasOfRoot(plan.object.steps[0].field, plan.field)(tracer.facts);
      return hasField(evaluate(tracer, plan.object), plan.field);
    case 'apply':
      return applied(plan, plan.apply(...plan.arguments.map((argument) => evaluate(tracer, argument))));
    case 'and':
    case 'or':
      return evaluateLogic(tracer, plan);
    case 'conditional': {
      const holds = evaluate(tracer, plan.condition) === true;
      if (!holds) note(tracer, plan.whenTrue, { skipped: true });
      const value = evaluate(tracer, holds ? plan.whenTrue : plan.whenFalse);
      if (holds) note(tracer, plan.whenFalse, { skipped: true });
      return value;
    }
    case 'loop':
      return evaluateLoop(tracer, plan);
    case 'list':
      return plan.items.map((item) => evaluate(tracer, item));
    case 'map':
      return buildMap(plan.entries.map(([key, value]) => [evaluate(tracer, key), evaluate(tracer, value)] as const));
  }
}

function found(value: Value | undefined): Value {
  if (value === undefined) throw failure();
  return value;
}

function applied({ absent = typeMismatch }: Plan & { op: 'apply' }, value: Value | undefined): Value {
  if (value === undefined) throw absent;
  return value;
}

/** Evaluates in order what decides together; `deciding` ends it, except in Turnkey's language. */
function decide(
  tracer: Tracer,
  count: number,
  deciding: boolean,
  operand: (index: number) => Value,
  skip: (index: number) => void,
): boolean {
  let failed: EvaluationError | undefined;
  let decided = false;
  for (let index = 0; index < count; index += 1) {
    if (decided && tracer.language === 'cel') {
      skip(index);
      continue;
    }
    try {
      if (operand(index) === deciding) decided = true;
    } catch (error) {
      absorb(error);
      failed = worse(failed, failure());
    }
  }
  const wins = tracer.language === 'turnkey' || !decided;
  if (failed !== undefined && wins) throw failed;
  return decided === deciding;
}

function evaluateLogic(tracer: Tracer, plan: Plan & { op: 'and' | 'or' }): boolean {
  const { operands } = plan;
  const at = (index: number): Plan => operands[index] as Plan;
  return decide(
    tracer,
    operands.length,
    plan.op === 'or',
    (index) => evaluate(tracer, at(index)),
    (index) => note(tracer, at(index), { skipped: true }),
  );
}

function evaluateLoop(tracer: Tracer, plan: Plan & { op: 'loop' }): Value {
  const items = itemsOf(evaluate(tracer, plan.range));
  spend(tracer.budget, items.length);
  const { predicate, transform, macro, slot } = plan;
  const within = (index: number, part: Plan): Value => {
    tracer.slots[slot] = items[index] as Value;
    tracer.elements.push(index);
    try {
      return evaluate(tracer, part);
    } finally {
      tracer.elements.pop();
    }
  };
  if ((macro === 'all' || macro === 'exists') && predicate !== null) {
    return decide(
      tracer,
      items.length,
      macro === 'exists',
      (index) => within(index, predicate),
      () => {},
    );
  }
  const built: Value[] = [];
  for (const [index, item] of items.entries()) {
    if (predicate !== null && within(index, predicate) !== true) continue;
    built.push(transform === null ? item : within(index, transform));
  }
  return macro === 'exists_one' ? built.length === 1 : built;
}
