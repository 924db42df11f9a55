import type { Code, Compiler } from './compile.ts';
import type { EvaluationError } from './errors.ts';
import { absorb, fail, failure, failureAt, itemsOf, spend, worse } from './evaluation.ts';
import type { Plan } from './plan.ts';
import type { Language } from './syntax.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

export function compileLogic(compiler: Compiler, plan: Plan & { op: 'and' | 'or' }): Code {
  return combine(plan.op, compiler.language, plan.operands.map(compiler.compile));
}

/**
 * && and ||. In CEL an operand that decides wins over another's error, and ends the evaluation. Turnkey's language evaluates
 * every operand, and any error wins.
 */
export function combine(operator: 'and' | 'or', language: Language, operands: readonly Code[]): Code {
  const deciding = operator === 'or';
  if (language === 'turnkey') return (facts) => decideStrictly(operands, deciding, facts);
  const [first, second, third] = operands;
  if (first !== undefined && second !== undefined && operands.length === 2) {
    return (facts) => {
      const value = first(facts);
      if (value === deciding) return deciding;
      return value === undefined ? resume(operands, 1, deciding, facts) : second(facts);
    };
  }
  if (first !== undefined && second !== undefined && third !== undefined && operands.length === 3) {
    return (facts) => {
      const value = first(facts);
      if (value === deciding) return deciding;
      if (value === undefined) return resume(operands, 1, deciding, facts);
      const other = second(facts);
      if (other === deciding) return deciding;
      return other === undefined ? resume(operands, 2, deciding, facts) : third(facts);
    };
  }
  return (facts) => {
    for (let index = 0; index < operands.length; index += 1) {
      const value = (operands[index] as Code)(facts);
      if (value === deciding) return deciding;
      if (value === undefined) return resume(operands, index + 1, deciding, facts);
    }
    return !deciding;
  };
}

/** Goes on with the operands behind one that failed: only one that decides is better than the error. */
function resume(operands: readonly Code[], next: number, deciding: boolean, facts: Facts): boolean | undefined {
  let failed = failure();
  for (let index = next; index < operands.length; index += 1) {
    const value = (operands[index] as Code)(facts);
    if (value === deciding) return deciding;
    if (value === undefined) failed = worse(failed, failure());
  }
  return fail(failed);
}

function decideStrictly(operands: readonly Code[], deciding: boolean, facts: Facts): boolean | undefined {
  let failed: EvaluationError | undefined;
  let decided = false;
  for (const operand of operands) {
    const value = operand(facts);
    if (value === deciding) decided = true;
    else if (value === undefined) failed = worse(failed, failure());
  }
  return failed === undefined ? decided === deciding : fail(failed);
}

type Loop = Plan & { readonly op: 'loop' };

export function compileLoop(compiler: Compiler, plan: Loop): Code {
  const { macro } = plan;
  if (macro === 'filter' || macro === 'map') return compileVisit(compiler, plan, builder(compiler, plan));
  if (macro !== 'exists_one') return compileVisit(compiler, plan, quantifier(compiler, plan, macro === 'exists'));
  const count = counter(compiler, plan);
  return compileVisit(compiler, plan, (items, facts) => {
    const found = count(items, facts);
    return found === undefined ? undefined : found === 1;
  });
}

/** How many elements a filter leaves, without making a list of them. */
export function compileCount(compiler: Compiler, plan: Loop): Code {
  const count = counter(compiler, plan);
  return compileVisit(compiler, plan, (items, facts) => {
    const found = count(items, facts);
    return found === undefined ? undefined : BigInt(found);
  });
}

function compileVisit(compiler: Compiler, plan: Loop, visit: Visitor<Value>): Code {
  compiler.loops.any = true;
  const { budget } = compiler;
  const range = compiler.compile(plan.range);
  const place = failureAt(plan.source.span);
  return (facts) => {
    const values = range(facts);
    if (values === undefined) return undefined;
    let items: readonly Value[];
    try {
      items = itemsOf(values);
      spend(budget, items.length);
    } catch (error) {
      return absorb(place(error));
    }
    return visit(items, facts);
  };
}

type Visitor<Result> = (items: readonly Value[], facts: Facts) => Result | undefined;

const always: Code = () => true;

function quantifier({ slots, language, compileBody }: Compiler, plan: Loop, deciding: boolean): Visitor<boolean> {
  const { slot } = plan;
  const predicate = plan.predicate ? compileBody(plan.predicate) : always;
  const isStrict = language === 'turnkey';
  return (items, facts) => {
    let failed: EvaluationError | undefined;
    let decided = false;
    for (const item of items) {
      slots[slot] = item;
      const value = predicate(facts);
      if (value === deciding) {
        if (!isStrict) return deciding;
        decided = true;
      } else if (value === undefined) {
        failed = worse(failed, failure());
      }
    }
    return failed === undefined ? decided === deciding : fail(failed);
  };
}

// The others fail with the first error, in both languages.

function counter({ slots, compileBody }: Compiler, plan: Loop): Visitor<number> {
  const { slot } = plan;
  const predicate = plan.predicate ? compileBody(plan.predicate) : always;
  return (items, facts) => {
    let count = 0;
    for (const item of items) {
      slots[slot] = item;
      const value = predicate(facts);
      if (value === undefined) return undefined;
      if (value === true) count += 1;
    }
    return count;
  };
}

function builder({ slots, compileBody }: Compiler, plan: Loop): Visitor<readonly Value[]> {
  const { slot } = plan;
  const predicate = plan.predicate ? compileBody(plan.predicate) : always;
  const transform = plan.transform && compileBody(plan.transform);
  return (items, facts) => {
    const built: Value[] = [];
    for (const item of items) {
      slots[slot] = item;
      const value = predicate(facts);
      if (value === undefined) return undefined;
      if (value !== true) continue;
      const made = transform === null ? item : transform(facts);
      if (made === undefined) return undefined;
      built.push(made);
    }
    return built;
  };
}
