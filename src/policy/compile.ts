import type { Checked } from './check.ts';
import { compileLogic, compileLoop } from './compile-logic.ts';
import {
  type Budget,
  buildMap,
  failureAt,
  fieldReader,
  hasField,
  hasOfRoot,
  isRootHas,
  pathReader,
} from './evaluation.ts';
import { maxIterations } from './limits.ts';
import { type Apply, identical, nativeOrder, type Plan } from './plan.ts';
import type { Language } from './syntax.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

/** Evaluates; throws `EvaluationError`. */
export type Program = (facts: Facts) => Value;

export type Compiler = {
  readonly language: Language;
  /** The macros' variables; a program runs to its end before it can run again. */
  readonly slots: Value[];
  readonly budget: Budget;
  /** Whether there are macros, so that the budget counts. */
  readonly loops: { any: boolean };
  readonly compile: (plan: Plan) => Program;
};

/** Turns a checked expression into closures. */
export function compile({ language, plan }: Checked): Program {
  const slots: Value[] = [];
  const budget: Budget = { left: maxIterations };
  const compiler: Compiler = {
    language,
    slots,
    budget,
    loops: { any: false },
    compile: (node) => compileNode(compiler, node),
  };
  const run = compileNode(compiler, plan);
  if (!compiler.loops.any) return run;
  return (facts) => {
    budget.left = maxIterations;
    return run(facts);
  };
}

function compileNode(compiler: Compiler, plan: Plan): Program {
  switch (plan.op) {
    case 'constant': {
      const { value } = plan;
      return () => value;
    }
    case 'path':
      return compilePath(plan);
    case 'variable': {
      const { slots } = compiler;
      const { slot } = plan;
      return () => slots[slot] as Value;
    }
    case 'field': {
      const object = compileNode(compiler, plan.object);
      const read = fieldReader(plan.step, plan.source.span);
      const { field } = plan.step;
      return (facts) => {
        const struct = object(facts);
        const value = (struct as Struct)?.[field];
        return value === undefined ? read(struct) : value;
      };
    }
    case 'has':
      return compileHas(compiler, plan);
    case 'apply':
      return compileApply(compiler, plan);
    case 'and':
    case 'or':
      return compileLogic(compiler, plan);
    case 'conditional': {
      const [condition, then, otherwise] = [plan.condition, plan.whenTrue, plan.whenFalse].map(compiler.compile) as [
        Program,
        Program,
        Program,
      ];
      return (facts) => (condition(facts) === true ? then(facts) : otherwise(facts));
    }
    case 'loop':
      return compileLoop(compiler, plan);
    case 'list': {
      const items = plan.items.map(compiler.compile);
      return (facts) => items.map((item) => item(facts));
    }
    case 'map': {
      const entries = plan.entries.map(([key, value]) => [compiler.compile(key), compiler.compile(value)] as const);
      const place = failureAt(plan.source.span);
      return (facts) => {
        const values = entries.map(([key, value]) => [key(facts), value(facts)] as const);
        try {
          return buildMap(values);
        } catch (error) {
          throw place(error);
        }
      };
    }
  }
}

type Struct = { readonly [field: string]: Value | undefined } | undefined;

/** The short way for what is there; the reader knows what absence means. */
function compilePath(plan: Plan & { op: 'path' }): Program {
  const read = pathReader(plan.steps, plan.source.span);
  const [first = '', second = '', third = '', fourth = ''] = plan.steps.map(({ field }) => field);
  if (plan.steps.length === 2) {
    return (facts) => {
      const value = (facts[first] as Struct)?.[second];
      return value === undefined ? read(facts) : value;
    };
  }
  if (plan.steps.length === 3) {
    return (facts) => {
      const value = ((facts[first] as Struct)?.[second] as Struct)?.[third];
      return value === undefined ? read(facts) : value;
    };
  }
  if (plan.steps.length === 4) {
    return (facts) => {
      const value = (((facts[first] as Struct)?.[second] as Struct)?.[third] as Struct)?.[fourth];
      return value === undefined ? read(facts) : value;
    };
  }
  return read;
}

function compileHas(compiler: Compiler, plan: Plan & { op: 'has' }): Program {
  if (isRootHas(plan) && plan.object.op === 'path') return hasOfRoot(plan.object.steps[0].field, plan.field);
  const object = compileNode(compiler, plan.object);
  const { field } = plan;
  const place = failureAt(plan.source.span);
  return (facts) => {
    const value = object(facts);
    try {
      return hasField(value, field);
    } catch (error) {
      throw place(error);
    }
  };
}

function compileApply(compiler: Compiler, plan: Plan & { op: 'apply' }): Program {
  const { apply, total } = plan;
  const run = compileArguments(compiler, apply, plan.arguments);
  if (total) return run;
  const place = failureAt(plan.source.span);
  return (facts) => {
    try {
      return run(facts);
    } catch (error) {
      throw place(error);
    }
  };
}

function compileArguments(compiler: Compiler, apply: Apply, args: readonly Plan[]): Program {
  const [first, second, third] = args.map(compiler.compile);
  const [, right] = args;
  if (first !== undefined && args.length === 1) return (facts) => apply(first(facts));
  if (first !== undefined && second !== undefined && args.length === 2) {
    if (right?.op === 'constant') {
      const { value } = right;
      return compileWithConstant(apply, first, value);
    }
    return apply === identical
      ? (facts) => first(facts) === second(facts)
      : (facts) => apply(first(facts), second(facts));
  }
  if (first !== undefined && second !== undefined && third !== undefined && args.length === 3) {
    return (facts) => apply(first(facts), second(facts), third(facts));
  }
  const all = args.map(compiler.compile);
  return (facts) => apply(...all.map((argument) => argument(facts)));
}

/** The commonest comparisons without a call of their own. */
function compileWithConstant(apply: Apply, first: Program, value: Value): Program {
  const limit = value as bigint;
  switch (apply) {
    case identical:
      return (facts) => first(facts) === value;
    case nativeOrder['<']:
      return (facts) => (first(facts) as bigint) < limit;
    case nativeOrder['<=']:
      return (facts) => (first(facts) as bigint) <= limit;
    case nativeOrder['>']:
      return (facts) => (first(facts) as bigint) > limit;
    case nativeOrder['>=']:
      return (facts) => (first(facts) as bigint) >= limit;
    default:
      return (facts) => apply(first(facts), value);
  }
}
