/** Well-typed CEL over a few variables, and values for them, for the tests that compare evaluators. */
import fc from 'fast-check';
import type { Schema, Type, Value } from '../../../src/policy/types.ts';

const int: Type = { kind: 'int', wide: false };
const variableTypes: Readonly<Record<string, Type>> = {
  i: int,
  j: int,
  u: { kind: 'uint', wide: false },
  d: { kind: 'double' },
  b: { kind: 'bool' },
  s: { kind: 'string' },
  t: { kind: 'string' },
  w: { kind: 'string' },
  y: { kind: 'bytes' },
  l: { kind: 'list', element: int, maxItems: 8 },
  n: { kind: 'list', element: { kind: 'string' }, maxItems: 8 },
  m: { kind: 'map', key: { kind: 'string' }, value: int },
};

export const schema: Schema = Object.fromEntries(
  Object.entries(variableTypes).map(([name, type]) => [name, { type, description: name }]),
);

const integer = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n, 7n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n),
  fc.bigInt({ min: -10n, max: 10n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const text = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'aba', 'B', '\uff61', 'é', 'k'),
  fc.string({ unit: fc.constantFrom('a', 'b', '\uffee', ' '), maxLength: 5 }),
);
/** Beyond the basic plane, where the oracle counts and orders UTF-16 units: kept from indexes and order. */
const wideText = fc.string({ unit: fc.constantFrom('a', '\u{1f600}', '\uff61', '\u{10ffff}'), maxLength: 4 });

export const bindings: fc.Arbitrary<Readonly<Record<string, Value>>> = fc.record({
  i: integer,
  j: integer,
  u: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  d: fc.oneof(fc.constantFrom(0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY), fc.double()),
  b: fc.boolean(),
  s: text,
  t: text,
  w: wideText,
  y: fc.uint8Array({ maxLength: 4 }),
  l: fc.array(integer, { maxLength: 4 }),
  n: fc.array(text, { maxLength: 4 }),
  m: fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'k', ''), integer), { selector: ([key]) => key, maxLength: 3 })
    .map((entries) => new Map(entries)),
});

type Kinds = { bool: string; int: string; uint: string; double: string; string: string; ints: string; strings: string };

const call = (parts: readonly fc.Arbitrary<string>[], build: (...texts: string[]) => string): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => build(...texts));
const infix = (operators: readonly string[], side: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  call([side, fc.constantFrom(...operators), side], (left, operator, right) => `(${left} ${operator} ${right})`);

const quote = (value: string): string => JSON.stringify(value);

export const expressions = fc.letrec<Kinds>((tie) => {
  const choice = (bool: fc.Arbitrary<string>, of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    call([bool, of, of], (condition, then, otherwise) => `(${condition} ? ${then} : ${otherwise})`);
  const [bool, ints, strings, number, string] = [tie('bool'), tie('ints'), tie('strings'), tie('int'), tie('string')];
  const limits = { maxDepth: 4, depthSize: 'small', withCrossShrink: true } as const;
  // No double negation and no division of uints: there the oracle is wrong, see language.test.ts.
  return {
    bool: fc.oneof(
      limits,
      fc.constantFrom('true', 'false', 'b', '(i == j)', '("k" in m)'),
      infix(['&&', '||', '==', '!='], bool),
      call([bool], (operand) => `!(${operand})`),
      infix(['<', '<=', '>', '>=', '==', '!='], number),
      infix(['<', '<=', '>', '>=', '==', '!='], string),
      infix(['==', '!='], fc.oneof(fc.constant('w'), string, wideText.map(quote))),
      call([fc.constantFrom('contains', 'startsWith'), wideText.map(quote)], (name, part) => `w.${name}(${part})`),
      infix(['<', '>', '==', '!='], tie('double')),
      infix(['<', '<=', '==', '!='], tie('uint')),
      infix(['==', '!='], ints),
      call(
        [string, fc.constantFrom('contains', 'startsWith', 'endsWith'), string],
        (object, name, other) => `${object}.${name}(${other})`,
      ),
      call(
        [string, fc.constantFrom('a+b', '^a', '[^a]$', 'a|b*', '^(a+)+$')],
        (object, pattern) => `${object}.matches('${pattern}')`,
      ),
      call([number, ints], (element, list) => `(${element} in ${list})`),
      call([string, strings], (element, list) => `(${element} in ${list})`),
      call(
        [ints, fc.constantFrom('all', 'exists', 'exists_one'), number, number],
        (list, macro, a, c) => `${list}.${macro}(v, ${a} / v < ${c})`,
      ),
      call(
        [strings, fc.constantFrom('all', 'exists', 'exists_one'), string],
        (list, macro, other) => `${list}.${macro}(v, v == ${other} || m[v] > i)`,
      ),
      call([fc.constantFrom('all', 'exists'), number], (macro, other) => `m.${macro}(key, m[key] < ${other})`),
      choice(bool, bool),
    ),
    int: fc.oneof(
      limits,
      fc.constantFrom('i', 'j', 'm.k', 'm["a"]', '0', '3', '-2', '9223372036854775807', '-9223372036854775808'),
      integer.map(String),
      infix(['+', '-', '*', '/', '%'], number),
      fc.constantFrom('-i', '-(i + j)', '-size(s)'),
      call([fc.oneof(string, ints, fc.constantFrom('m', 'y', 'w'))], (operand) => `size(${operand})`),
      call([ints, number], (list, index) => `${list}[${index}]`),
      call([fc.oneof(tie('uint'), tie('double'))], (operand) => `int(${operand})`),
      call([string, string], (a, c) => `${a}.indexOf(${c})`),
      choice(bool, number),
    ),
    uint: fc.oneof(
      limits,
      fc.constantFrom('u', '1u', '18446744073709551615u'),
      infix(['+', '-', '*'], tie('uint')),
      call([number], (operand) => `uint(${operand})`),
    ),
    double: fc.oneof(
      limits,
      fc.constantFrom('d', '1.5', '0.0', '-2.25', '1e300'),
      infix(['+', '-', '*', '/'], tie('double')),
      call([number], (operand) => `double(${operand})`),
    ),
    string: fc.oneof(
      limits,
      fc.constantFrom('s', 't', '"a"', "''"),
      text.map(quote),
      infix(['+'], string),
      call([number], (operand) => `string(${operand})`),
      call([string, fc.constantFrom('lowerAscii', 'upperAscii')], (object, name) => `${object}.${name}()`),
      call([string, number, number], (object, from, to) => `${object}.substring(${from}, ${to})`),
      call([string, number], (object, index) => `${object}.charAt(${index})`),
      choice(bool, string),
    ),
    ints: fc.oneof(
      limits,
      fc.constantFrom('l', '[1, 2, 3]'),
      call([number, number], (a, c) => `[${a}, ${c}]`),
      call([ints, number], (list, other) => `${list}.filter(v, v < ${other})`),
      call([ints, number], (list, other) => `${list}.map(v, v + ${other})`),
      call([ints, number, number], (list, a, c) => `${list}.map(v, v != ${a}, v * ${c})`),
      infix(['+'], ints),
    ),
    strings: fc.oneof(
      limits,
      fc.constantFrom('n', '["a", "b"]'),
      call([string, string], (a, c) => `[${a}, ${c}]`),
      call([string, string], (a, c) => `${a}.split(${c})`),
    ),
  };
});
