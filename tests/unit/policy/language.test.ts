import { describe, expect, test } from 'vitest';
import { parseCel } from '../../../src/policy/cel/parse.ts';
import { check } from '../../../src/policy/check.ts';
import { compile } from '../../../src/policy/compile.ts';
import { compileText } from '../../../src/policy/compile-text.ts';
import { EvaluationError, PolicyError, renderProblem } from '../../../src/policy/errors.ts';
import type { Language } from '../../../src/policy/syntax.ts';
import { evaluateWithTrace } from '../../../src/policy/trace.ts';
import type { Field, Schema, Type, Value } from '../../../src/policy/types.ts';

const field = (type: Type, more: Partial<Field> = {}): Field => ({ type, description: '', ...more });
const string: Type = { kind: 'string' };
const int: Type = { kind: 'int', wide: false };
const wei: Type = { kind: 'uint', wide: true };
const struct = (name: string, fields: Record<string, Field>): Type => ({ kind: 'struct', name, fields });
const list = (element: Type, maxItems = 10): Type => ({ kind: 'list', element, maxItems });

const transaction = struct('Transaction', {
  to: field({ kind: 'address' }, { optional: true }),
  value: field(wei),
  data: field(string),
  raw: field({ kind: 'bytes' }),
  code: field({ kind: 'caseless' }),
  name: field(string, { default: '' }),
  args: field({ kind: 'map', key: string, value: { kind: 'value' } }),
  message: field({ kind: 'map', key: string, value: { kind: 'value', caseless: true } }),
});
const schema: Schema = {
  eth: field(
    struct('Eth', {
      tx: field(transaction, { namespace: true }),
      typed: field(struct('Typed', { n: field(int) }), { namespace: true }),
    }),
  ),
  n: field(int),
  limit: field({ kind: 'int', wide: true }),
  who: field(string),
  at: field({ kind: 'timestamp' }),
  users: field(
    list(struct('User', { id: field(string), tags: field(list(string)), email: field(string, { optional: true }) })),
  ),
  secret: field(string, { celOnly: true }),
};

const address = '0xd8da6bf26964af9d7eed9e03e53415d37aa96045';
const checksummed = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';
const ether = 10n ** 18n;
const record = (fields: Record<string, Value>): Value => Object.assign(Object.create(null), fields);
const facts = {
  eth: record({
    tx: record({
      to: address,
      value: 2n ** 255n,
      data: '0xa9059cbb0011',
      raw: Uint8Array.of(1, 2, 3),
      code: 'abc',
      args: new Map<string, Value>([
        ['amount', 5n],
        ['to', address],
        ['name', 'Bob'],
        ['ids', [1n, 2n]],
        ['flag', true],
        ['hash', Uint8Array.of(0xab)],
      ]),
      message: new Map<string, Value>([
        ['token', 'usdc'],
        ['list', [new Map([['a', 'x']])]],
      ]),
    }),
  }),
  n: 5n,
  limit: 3n * ether,
  who: checksummed,
  at: 1_700_000_000_000_000_000n,
  users: [record({ id: 'a', tags: ['t', 'u'] }), record({ id: 'b', tags: [], email: 'b@x' })],
  secret: 's',
};

function evaluate(source: string, language: Language = 'cel', expected: Type = { kind: 'bool' }): Value | string {
  const { checked, program } = compileText(source, { language, schema, expected });
  const traced = evaluateWithTrace(checked, facts);
  try {
    const value = program(facts);
    expect(traced.value).toEqual(value);
    return value;
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    expect(traced.error).toMatchObject({ code: error.code, span: error.span });
    return error.code;
  }
}

function problem(source: string, language?: Language, expected: Type = { kind: 'bool' }): string {
  try {
    compileText(source, { ...(language && { language }), schema, expected });
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map((each) => renderProblem(source, each)).join('\n');
    throw error;
  }
  return '';
}

describe('money', () => {
  test.each([
    ['eth.tx.value == 57896044618658097711785492504343953926634992332820282019728792003956564819968', true],
    ['eth.tx.value > 1.5 ether', true],
    ['limit == 3 ether && limit / 2 == 1.5 ether', true],
    ['limit >= 30 gwei && limit < eth.tx.value', true],
    ['limit in [1 ether, 3 ether]', true],
    ['3000000000000000000 == limit', true],
    ['12 usdc == 12000000', true],
    ['limit - 4 ether < 0', true],
    ['eth.tx.value + eth.tx.value > 0', 'overflow'],
    ['eth.tx.value - eth.tx.value - 1 >= 0', 'overflow'],
    ['n + 9223372036854775807 > 0', 'overflow'],
    ['uint256("0xff") == uint256(255)', true],
    ['-(-(-9223372036854775808)) < n', 'overflow'],
    ['18446744073709551615u / 1u == 18446744073709551615u', true],
    ['18446744073709551615u % 10u == 5u', true],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });

  test('refuses what is too precise, out of range or of another unit', () => {
    expect(problem('limit > 0.0000001 usdc', 'cel')).toContain('`usdc` has fewer decimals');
    expect(problem('limit > 1 ethr', 'cel')).toContain('did you mean `ether`');
    expect(problem(`eth.tx.value < ${2n ** 256n}`, 'cel')).toContain('out of range');
    expect(problem('eth.tx.value > -1', 'cel')).toContain('never negative');
    expect(problem('n < 9223372036854775808', 'cel')).toContain('expected: int from');
    expect(problem('limit > 1.5', 'cel')).toContain('no `>` between int and double');
  });
});

describe('addresses and texts without case', () => {
  test.each([
    [`has(eth.tx.to) && eth.tx.to == '${checksummed}'`, true],
    [`has(eth.tx.to) && eth.tx.to in ['${address.toUpperCase().replace('0X', '0x')}']`, true],
    [`has(eth.tx.to) && eth.tx.to == who`, true],
    [`has(eth.tx.to) && who in [eth.tx.to]`, true],
    [`who == '${address}'`, false],
    [`eth.tx.code == 'ABC' && eth.tx.code.startsWith('AB') && eth.tx.code.matches('^A')`, true],
    [`eth.tx.args['to'] == '${checksummed}'`, true],
    [`eth.tx.args['name'] == 'bob'`, false],
    [`eth.tx.message['token'] == 'USDC' && eth.tx.message['list'][0]['a'] in ['X', 'Y']`, true],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });

  test('refuses a wrong checksum and what is no address', () => {
    const wrong = checksummed.replace('dA6B', 'da6B');
    expect(problem(`has(eth.tx.to) && eth.tx.to == '${wrong}'`, 'cel')).toContain('checksum');
    expect(problem(`eth.tx.to == '${wrong}'`, 'turnkey')).toContain('checksum');
    expect(problem(`has(eth.tx.to) && eth.tx.to == '0x12'`, 'cel')).toContain('not an address');
  });
});

describe('decoded arguments', () => {
  test.each([
    ["eth.tx.args['amount'] <= 5 && eth.tx.args['amount'] == 5", true],
    ["eth.tx.args['amount'] + 1 == 6", true],
    ["eth.tx.args['amount'] == '5'", 'type-mismatch'],
    ["eth.tx.args['name'] < 5", 'type-mismatch'],
    ["eth.tx.args['none'] == 5", 'no-such-key'],
    ["'none' in eth.tx.args || has(eth.tx.args.none)", false],
    ["eth.tx.args['ids'].all(x, x < 3) && size(eth.tx.args['ids']) == 2", true],
    ["eth.tx.args['ids'][1] == 2 && 2 in eth.tx.args['ids']", true],
    ["eth.tx.args['ids'][7] == 2", 'index-out-of-range'],
    ["eth.tx.args['flag']", true],
    ["eth.tx.args['amount']", 'type-mismatch'],
    ["eth.tx.args['name'].startsWith('B')", true],
    ["eth.tx.args['hash'] == '0xAB'", true],
    ["eth.tx.args['amount'] in ['a']", 'type-mismatch'],
    [`eth.tx.args['to'] in ['x', '${checksummed}']`, true],
    [`eth.tx.args['name'] in ['${checksummed}', 'Bob']`, true],
    [`eth.tx.args['name'] in ['${checksummed}', 'bob']`, false],
    ["eth.tx.args['hash'] in ['x', '0xAB']", true],
    ['eth.tx.args.constructor == 5', 'no-such-key'],
    ['has(eth.tx.args.__proto__)', false],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });
});

describe('errors at evaluation', () => {
  test.each([
    ['cel', 'eth.typed.n == 1 || n == 5', true],
    ['cel', 'n == 5 || eth.typed.n == 1', true],
    ['cel', 'eth.typed.n == 1 && n == 4', false],
    ['cel', 'eth.typed.n == 1 && n == 5', 'namespace-absent'],
    ['cel', 'has(eth.typed)', false],
    ['cel', 'users.exists(u, 1 / size(u.tags) > 5 || u.id == "a")', true],
    ['cel', 'users.all(u, 4 / size(u.tags) > 1)', 'division-by-zero'],
    ['cel', 'eth.typed.n == 1 && 1 / (n - 5) == 0', 'division-by-zero'],
    ['turnkey', "eth.typed.n == 1 || who == 'x'", 'namespace-absent'],
    ['turnkey', "who != 'x' || eth.tx.data[10..99] == 'x'", 'index-out-of-range'],
    ['turnkey', "who == 'x' && eth.tx.data[10..99] == 'x'", 'index-out-of-range'],
    ['turnkey', "eth.typed.n == 1 && eth.tx.data[10..99] == 'x'", 'index-out-of-range'],
    ['turnkey', "users.any(u, u.tags[0] == 't')", 'index-out-of-range'],
    ['turnkey', "users.any(u, u.email == 'b@x')", 'missing-field'],
    ['turnkey', "eth.tx.data[0..10] == '0xa9059cbb' && 'abc'[1] == 'b' && eth.tx.name == ''", true],
    ['turnkey', "users.filter(u, u.tags.contains('t')).count() == 1 && users.count() == 2", true],
    ['turnkey', 'eth.tx.value > 170141183460469231731687303715884105728', true],
  ] as const)('%s: %s', (language, source, expected) => {
    expect(evaluate(source, language)).toBe(expected);
  });

  test('the absent namespace is named', () => {
    const { program } = compileText('eth.typed.n == 1', { language: 'turnkey', schema, expected: { kind: 'bool' } });
    const failure = { code: 'namespace-absent', namespace: 'eth.typed', span: { start: 0, end: 11 } };
    expect(() => program({ ...facts, eth: undefined })).toThrow(expect.objectContaining(failure));
    expect(() => program(facts)).toThrow(expect.objectContaining(failure));
  });
});

describe('optional fields', () => {
  test.each([
    ['has(eth.tx.to) && eth.tx.to == who', ''],
    ['!has(eth.tx.to) || eth.tx.to == who', ''],
    ['has(eth.tx.to) ? eth.tx.to == who : false', ''],
    ['!(!has(eth.tx.to) || n == 1) && eth.tx.to == who', ''],
    ['users.exists(u, has(u.email) && u.email == "x")', ''],
    ['eth.tx.to == who', 'may be absent'],
    ['has(eth.tx.to) || eth.tx.to == who', 'may be absent'],
    ['eth.tx.to == who && has(eth.tx.to)', 'may be absent'],
    ['users.exists(u, has(u.email)) && users.exists(u, u.email == "x")', 'may be absent'],
    ['users.all(u, has(u.email) && users.all(v, v.email == "x"))', 'may be absent'],
  ])('%s', (source, expected) => {
    if (expected === '') expect(problem(source, 'cel')).toBe('');
    else expect(problem(source, 'cel')).toContain(expected);
  });
});

describe('problems say where, what and what was meant', () => {
  test('line, column, carets, suggestion', () => {
    expect(problem('n == 5 &&\n  eth.tx.valeu > 1', 'cel')).toBe(
      [
        '2:10: field does not exist: valeu',
        '  eth.tx.valeu > 1',
        '         ^^^^^',
        'expected: a field of Transaction',
        'did you mean `value`?',
      ].join('\n'),
    );
  });
  test('all of them', () => {
    expect(problem('nn == 5 && whoo == 1 && n == "a"', 'cel').match(/\d:\d+:/g)).toEqual(['1:1:', '1:12:', '1:30:']);
  });
  test.each([
    ['cel', 'n', 'expected: bool'],
    ['cel', 'who.startWith("a")', 'did you mean `startsWith`?'],
    ['cel', 'size(n) == 1', '`size` does not take (int)'],
    ['cel', 'startsWith(who, "a")', 'expected: x.startsWith(…)'],
    ['cel', 'who.matches(who)', 'must be a constant'],
    ['cel', 'who.matches("(?=a)")', 'RE2'],
    ['cel', 'n == 1u', 'no `==` between int and uint'],
    ['cel', '[1, "a"].size() == 2', 'the items of a list have one type'],
    ['cel', 'n.exists(x, x == 1)', 'int has no elements'],
    ['cel', 'timestamp("yesterday") < at', 'not a timestamp'],
    ['cel', 'dyn(n) == 1', 'there is no function `dyn`'],
    ['cel', 'users == users', 'no `==` between'],
    ['turnkey', "secret == 'a'", 'there is no `secret`'],
    ['turnkey', "who < 'a'", 'no `<` between'],
    ['turnkey', "who.contains('a')", 'no test for a part of a text'],
  ] as const)('%s: %s', (language, source, expected) => {
    expect(problem(source, language)).toContain(expected);
  });
});

describe('which language a text is in', () => {
  const languageOf = (source: string): Language => compileText(source, { schema, expected: { kind: 'bool' } }).language;
  test("Turnkey's if it can be, otherwise CEL", () => {
    expect(languageOf("who == 'a' && users.any(u, u.id == 'a')")).toBe('turnkey');
    expect(languageOf('who == "a"')).toBe('cel');
    expect(languageOf("users.exists(u, u.id == 'a')")).toBe('cel');
    expect(languageOf("secret == 'a'")).toBe('cel');
    expect(languageOf('n + 1 == 2')).toBe('cel');
  });
  test('the problem is that of the front end that got further', () => {
    expect(problem('n + 1 == whoo')).toContain('did you mean `who`?');
    expect(problem("users.any(u, u.idd == 'a')")).toContain('did you mean `id`?');
  });
});

test('functions on texts, bytes and times', () => {
  const text = (source: string): Value | string => evaluate(source, 'cel', string);
  expect(text('"a,b,c".split(",", 2).join("-")')).toBe('a-b,c');
  expect(text('"abcabc".replace("b", "\u{1f600}", 1)')).toBe('a\u{1f600}cabc');
  expect(text('"ab".replace("", "-")')).toBe('-a-b-');
  expect(text('"a\u{1f600}b".charAt(1) + "a\u{1f600}b".substring(2)')).toBe('\u{1f600}b');
  expect(text('"ÀB".lowerAscii()')).toBe('Àb');
  expect(text('who.substring(2, n - 4)')).toBe('index-out-of-range');
  expect(text('string(at + duration("1h1ns"))')).toBe('2023-11-14T23:13:20.000000001Z');
  expect(evaluate('"\uff61" < "\u{1f600}"')).toBe(true);
  expect(evaluate('eth.tx.raw.slice(1, 3) == b"\\x02\\x03" && size(eth.tx.raw) == 3')).toBe(true);
  expect(evaluate('eth.tx.raw.slice(1, 4) == b""')).toBe('index-out-of-range');
  expect(evaluate('at.getHours("Europe/Berlin") == 23 && at.getDayOfWeek() == 2 && at.getHours("+05:30") == 3')).toBe(
    true,
  );
  expect(evaluate('at.getHours("Moon/Sea") == 23')).toBe('invalid-argument');
});

test('an order of texts is of code points', () => {
  const program = compile(check(parseCel('a < b'), 'cel', { a: field(string), b: field(string) }, { kind: 'bool' }));
  const texts = ['', 'a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f600}', '\u{10ffff}'];
  for (const [i, a] of texts.entries()) for (const [j, b] of texts.entries()) expect(program({ a, b })).toBe(i < j);
});
