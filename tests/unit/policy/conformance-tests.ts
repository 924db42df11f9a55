/** The tests of the CEL specification that need no protobuf messages, in terms of our values. */
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { Tagged } from '../../../src/policy/dynamic.ts';
import type { Value } from '../../../src/policy/types.ts';

type Suite = ReturnType<typeof getConformanceSuite>;
type SpecTest = Suite['tests'][number];
export type ConformanceTest = {
  readonly path: string;
  readonly expression: string;
  readonly bindings: ReadonlyMap<string, Value>;
  /** Undefined: an error. */
  readonly expected: Value | undefined;
};

const coreSuites = [
  'basic',
  'comparisons',
  'conversions',
  'fields',
  'fp_math',
  'integer_math',
  'lists',
  'logic',
  'macros',
  'parse',
  'plumbing',
  'string',
  'timestamps',
];

type SpecValue = NonNullable<Extract<SpecTest['original']['resultMatcher'], { case: 'value' }>['value']>;

const unsupported = Symbol('unsupported');

/** Throws `unsupported` for what only protobuf has. */
function toValue(value: SpecValue): Value {
  const { kind } = value;
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value;
    case 'uint64Value':
      return new Tagged('uint', kind.value);
    case 'typeValue':
      return new Tagged('type', kind.value);
    case 'listValue':
      return kind.value.values.map(toValue);
    case 'mapValue':
      return new Map(
        kind.value.entries.map((entry) => {
          if (entry.key === undefined || entry.value === undefined) throw unsupported;
          const key = toValue(entry.key);
          return [(key instanceof Tagged ? key.value : key) as string, toValue(entry.value)];
        }),
      );
    default:
      throw unsupported;
  }
}

function toTest(path: string, { original }: SpecTest): ConformanceTest {
  const hasMessages = /google\.protobuf\.\w+\{|TestAllTypes/.test(original.expr);
  if (original.container !== '' || original.checkOnly || original.disableMacros || hasMessages) throw unsupported;
  const bindings = new Map<string, Value>();
  for (const [name, bound] of Object.entries(original.bindings)) {
    if (bound.kind.case !== 'value') throw unsupported;
    bindings.set(name, toValue(bound.kind.value));
  }
  const matcher = original.resultMatcher;
  switch (matcher.case) {
    case undefined:
      return { path, expression: original.expr, bindings, expected: true };
    case 'value':
      return { path, expression: original.expr, bindings, expected: toValue(matcher.value) };
    case 'evalError':
      return { path, expression: original.expr, bindings, expected: undefined };
    default:
      throw unsupported;
  }
}

/** The core's applicable tests by path, and the expressions that were left out. */
export function coreTests(): { readonly tests: readonly ConformanceTest[]; readonly skipped: readonly string[] } {
  const tests: ConformanceTest[] = [];
  const skipped: string[] = [];
  const visit = (suite: Suite, path: readonly string[]): void => {
    for (const test of suite.tests) {
      const name = [...path, test.name].join('/');
      try {
        tests.push(toTest(name, test));
      } catch (error) {
        if (error !== unsupported) throw error;
        skipped.push(test.original.expr);
      }
    }
    for (const inner of suite.suites) visit(inner, [...path, inner.name]);
  };
  for (const suite of getConformanceSuite().suites) if (coreSuites.includes(suite.name)) visit(suite, [suite.name]);
  return { tests, skipped };
}
