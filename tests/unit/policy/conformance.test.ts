import { expect, test } from 'vitest';
import { parseCel } from '../../../src/policy/cel/parse.ts';
import { check } from '../../../src/policy/check.ts';
import { compile } from '../../../src/policy/compile.ts';
import { dynamicEquals, kindOf } from '../../../src/policy/dynamic.ts';
import { EvaluationError, PolicyError } from '../../../src/policy/errors.ts';
import { evaluateWithTrace } from '../../../src/policy/trace.ts';
import type { Schema, Value } from '../../../src/policy/types.ts';
import { type ConformanceTest, coreTests } from './conformance-tests.ts';

/** Where we differ on purpose, by the test's path. */
const exactNumbers = 'an int and a double compare exactly; the suite rounds the int to a double first';
const noDottedNames =
  'names are fields of typed facts; there are no variables with dots in their names, nor type names';
const deliberate: ReadonlyMap<string, string> = new Map([
  ['comparisons/lt_literal/not_lt_dyn_int_big_lossy_double', exactNumbers],
  ['comparisons/gt_literal/not_gt_dyn_big_double_int', exactNumbers],
  ['comparisons/lte_literal/lte_dyn_big_double_int', exactNumbers],
  ['comparisons/gte_literal/gte_dyn_int_big_lossy_double', exactNumbers],
  ['fields/qualified_identifier_resolution/qualified_ident', noDottedNames],
  ['fields/qualified_identifier_resolution/map_field_select', noDottedNames],
  ['fields/qualified_identifier_resolution/qualified_identifier_resolution_unchecked', noDottedNames],
  ['fields/qualified_identifier_resolution/ident_with_longest_prefix_check', noDottedNames],
  ['timestamps/timestamp_conversions/type_comparison', noDottedNames],
  ['timestamps/duration_conversions/type_comparison', noDottedNames],
]);

const typeNames = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type', 'type'];

function evaluate({ expression, bindings }: ConformanceTest): Value | undefined {
  const schema: Record<string, Schema[string]> = {};
  const facts: Record<string, Value> = {};
  for (const name of typeNames) {
    schema[name] = { type: { kind: 'type' }, description: '' };
    facts[name] = name;
  }
  for (const [name, value] of bindings) {
    schema[name] = { type: { kind: 'dyn' }, description: '' };
    facts[name] = value;
  }
  try {
    const checked = check(parseCel(expression), 'cel', schema, { kind: 'dyn' });
    const traced = evaluateWithTrace(checked, facts);
    try {
      const value = compile(checked)(facts);
      expect(traced.value, 'the tracing interpreter agrees').toEqual(value);
      return value;
    } catch (error) {
      if (error instanceof EvaluationError) expect(traced.error?.code).toBe(error.code);
      throw error;
    }
  } catch (error) {
    if (error instanceof PolicyError || error instanceof EvaluationError) return undefined;
    throw error;
  }
}

function passes(conformanceTest: ConformanceTest): boolean {
  const { expected } = conformanceTest;
  const value = evaluate(conformanceTest);
  if (value === undefined || expected === undefined) return value === expected;
  if (Number.isNaN(expected)) return Number.isNaN(value);
  return kindOf(value) === kindOf(expected) && dynamicEquals(value, expected);
}

const { tests, skipped } = coreTests();

test('the core of the CEL conformance suite', () => {
  const failing = tests.filter((each) => !passes(each)).map(({ path }) => path);
  expect(failing.toSorted()).toEqual([...deliberate.keys()].toSorted());
  expect(1 - failing.length / tests.length).toBeGreaterThan(0.97);
});

test('what is left out builds or reads protobuf messages, of which policies have none', () => {
  const readsMessage = 'x.getMilliseconds()';
  expect(skipped.filter((expression) => !/TestAllTypes|google\.protobuf/.test(expression))).toEqual([readsMessage]);
  expect(skipped.length / (skipped.length + tests.length)).toBeLessThan(0.1);
  // Deliberate too: they are refused with a message, see messages.test.ts.
  expect(() => parseCel('TestAllTypes{single_int64: 1}')).toThrow('there are no messages to build here');
});
