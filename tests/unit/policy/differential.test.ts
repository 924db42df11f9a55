import { celEnv, celMap, celUint, isCelError, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCel } from '../../../src/policy/cel/parse.ts';
import { check } from '../../../src/policy/check.ts';
import { compile } from '../../../src/policy/compile.ts';
import { EvaluationError, PolicyError } from '../../../src/policy/errors.ts';
import { evaluateWithTrace } from '../../../src/policy/trace.ts';
import type { Type, Value } from '../../../src/policy/types.ts';
import { bindings, expressions, schema } from './expressions.ts';

const env = celEnv({ funcs: strings });
const failed = Symbol('failed');

type Bindings = Readonly<Record<string, Value>>;

function oracle(source: string): (values: Bindings) => unknown {
  const run = plan(env, parse(source));
  return (values) => {
    try {
      const result = run({
        ...values,
        u: celUint(values.u as bigint),
        m: celMap(values.m as ReadonlyMap<string, bigint>),
      } as Parameters<typeof run>[0]);
      return isCelError(result) ? failed : result;
    } catch {
      return failed;
    }
  };
}

const run = (evaluate: () => unknown): unknown => {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof EvaluationError) return failed;
    throw error;
  }
};

const kinds = [
  ['bool', { kind: 'bool' }],
  ['int', { kind: 'int', wide: false }],
  ['string', { kind: 'string' }],
] as const satisfies readonly (readonly [string, Type])[];

/** Cases are an expression with one set of values. */
const [sources, valuesEach] = process.env.COUNTERSIGN_TEST_FULL === '1' ? [4000, 10] : [400, 10];

for (const [kind, type] of kinds) {
  test(`${kind} expressions evaluate as in @bufbuild/cel, compiled and traced`, () => {
    let compared = 0;
    fc.assert(
      fc.property(
        expressions[kind],
        fc.array(bindings, { minLength: valuesEach, maxLength: valuesEach }),
        (source, cases) => {
          let checked: ReturnType<typeof check>;
          try {
            checked = check(parseCel(source), 'cel', schema, type);
          } catch (error) {
            // A constant call that always fails is refused, and so is what could cost too much.
            if (!(error instanceof PolicyError)) throw error;
            expect(error.message).toMatch(/out of range|steps|nested|too many parts|not a/);
            return;
          }
          const program = compile(checked);
          const reference = oracle(source);
          for (const values of cases) {
            const expected = reference(values);
            expect(
              run(() => program(values)),
              source,
            ).toEqual(expected);
            const traced = evaluateWithTrace(checked, values);
            expect(traced.error === undefined ? traced.value : failed).toEqual(expected);
            compared += 1;
          }
        },
      ),
      { numRuns: sources },
    );
    expect(compared).toBeGreaterThan((sources * valuesEach) / 2);
  }, 300_000);
}
