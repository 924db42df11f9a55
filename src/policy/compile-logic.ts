import type { Compiler, Program } from './compile.ts';
import type { EvaluationError } from './errors.ts';
import { failureAt, itemsOf, spend, worse } from './evaluation.ts';
import type { Plan } from './plan.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

/**
 * && and ||. In CEL an operand that decides wins over another's error, and ends the evaluation. Turnkey's language evaluates
 * every operand, and any error wins.
 */
export function compileLogic(compiler: Compiler, plan: Plan & { op: 'and' | 'or' }): Program {
  const operands = plan.operands.map(compiler.compile);
  const deciding = plan.op === 'or';
  if (compiler.language === 'turnkey') return (facts) => decideStrictly(operands, deciding, facts);
  const [first, second, third] = operands;
  if (first !== undefined && second !== undefined && operands.length === 2) {
    return (facts) => {
      let reached = 0;
      try {
        if (first(facts) === deciding) return deciding;
        reached = 1;
        return second(facts) as boolean;
      } catch (error) {
        return resume(operands, reached, error, deciding, facts);
      }
    };
  }
  if (first !== undefined && second !== undefined && third !== undefined && operands.length === 3) {
    return (facts) => {
      let reached = 0;
      try {
        if (first(facts) === deciding) return deciding;
        reached = 1;
        if (second(facts) === deciding) return deciding;
        reached = 2;
        return third(facts) as boolean;
      } catch (error) {
        return resume(operands, reached, error, deciding, facts);
      }
    };
  }
  return (facts) => {
    let reached = 0;
    try {
      for (; reached < operands.length; reached += 1)
        if ((operands[reached] as Program)(facts) === deciding) return deciding;
      return !deciding;
    } catch (error) {
      return resume(operands, reached, error, deciding, facts);
    }
  };
}

/** Goes on behind the operand that failed: only one that decides is better than the error. */
function resume(
  operands: readonly Program[],
  failed: number,
  error: unknown,
  deciding: boolean,
  facts: Facts,
): boolean {
  let failure = worse(undefined, error);
  for (let index = failed + 1; index < operands.length; index += 1) {
    try {
      if ((operands[index] as Program)(facts) === deciding) return deciding;
    } catch (other) {
      failure = worse(failure, other);
    }
  }
  throw failure;
}

function decideStrictly(operands: readonly Program[], deciding: boolean, facts: Facts): boolean {
  let failure: EvaluationError | undefined;
  let decided = false;
  for (const operand of operands) {
    try {
      if (operand(facts) === deciding) decided = true;
    } catch (error) {
      failure = worse(failure, error);
    }
  }
  if (failure !== undefined) throw failure;
  return decided === deciding;
}

export function compileLoop(compiler: Compiler, plan: Plan & { op: 'loop' }): Program {
  compiler.loops.any = true;
  const { budget } = compiler;
  const range = compiler.compile(plan.range);
  const visit = visitor(compiler, plan);
  const place = failureAt(plan.source.span);
  return (facts) => {
    const values = range(facts);
    try {
      const items = itemsOf(values);
      spend(budget, items.length);
      return visit(items, facts);
    } catch (error) {
      throw place(error);
    }
  };
}

type Visitor = (items: readonly Value[], facts: Facts) => Value;

function visitor(compiler: Compiler, plan: Plan & { op: 'loop' }): Visitor {
  const { slots, language } = compiler;
  const { slot, macro } = plan;
  const predicate = plan.predicate && compiler.compile(plan.predicate);
  const transform = plan.transform && compiler.compile(plan.transform);
  if ((macro === 'all' || macro === 'exists') && predicate !== null) {
    const deciding = macro === 'exists';
    const isStrict = language === 'turnkey';
    return (items, facts) => {
      let failure: EvaluationError | undefined;
      let decided = false;
      for (const item of items) {
        slots[slot] = item;
        try {
          if (predicate(facts) === deciding) {
            if (!isStrict) return deciding;
            decided = true;
          }
        } catch (error) {
          failure = worse(failure, error);
        }
      }
      if (failure !== undefined) throw failure;
      return decided === deciding;
    };
  }
  // The others fail with the first error, in both languages.
  return (items, facts) => {
    const built: Value[] = [];
    for (const item of items) {
      slots[slot] = item;
      if (predicate !== null && predicate(facts) !== true) continue;
      built.push(transform === null ? item : transform(facts));
    }
    return macro === 'exists_one' ? built.length === 1 : built;
  };
}
