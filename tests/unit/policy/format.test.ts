import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCel } from '../../../src/policy/cel/format.ts';
import { parseCel } from '../../../src/policy/cel/parse.ts';
import { coreTests } from './conformance-tests.ts';

/** The tree without its places. */
const shape = (source: string): unknown =>
  JSON.parse(
    JSON.stringify(parseCel(source), (key, value: unknown) => {
      if (key === 'span' || key === 'fieldSpan' || key === 'nameSpan') return undefined;
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'number' && !JSON.stringify(value).includes('.')
        ? `double ${Object.is(value, -0) ? '-0' : value}`
        : value;
    }),
  );

const parses = (source: string): boolean => {
  try {
    parseCel(source);
    return true;
  } catch {
    return false;
  }
};

test('every expression of the conformance suite round-trips', () => {
  const sources = coreTests()
    .tests.map(({ expression }) => expression)
    .filter(parses);
  expect(sources.length).toBeGreaterThan(1000);
  for (const source of sources) expect(shape(formatCel(parseCel(source))), source).toEqual(shape(source));
});

const atom = fc.oneof(
  fc.constantFrom(
    'x',
    'a.b',
    'f(1)',
    "'it\\'s'",
    'b"\\x00é"',
    '-5',
    '5',
    '7u',
    '1.5 ether',
    '-0.0',
    '1e300',
    '[1, 2]',
    "{'k': 1}",
    'has(a.b)',
    'true',
    'null',
    'a.`in`',
  ),
  fc.bigInt().map(String),
  fc
    .string()
    .map((text) => JSON.stringify(text).replaceAll('\\/', '/'))
    .filter(parses),
);
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    atom,
    fc
      .tuple(tie('expression'), fc.constantFrom('&&', '||', '==', '<', 'in', '+', '-', '*', '%'), tie('expression'))
      .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
    fc.tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression')).map((parts) => parts.join(' ')),
    fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    fc.tuple(fc.constantFrom('!', '-'), tie('expression')).map(([operator, operand]) => `${operator}(${operand})`),
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([object, index]) => `(${object})[${index}].field.method(${index})`),
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([range, body]) => `(${range}).map(v, ${body}, v.exists(w, ${body}))`),
  ),
}));

test('generated expressions round-trip', () => {
  fc.assert(
    fc.property(expression.filter(parses), (source) => {
      const formatted = formatCel(parseCel(source));
      expect(shape(formatted)).toEqual(shape(source));
      expect(formatCel(parseCel(formatted))).toBe(formatted);
    }),
    { numRuns: 2000 },
  );
});

test('shows what cannot be seen', () => {
  expect(formatCel(parseCel('"a\u202eb\\u0000"'))).toBe("'a\\U0000202eb\\U00000000'");
  expect(formatCel(parseCel('a&&(b||c)&&d?-x:1.50 ether'))).toBe('a && (b || c) && d ? -x : 1.5 ether');
});
