import type { Checked } from './check.ts';
import { compileCount, compileLogic, compileLoop } from './compile-logic.ts';
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
  pathReader,
} from './evaluation.ts';
import { typeMismatch } from './failure.ts';
import { maxIterations } from './limits.ts';
import { different, identical, nativeOrder, type Plan } from './plan.ts';
import type { Language } from './syntax.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

/** Evaluates; throws `EvaluationError`. */
export type Program = (facts: Facts) => Value;

/** Evaluates; undefined where that ends in an error, of which `failure` tells. Throws where the limit is reached. */
export type Code = (facts: Facts) => Value | undefined;

/** The code that a part has in common with others, as they have the same value; undefined for what is compiled by itself. */
export type SharedCode = (plan: Plan, language: Language) => Code | undefined;

export type Compiler = {
  readonly language: Language;
  /** The macros' variables; code runs to its end before it can run again. */
  readonly slots: Value[];
  readonly budget: Budget;
  /** Whether there are macros, so that the budget counts. */
  readonly loops: { any: boolean };
  readonly compile: (plan: Plan) => Code;
  /** The same for what is inside a macro and knows its variable. */
  readonly compileBody: (plan: Plan) => Code;
};

/** Turns a checked expression into closures. */
export function compile(checked: Checked): Program {
  return programOf(compileCode(checked.plan, checked.language));
}

export const programOf =
  (code: Code): Program =>
  (facts) => {
    const value = code(facts);
    if (value === undefined) throw failure();
    return value;
  };

export function compileCode(plan: Plan, language: Language, shared?: SharedCode): Code {
  const budget: Budget = { left: maxIterations };
  const alone: Compiler = {
    language,
    slots: [],
    budget,
    loops: { any: false },
    compile: (part) => compileNode(alone, part),
    compileBody: (part) => compileNode(alone, part),
  };
  const compiler: Compiler = shared
    ? { ...alone, compile: (part) => shared(part, language) ?? compileNode(compiler, part) }
    : alone;
  const run = compileNode(compiler, plan);
  if (!compiler.loops.any) return run;
  return (facts) => {
    budget.left = maxIterations;
    return run(facts);
  };
}

function compileNode(compiler: Compiler, plan: Plan): Code {
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
      return () => slots[slot];
    }
    case 'field':
      return compileField(compiler, plan);
    case 'has':
      return compileHas(compiler, plan);
    case 'apply':
      return compileApply(compiler, plan);
    case 'and':
    case 'or':
      return compileLogic(compiler, plan);
    case 'conditional': {
      const [condition, then, otherwise] = [plan.condition, plan.whenTrue, plan.whenFalse].map(compiler.compile) as [
        Code,
        Code,
        Code,
      ];
      return (facts) => {
        const holds = condition(facts);
        return holds === undefined ? undefined : holds === true ? then(facts) : otherwise(facts);
      };
    }
    case 'loop':
      return compileLoop(compiler, plan);
    case 'list': {
      const items = plan.items.map(compiler.compile);
      return (facts) => valuesOf(items, facts);
    }
    case 'map':
      return compileMap(compiler, plan);
  }
}

type Struct = { readonly [field: string]: Value | undefined } | undefined;

/** The short way for what is there; the reader knows what absence means. */
function compilePath(plan: Plan & { op: 'path' }): Code {
  const read = pathReader(plan.steps, plan.source.span);
  const [first = '', second = '', third = '', fourth = ''] = plan.steps.map(({ field }) => field);
  if (plan.steps.length === 1) {
    return (facts) => {
      const value = facts[first];
      return value === undefined ? read(facts) : value;
    };
  }
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

function compileField(compiler: Compiler, plan: Plan & { op: 'field' }): Code {
  const read = fieldReader(plan.step, plan.source.span);
  const { field } = plan.step;
  if (plan.object.op === 'variable') {
    const { slots } = compiler;
    const { slot } = plan.object;
    return () => {
      const value = (slots[slot] as Struct)?.[field];
      return value === undefined ? read(slots[slot]) : value;
    };
  }
  const object = compiler.compile(plan.object);
  return (facts) => {
    const struct = object(facts);
    if (struct === undefined) return undefined;
    const value = (struct as Struct)?.[field];
    return value === undefined ? read(struct) : value;
  };
}

function compileHas(compiler: Compiler, plan: Plan & { op: 'has' }): Code {
  if (isRootHas(plan) && plan.object.op === 'path') return hasOfRoot(plan.object.steps[0].field, plan.field);
  const object = compiler.compile(plan.object);
  const { field } = plan;
  const place = failureAt(plan.source.span);
  return (facts) => {
    const value = object(facts);
    if (value === undefined) return undefined;
    try {
      return hasField(value, field);
    } catch (error) {
      return absorb(place(error));
    }
  };
}

function compileMap(compiler: Compiler, plan: Plan & { op: 'map' }): Code {
  const entries = plan.entries.map((entry) => entry.map(compiler.compile));
  const place = failureAt(plan.source.span);
  return (facts) => {
    const found: (readonly [Value, Value])[] = [];
    for (const entry of entries) {
      const values = valuesOf(entry, facts);
      if (values === undefined) return undefined;
      found.push(values as [Value, Value]);
    }
    try {
      return buildMap(found);
    } catch (error) {
      return absorb(place(error));
    }
  };
}

function valuesOf(codes: readonly Code[], facts: Facts): Value[] | undefined {
  const values: Value[] = [];
  for (const code of codes) {
    const value = code(facts);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

type Applied = (...values: Value[]) => Value | undefined;

function compileApply(compiler: Compiler, plan: Plan & { op: 'apply' }): Code {
  const list = plan.name === 'count' || plan.name === 'size' ? plan.arguments[0] : undefined;
  if (list?.op === 'loop' && list.macro === 'filter') return compileCount(compiler, list);
  const apply: Applied = plan.total ? plan.apply : guarded(plan);
  const [first, second, third] = plan.arguments.map(compiler.compile);
  const [, right] = plan.arguments;
  if (first !== undefined && plan.arguments.length === 1) {
    return (facts) => {
      const value = first(facts);
      return value === undefined ? undefined : apply(value);
    };
  }
  if (first !== undefined && second !== undefined && plan.arguments.length === 2) {
    if (right?.op === 'constant') return compileWithConstant(apply, first, right.value);
    return (facts) => {
      const value = first(facts);
      if (value === undefined) return undefined;
      const other = second(facts);
      return other === undefined ? undefined : apply(value, other);
    };
  }
  if (first !== undefined && second !== undefined && third !== undefined && plan.arguments.length === 3) {
    return (facts) => {
      const value = first(facts);
      if (value === undefined) return undefined;
      const other = second(facts);
      if (other === undefined) return undefined;
      const last = third(facts);
      return last === undefined ? undefined : apply(value, other, last);
    };
  }
  const all = plan.arguments.map(compiler.compile);
  return (facts) => {
    const values = valuesOf(all, facts);
    return values && apply(...values);
  };
}

/** What it throws, and that it has no value, as failures. */
function guarded({ apply, absent = typeMismatch, arguments: args, source }: Plan & { op: 'apply' }): Applied {
  const place = failureAt(source.span);
  const known = (value: Value | undefined) => (value === undefined ? absorb(place(absent)) : value);
  if (args.length === 1) {
    return (value: Value) => {
      try {
        return known(apply(value));
      } catch (error) {
        return absorb(place(error));
      }
    };
  }
  if (args.length === 2) {
    return (value: Value, other: Value) => {
      try {
        return known(apply(value, other));
      } catch (error) {
        return absorb(place(error));
      }
    };
  }
  return (...values: Value[]) => {
    try {
      return known(apply(...values));
    } catch (error) {
      return absorb(place(error));
    }
  };
}

/** The commonest comparisons without a call of their own. */
function compileWithConstant(apply: Applied, first: Code, value: Value): Code {
  const limit = value as bigint;
  switch (apply) {
    case identical:
      return (facts) => {
        const found = first(facts);
        return found === undefined ? undefined : found === value;
      };
    case different:
      return (facts) => {
        const found = first(facts);
        return found === undefined ? undefined : found !== value;
      };
    case nativeOrder['<']:
      return (facts) => {
        const found = first(facts) as bigint | undefined;
        return found === undefined ? undefined : found < limit;
      };
    case nativeOrder['<=']:
      return (facts) => {
        const found = first(facts) as bigint | undefined;
        return found === undefined ? undefined : found <= limit;
      };
    case nativeOrder['>']:
      return (facts) => {
        const found = first(facts) as bigint | undefined;
        return found === undefined ? undefined : found > limit;
      };
    case nativeOrder['>=']:
      return (facts) => {
        const found = first(facts) as bigint | undefined;
        return found === undefined ? undefined : found >= limit;
      };
    default:
      return (facts) => {
        const found = first(facts);
        return found === undefined ? undefined : apply(found, value);
      };
  }
}
