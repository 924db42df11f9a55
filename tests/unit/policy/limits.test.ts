/** What must neither be slow nor be let through; the holes of published CEL packages by name. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCel } from '../../../src/policy/cel/parse.ts';
import { check } from '../../../src/policy/check.ts';
import { compile } from '../../../src/policy/compile.ts';
import { compileText } from '../../../src/policy/compile-text.ts';
import { EvaluationError, PolicyError } from '../../../src/policy/errors.ts';
import type { Schema, Type, Value } from '../../../src/policy/types.ts';

const int: Type = { kind: 'int', wide: false };
const string: Type = { kind: 'string' };
const bool: Type = { kind: 'bool' };
const schema: Schema = {
  n: { type: int, description: '' },
  s: { type: string, description: '' },
  tx: {
    type: { kind: 'struct', name: 'Transaction', fields: { value: { type: int, description: '' } } },
    description: '',
  },
  m: { type: { kind: 'map', key: string, value: int }, description: '' },
  l: { type: { kind: 'list', element: int, maxItems: 1000 }, description: '' },
  short: { type: { kind: 'list', element: int, maxItems: 50 }, description: '' },
};

const compileCel = (source: string, expected: Type = bool) => compile(check(parseCel(source), 'cel', schema, expected));

function refusal(source: string): string {
  try {
    compileCel(source);
  } catch (error) {
    if (error instanceof PolicyError) return error.message;
    throw error;
  }
  return '';
}

function outcome(source: string, facts: Record<string, Value>, expected: Type = bool): Value | string {
  try {
    return compileCel(source, expected)(facts);
  } catch (error) {
    if (error instanceof EvaluationError) return error.code;
    throw error;
  }
}

const milliseconds = (run: () => unknown): number => {
  const start = performance.now();
  run();
  return performance.now() - start;
};

describe('hostile texts are refused quickly', () => {
  test.each(['cel', 'turnkey'] as const)('%s: 10 MB', (language) => {
    const source = 'a'.repeat(10_000_000);
    const refuse = (): void =>
      expect(() => compileText(source, { language, schema, expected: bool })).toThrow(PolicyError);
    refuse();
    expect(Math.min(milliseconds(refuse), milliseconds(refuse), milliseconds(refuse))).toBeLessThan(10);
  });

  test.each([
    '(',
    '[',
    '!',
    '-',
    '{1:',
    'f(',
    'x[',
    'true ? ',
    'true ? true : ',
    'a.b(',
    '"a" + ',
    'n + ',
    'a.',
    'true && ',
    'true || ',
    "'",
    '"""',
    'b"\\x',
    '1 in ',
    '`',
  ])('%s thousands of times', (part) => {
    for (const language of ['cel', 'turnkey'] as const) {
      const source = part.repeat(Math.floor(8000 / part.length));
      for (const text of [source, `${source}1`, `${source}true`]) {
        try {
          compileText(text, { language, schema, expected: bool });
        } catch (error) {
          expect(error).toBeInstanceOf(PolicyError);
        }
      }
    }
  });

  test('random texts are a tree or a PolicyError', () => {
    const token = fc.constantFrom(
      'n',
      's',
      'tx',
      '.',
      'value',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '?',
      ':',
      ',',
      '&&',
      '||',
      '==',
      'in',
      '-',
      '!',
      '1',
      '1u',
      '1.5',
      ' ether',
      "'",
      '"',
      'r"',
      '\\',
      '`',
      '//',
      '\n',
      'has',
      '.all(',
      'size',
      'true',
      '\u0000',
      '\ud800',
      '0x',
      'e9',
    );
    const source = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.array(token, { maxLength: 40 }).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(source, fc.constantFrom('cel' as const, 'turnkey' as const), (text, language) => {
        try {
          compileText(text, { language, schema, expected: bool });
        } catch (error) {
          expect(error).toBeInstanceOf(PolicyError);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('what the specification demands of a parser is accepted', () => {
    const repeat = (count: number, text: string, separator: string): string =>
      Array.from({ length: count }, () => text).join(separator);
    expect(refusal(repeat(32, 'n == 1', ' || '))).toBe('');
    expect(refusal(`n in [${repeat(32, 'n', ', ')}]`)).toBe('');
    expect(refusal(`${repeat(24, 'n', ' + ')} == n`)).toBe('');
    expect(refusal(`${'n == 1 ? true : '.repeat(24)}false`)).toBe('');
    expect(refusal(`${'('.repeat(12)}n == 1${')'.repeat(12)}`)).toBe('');
    expect(refusal(repeat(600, 'n == 1', ' || '))).toBe('');
  });
});

describe('cost', () => {
  test('macros may be nested, but not so that they blow up', () => {
    expect(refusal('short.all(a, short.all(b, a < b))')).toBe('');
    expect(refusal('l.all(a, l.all(b, l.all(c, a + b < c)))')).toContain('steps');
    expect(refusal('[1].all(a, [1].all(b, [1].all(c, [1].all(d, a == d))))')).toContain('nested at most 3');
  });

  test('longer facts than their type says meet the limit at evaluation', () => {
    const long = Array.from({ length: 2000 }, (_, index) => BigInt(index));
    expect(outcome('short.all(a, short.all(b, a >= 0 || b >= 0))', { short: long })).toBe('limit');
    expect(outcome('true || short.all(a, short.all(b, a >= 0))', { short: long })).toBe(true);
    expect(outcome('short.all(a, short.all(b, a >= 0)) || true', { short: long })).toBe('limit');
  });

  test('a text does not grow without end', () => {
    const doubled = `s.replace('a', ${Array.from({ length: 100 }, () => 's').join(' + ')})`;
    expect(outcome(`size(${doubled}) > 0`, { s: 'a'.repeat(5000) })).toBe('limit');
  });
});

describe('holes of published packages', () => {
  test('1: matches is linear, RE2 only, and compiled at the check', () => {
    expect(milliseconds(() => outcome("s.matches('^(a+)+$')", { s: `${'a'.repeat(20_000)}!` }))).toBeLessThan(3000);
    expect(refusal("s.matches('(?=a)')")).toContain('RE2');
    expect(refusal("s.matches('(?<=a)')")).toContain('RE2');
    expect(refusal("s.matches('(a)\\\\1')")).toContain('RE2');
    expect(refusal("s.matches('(')")).toContain('RE2');
    expect(refusal("s.matches('(((a{30}){30}){30})')")).toContain('RE2');
    expect(outcome("s.matches('a')", { s: 'b'.repeat(70_000) })).toBe('limit');
  });

  test('2: has of a field that does not exist is refused', () => {
    expect(refusal('!has(tx.tpyo)')).toContain('field does not exist');
    expect(refusal('has(n.c)')).toContain('no fields');
  });

  test('3: integer literals have a range', () => {
    expect(refusal('99999999999999999999 > n')).toContain('out of range');
    expect(refusal('9223372036854775808 > 1')).toContain('out of range');
    expect(refusal('-9223372036854775808 < n')).toBe('');
  });

  test('4: no overflow is missed', () => {
    expect(outcome('n / -1 == 0', { n: -(2n ** 63n) })).toBe('overflow');
    expect(outcome('-n == 0', { n: -(2n ** 63n) })).toBe('overflow');
    expect(refusal('int(1e19) > 0')).toContain('out of range');
  });

  test('5: relations are one level and join from the left', () => {
    expect(refusal('true == 1 < 2')).toContain('no `==` between bool and int');
    expect(outcome('n < 2 == true', { n: 1n })).toBe(true);
  });

  test('6: prefix operators count as nesting', () => {
    expect(refusal(`${'!'.repeat(5000)}true`)).toContain('nested too deeply');
    expect(refusal(`${'-'.repeat(5000)}1 == 1`)).toContain('nested too deeply');
  });

  test('7: timestamps have nanoseconds and bounds', () => {
    expect(outcome("timestamp(s) == timestamp('2026-01-01T00:00:00Z')", { s: '2026-01-01T00:00:00.000000001Z' })).toBe(
      false,
    );
    expect(outcome('int(timestamp(s)) == 0', { s: '10000-01-01T00:00:00Z' })).toBe('invalid-argument');
    expect(outcome("timestamp(s) + duration('-1s') < timestamp(s)", { s: '0001-01-01T00:00:00Z' })).toBe('overflow');
    expect(
      outcome("duration('1s') + timestamp(s) == timestamp('1970-01-01T00:00:01Z')", { s: '1970-01-01T00:00:00Z' }),
    ).toBe(true);
  });

  test('8: ASCII case, code points, bytes', () => {
    expect(outcome('s.lowerAscii()', { s: 'ÀB' }, string)).toBe('Àb');
    expect(outcome("s < '\u{1f600}'", { s: '\uff61' })).toBe(true);
    expect(outcome("bytes(s) < b'b'", { s: 'a' })).toBe(true);
    expect(outcome('string(bytes(s) + b"\\xff") == s', { s: 'a' })).toBe('invalid-argument');
    expect(refusal('1u < 2')).toContain('no `<`');
    expect(refusal('1 < 1.5')).toContain('no `<`');
  });

  test('9: there are no functions but those described', () => {
    for (const call of [
      'b"a".json()',
      'cel.bind(x, 1, x)',
      'optional.of(1)',
      's.constructor()',
      's.__proto__()',
      'toString()',
    ]) {
      expect(refusal(`${call} == 1`)).not.toBe('');
    }
  });

  test('11: duplicate keys are an error', () => {
    expect(outcome("{'a': n, 'a': 2}.a == 2", { n: 1n })).toBe('invalid-argument');
  });

  test('12: bytes literals are UTF-8', () => {
    expect(outcome("b'\\303\\277' == b'ÿ' && br'\\x' == b'\\\\x'", {})).toBe(true);
  });

  test('13: fixed zones without sign, ranges of time', () => {
    expect(outcome("timestamp(s).getHours('02:00') == 2", { s: '2026-01-01T00:00:00Z' })).toBe(true);
    expect(
      outcome("int(timestamp(s) - timestamp('0001-01-01T00:00:00Z') > duration('1s') ? 1 : 0) == 1", {
        s: '2026-01-01T00:00:00Z',
      }),
    ).toBe('overflow');
  });
});

describe('prototype names', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];
  test.each(names)('%s is no root, field or key unless declared', (name) => {
    expect(refusal(`${name} == 1`)).toContain('there is no');
    expect(refusal(`tx.${name} == 1`)).toContain('does not exist');
    expect(refusal(`has(tx.${name})`)).toContain('does not exist');
    expect(outcome(`m.${name} == 1`, { m: new Map() })).toBe('no-such-key');
    expect(outcome(`m['${name}'] == 1`, { m: new Map() })).toBe('no-such-key');
    expect(outcome(`has(m.${name}) || '${name}' in m`, { m: new Map() })).toBe(false);
    expect(outcome(`{'${name}': 1}.${name} == 1 && [2].all(${name}, ${name} == 2)`, {})).toBe(true);
  });
});
