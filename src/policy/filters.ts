/** Conditions about past activities: `activities(condition, window)` and `sinceLast(condition)`. */
import { check } from './check.ts';
import { compile, type Program } from './compile.ts';
import { EvaluationError } from './errors.ts';
import { conditionSchema } from './schema/condition.ts';
import type { Expression } from './syntax.ts';
import type { Facts } from './values.ts';

/** By the tree that they were compiled from, which never changes in place. */
const compiled = new WeakMap<Expression, Program>();

/**
 * Whether a condition, which was checked in the policy around it, holds for anything that an activity signs. One that errs
 * counts as one that holds, unless the activity does not carry what it names: no limit may be lost by it.
 */
export function holdsForAny(filter: Expression, facts: readonly Facts[]): boolean {
  const program = compiled.get(filter) ?? compile(check(filter, 'cel', conditionSchema, { kind: 'bool' }));
  compiled.set(filter, program);
  return facts.some((each) => {
    try {
      return program(each) === true;
    } catch (error) {
      if (error instanceof EvaluationError) return error.code !== 'namespace-absent';
      throw error;
    }
  });
}
