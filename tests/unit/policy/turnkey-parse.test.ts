import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolicyError, renderProblem } from '../../../src/policy/errors.ts';
import type { Expression } from '../../../src/policy/syntax.ts';
import { formatTurnkey } from '../../../src/policy/turnkey/format.ts';
import { parseTurnkey } from '../../../src/policy/turnkey/parse.ts';
import { turnkeyCorpus } from './turnkey-corpus.ts';

const refusal = (source: string): string => {
  try {
    parseTurnkey(source);
  } catch (error) {
    if (error instanceof PolicyError && error.problems[0]) return renderProblem(source, error.problems[0]);
    throw error;
  }
  throw new Error(`parsed: ${source}`);
};

/** Chains are balanced trees. */
function operands(node: Expression, operator: string): readonly Expression[] {
  if (node.kind !== 'binary' || node.operator !== operator) return [node];
  if (operator !== '&&' && operator !== '||') return [node.left, node.right];
  return [...operands(node.left, operator), ...operands(node.right, operator)];
}

/** The tree with brackets for every operator. */
function shape(node: Expression): string {
  switch (node.kind) {
    case 'literal':
      return node.literal.type === 'string' ? `'${node.literal.value}'` : String(node.literal.value);
    case 'name':
      return node.name;
    case 'member':
      return `${shape(node.object)}.${node.field}`;
    case 'index':
      return `${shape(node.object)}[${shape(node.index)}]`;
    case 'slice':
      return `${shape(node.object)}[${shape(node.from)}..${shape(node.to)}]`;
    case 'call':
      return `${node.receiver ? `${shape(node.receiver)}.` : ''}${node.name}(${node.arguments.map(shape).join(', ')})`;
    case 'macro':
      return `${shape(node.range)}.${node.macro}(${node.variable}, ${node.predicate ? shape(node.predicate) : ''})`;
    case 'unary':
      return `(${node.operator} ${shape(node.operand)})`;
    case 'binary':
      return `(${operands(node, node.operator).map(shape).join(` ${node.operator} `)})`;
    case 'list':
      return `[${node.items.map(shape).join(', ')}]`;
    case 'map':
      return `{${node.entries.map(([key, value]) => `${shape(key)}: ${shape(value)}`).join(', ')}}`;
    default:
      throw new TypeError(node.kind);
  }
}

describe('what the language has', () => {
  test.each([
    ['a || b && c', '(a || (b && c))'],
    ['!a == b', '((! a) == b)'],
    ['!!a', '(! (! a))'],
    ["!(a.b == 'x')", "(! (a.b == 'x'))"],
    ['l.any(v, v > 1)', 'l.exists(v, (v > 1))'],
    ['l.filter(v, v.t.contains(1)).count() >= 2', '(l.filter(v, (1 in v.t)).count() >= 2)'],
    ['l.count == 1', '(l.count() == 1)'],
    ['l[0].x[34..74]', 'l[0].x[34..74]'],
    ["m['a'][0]['b']", "m['a'][0]['b']"],
    ["'x' in [ 'x', 'y' ]", "('x' in ['x', 'y'])"],
    ['[]', '[]'],
    ["{ id: 'abc', n: 1 }", "{'id': 'abc', 'n': 1}"],
    ["Timestamp('2026-03-01T00:00:00Z')", "Timestamp('2026-03-01T00:00:00Z')"],
    ["CronSpan('* * * * *', '1h', 'UTC')", "CronSpan('* * * * *', '1h', 'UTC')"],
    ['CaseInsensitiveString(a.b)', 'CaseInsensitiveString(a.b)'],
    ['a == -5', '(a == -5)'],
    ['(( a\n&&\tb ))', '(a && b)'],
    ['\'back\\slash "quotes"\'', '\'back\\slash "quotes"\''],
    ['l.any(for, for == 1)', 'l.exists(for, (for == 1))'],
    ['115792089237316195423570985008687907853269984665640564039457584007913129639935', `${2n ** 256n - 1n}`],
  ])('%s', (source, expected) => {
    expect(shape(parseTurnkey(source))).toBe(expected);
  });

  test('spans are places in the text', () => {
    const source = "a.b == 'x' && (l.any(v, v == 1))";
    const tree = parseTurnkey(source);
    const texts: string[] = [];
    const visit = (node: Expression): void => {
      texts.push(source.slice(node.span.start, node.span.end));
      if (node.kind === 'binary') [node.left, node.right].forEach(visit);
    };
    visit(tree);
    expect(texts).toEqual([source, "a.b == 'x'", 'a.b', "'x'", '(l.any(v, v == 1))']);
  });
});

describe('what it does not have is refused by name', () => {
  test.each([
    'a == "x"',
    'a = 1',
    'a & b',
    'a + 1 == 2',
    '1 - 1 == 0',
    'a ? b : c',
    'a == 1.5',
    'a == 1u',
    'a == 0x10',
    'a == 1_000',
    'a == null',
    "a.matches('^x')",
    "a.startsWith('0x')",
    'has(a.b)',
    'size(a) > 1',
    'l.exists(v, v == 1)',
    'l.map(v, v)',
    'l.count(v, v == 1) > 1',
    'l.any(v == 1)',
    'l.any()',
    'a < b < c',
    'a and b',
    'not a',
    'a // why',
    'a[0:10]',
    "a == 'open",
    "a['x'",
    '(a',
    'a)',
    'a &&',
    '',
    '  ',
    'a == <ADDRESS>',
    'a.0',
    "timestamp('2026-01-01T00:00:00Z') == a",
    'l.contain(1)',
    `a == ${2n ** 256n}`,
    `a == ${-(2n ** 127n) - 1n}`,
    'a == “x”',
    'a\u00a0== 1',
    'true in',
    'in == 1',
  ])('%s', (source) => {
    expect(refusal(source)).toMatchSnapshot();
  });
});

describe('limits', () => {
  test.each([
    ['length', `a == '${'x'.repeat(8192)}'`],
    ['10 MB', 'a'.repeat(10_000_000)],
    ['brackets', `${'('.repeat(4000)}a${')'.repeat(4000)}`],
    ['open brackets', '['.repeat(8000)],
    ['negations', `${'!'.repeat(8000)}a`],
    ['members', `a${'.a'.repeat(4000)}`],
    ['items', `[${'1,'.repeat(4000)}1]`],
    ['lone surrogate', "a == '\ud800'"],
  ])('%s', (_name, source) => {
    const start = performance.now();
    expect(() => parseTurnkey(source)).toThrow(PolicyError);
    expect(performance.now() - start).toBeLessThan(500);
  });

  test('long chains are no nesting', () => {
    expect(() => parseTurnkey(Array.from({ length: 300 }, (_, index) => `a == ${index}`).join(' || '))).not.toThrow();
  });
});

test('any text parses or is refused as a policy', () => {
  const words = fc.constantFrom(
    ...[
      'a',
      'in',
      '==',
      '&&',
      '(',
      ')',
      '[',
      ']',
      '..',
      '.',
      ',',
      "'x'",
      '1',
      '!',
      '.any(',
      '.count',
      '{',
      '}',
      ':',
      '<',
      '-',
      '"',
      ' ',
    ],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words, { maxLength: 30 }).map((found) => found.join('')),
  );
  fc.assert(
    fc.property(text, (source) => {
      try {
        parseTurnkey(source);
      } catch (error) {
        expect(error).toBeInstanceOf(PolicyError);
        for (const problem of (error as PolicyError).problems) renderProblem(source, problem);
      }
    }),
    { numRuns: 2000 },
  );
});

test('the format of every published expression means the same', () => {
  for (const { expression } of turnkeyCorpus.filter(({ valid }) => valid)) {
    const tree = parseTurnkey(expression);
    const text = formatTurnkey(tree);
    expect(shape(parseTurnkey(text))).toBe(shape(tree));
    expect(formatTurnkey(parseTurnkey(text))).toBe(text);
  }
});
