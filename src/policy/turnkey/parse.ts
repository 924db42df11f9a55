/**
 * Turnkey's expression language (as its documentation of 2026 has it) to the tree that CEL shares. Conventional precedence:
 * postfix, `!`, comparison and `in` (which do not chain), `&&`, `||`.
 */
import { maxNesting } from '../limits.ts';
import { suggest } from '../suggest.ts';
import type { BinaryOperator, Expression, Literal, Span } from '../syntax.ts';
import { checkSourceLength, createTreeBuilder, joinSpans as join, type TreeBuilder } from '../tree-builder.ts';
import { absentFunctions, absentMethods, wordOperators } from './absent.ts';
import { fail, lex, type Token } from './lexer.ts';

const maxUint = 2n ** 256n - 1n;
const minInt = -(2n ** 127n);

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', 'in']);
const keywords: ReadonlySet<string> = new Set(['true', 'false', 'in']);
const macros = { any: 'exists', all: 'all', filter: 'filter' } as const;
const methods = ['all', 'any', 'filter', 'contains', 'count'];
const functions = ['Timestamp', 'CronSpan', 'CaseInsensitiveString', 'IsGuaranteedWalletAccountInWallet'];

type Cursor = {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly builder: TreeBuilder;
  position: number;
  /** Brackets and negations around `position`. */
  nesting: number;
};

/** Throws `PolicyError`. */
export function parseTurnkey(source: string): Expression {
  checkSourceLength('turnkey', source);
  if (!source.isWellFormed()) return fail({ start: 0, end: 0 }, 'the text is not well-formed Unicode');
  const cursor: Cursor = {
    source,
    tokens: lex(source),
    builder: createTreeBuilder('turnkey'),
    position: 0,
    nesting: 0,
  };
  const tree = expression(cursor);
  const rest = peek(cursor);
  if (!isSymbol(rest, '')) refuseRest(cursor, rest);
  return tree;
}

/** A token that can stand where no further word fits. */
function refuseRest(cursor: Cursor, token: Token): never {
  const word = textOf(cursor, token);
  const operator = token.kind === 'name' && Object.hasOwn(wordOperators, word) ? wordOperators[word] : undefined;
  if (operator) return fail(token, `\`${word}\` is written \`${operator}\``, { suggestion: operator });
  if (comparisons.has(word)) return fail(token, 'comparisons do not chain; join them with `&&`');
  if (word === '-') return refuseMinus(token);
  return fail(token, `unexpected \`${word.slice(0, 40)}\``, { expected: 'an operator or the end' });
}

const refuseMinus = (sign: Token): never =>
  fail(sign, "Turnkey's language has no arithmetic; `-` is only the sign of a number");

function expression(cursor: Cursor): Expression {
  return nested(cursor, () => {
    const operands = [conjunction(cursor)];
    while (take(cursor, '||')) operands.push(conjunction(cursor));
    return cursor.builder.chain('||', operands);
  });
}

function conjunction(cursor: Cursor): Expression {
  const operands = [comparison(cursor)];
  while (take(cursor, '&&')) operands.push(comparison(cursor));
  return cursor.builder.chain('&&', operands);
}

function comparison(cursor: Cursor): Expression {
  const left = unary(cursor);
  const operator = peek(cursor);
  const text = textOf(cursor, operator);
  if (operator.kind === 'string' || !comparisons.has(text)) return left;
  cursor.position++;
  refusePlaceholder(cursor, operator);
  return binary(cursor, text as BinaryOperator, left, unary(cursor));
}

function unary(cursor: Cursor): Expression {
  const token = peek(cursor);
  if (isSymbol(token, '!')) {
    cursor.position++;
    return nested(cursor, () => {
      const operand = unary(cursor);
      return node(cursor, { kind: 'unary', operator: '!', operand, span: join(token, operand.span) });
    });
  }
  return postfix(cursor);
}

function postfix(cursor: Cursor): Expression {
  let object = primary(cursor);
  for (;;) {
    if (take(cursor, '.')) object = member(cursor, object);
    else if (take(cursor, '[')) object = bracket(cursor, object);
    else return object;
  }
}

function member(cursor: Cursor, object: Expression): Expression {
  const field = next(cursor);
  if (field.kind !== 'name') return unexpected(cursor, field, 'the name of a field or a function');
  const nameSpan = { start: field.start, end: field.end };
  if (isSymbol(peek(cursor), '(')) return method(cursor, object, field.text, nameSpan);
  const span = join(object.span, nameSpan);
  if (field.text === 'count') {
    return node(cursor, { kind: 'call', receiver: object, name: 'count', nameSpan, arguments: [], span });
  }
  return node(cursor, { kind: 'member', object, field: field.text, fieldSpan: nameSpan, span });
}

function method(cursor: Cursor, receiver: Expression, name: string, nameSpan: Span): Expression {
  if (Object.hasOwn(macros, name)) return macro(cursor, receiver, name as keyof typeof macros, nameSpan);
  if (!methods.includes(name)) refuseName(name, nameSpan, 'method', absentMethods, methods);
  const [found, end] = callArguments(cursor);
  const span = join(receiver.span, end);
  if (name === 'contains') {
    const [item] = found;
    if (!item || found.length > 1) return fail(nameSpan, `\`contains\` takes one value, not ${found.length}`);
    return binary(cursor, 'in', item, receiver, span);
  }
  if (found.length === 2) {
    return fail(nameSpan, '`count` takes no predicate: count what a filter leaves', {
      suggestion: 'filter(v, …).count()',
    });
  }
  if (found.length > 0) return fail(nameSpan, `\`count\` takes no arguments, not ${found.length}`);
  return node(cursor, { kind: 'call', receiver, name, nameSpan, arguments: [], span });
}

function macro(cursor: Cursor, range: Expression, name: keyof typeof macros, nameSpan: Span): Expression {
  expect(cursor, '(');
  const variable = next(cursor);
  if (variable.kind !== 'name' || keywords.has(variable.text)) {
    return unexpected(cursor, variable, `a variable: \`${name}(v, …)\``);
  }
  if (!isSymbol(peek(cursor), ',')) {
    return fail(nameSpan, `\`${name}\` takes a variable and a predicate: \`${name}(v, …)\``);
  }
  cursor.position++;
  const predicate = expression(cursor);
  const span = join(range.span, expect(cursor, ')'));
  return node(cursor, {
    kind: 'macro',
    macro: macros[name],
    range,
    variable: variable.text,
    predicate,
    transform: null,
    span,
  });
}

function bracket(cursor: Cursor, object: Expression): Expression {
  const from = expression(cursor);
  if (isSymbol(peek(cursor), ':')) {
    fail(peek(cursor), 'slices are written with two dots: `x[from..to]`', { suggestion: '..' });
  }
  if (!take(cursor, '..')) {
    const span = join(object.span, expect(cursor, ']'));
    return node(cursor, { kind: 'index', object, index: from, span });
  }
  const to = expression(cursor);
  const span = join(object.span, expect(cursor, ']'));
  return node(cursor, { kind: 'slice', object, from, to, span });
}

function primary(cursor: Cursor): Expression {
  const token = next(cursor);
  const span = { start: token.start, end: token.end };
  if (token.kind === 'integer') return literal(cursor, span, { type: 'int', value: inRange(token.value, span) });
  if (token.kind === 'string') return literal(cursor, span, { type: 'string', value: token.value });
  if (token.kind === 'name') return named(cursor, token.text, span);
  if (token.text === '(') {
    const inner = expression(cursor);
    return node(cursor, { ...inner, span: join(span, expect(cursor, ')')) });
  }
  if (token.text === '[') {
    const items = commaList(cursor, ']', () => expression(cursor));
    return node(cursor, { kind: 'list', items, span: join(span, expect(cursor, ']')) });
  }
  if (token.text === '{') {
    const entries = commaList(cursor, '}', () => entry(cursor));
    return node(cursor, { kind: 'map', entries, span: join(span, expect(cursor, '}')) });
  }
  if (token.text === '-') return negative(cursor, token);
  return unexpected(cursor, token, 'a value');
}

function named(cursor: Cursor, name: string, span: Span): Expression {
  if (name === 'true' || name === 'false') return literal(cursor, span, { type: 'bool', value: name === 'true' });
  if (name === 'null')
    fail(span, "Turnkey's language has no `null`: naming what is absent is an error; use CEL's `has`");
  if (name === 'not') fail(span, '`not` is written `!`', { suggestion: '!' });
  if (keywords.has(name)) fail(span, `unexpected \`${name}\``, { expected: 'a value' });
  if (!isSymbol(peek(cursor), '(')) return node(cursor, { kind: 'name', name, span });
  if (!functions.includes(name)) refuseName(name, span, 'function', absentFunctions, functions);
  const [found, end] = callArguments(cursor);
  const call = { kind: 'call', receiver: null, name, nameSpan: span, arguments: found } as const;
  return node(cursor, { ...call, span: join(span, end) });
}

function negative(cursor: Cursor, sign: Token): Expression {
  const token = next(cursor);
  const span = join(sign, token);
  if (token.kind === 'integer') return literal(cursor, span, { type: 'int', value: inRange(-token.value, span) });
  return refuseMinus(sign);
}

function inRange(value: bigint, span: Span): bigint {
  if (value >= minInt && value <= maxUint) return value;
  return fail(span, 'the number is too large', { expected: 'an int of 128 bits or a uint of 256 bits' });
}

function entry(cursor: Cursor): readonly [Expression, Expression] {
  const key = next(cursor);
  if (key.kind !== 'name') return unexpected(cursor, key, 'the name of a field: `{ id: … }`');
  const name = literal(cursor, { start: key.start, end: key.end }, { type: 'string', value: key.text });
  expect(cursor, ':');
  return [name, expression(cursor)];
}

function callArguments(cursor: Cursor): readonly [arguments_: readonly Expression[], end: Span] {
  expect(cursor, '(');
  const found = commaList(cursor, ')', () => expression(cursor));
  return [found, expect(cursor, ')')];
}

function commaList<T>(cursor: Cursor, close: string, item: () => T): readonly T[] {
  const items: T[] = [];
  if (isSymbol(peek(cursor), close)) return items;
  do items.push(item());
  while (take(cursor, ','));
  return items;
}

function refuseName(
  name: string,
  span: Span,
  what: string,
  known: typeof absentMethods,
  present: readonly string[],
): never {
  const hint = Object.hasOwn(known, name) ? known[name] : undefined;
  const suggestion = hint ? hint.suggestion : suggest(name, present);
  const message = `Turnkey's language has no ${what} \`${name.slice(0, 40)}\`${hint ? `: ${hint.message}` : ''}`;
  return fail(span, message, { expected: present.join(', '), ...(suggestion !== undefined && { suggestion }) });
}

function unexpected(cursor: Cursor, token: Token, expected: string): never {
  refusePlaceholder(cursor, token);
  if (isSymbol(token, '')) return fail(token, 'the expression ends too early', { expected });
  return fail(token, `unexpected \`${textOf(cursor, token).slice(0, 40)}\``, { expected });
}

/** Templates are often pasted as they are: `eth.tx.to == <ADDRESS>`. */
function refusePlaceholder(cursor: Cursor, token: Token): void {
  if (!isSymbol(token, '<')) return;
  const found = /^<[A-Z][A-Z0-9_ -]*>/.exec(cursor.source.slice(token.start, token.start + 80))?.[0];
  if (!found) return;
  const span = { start: token.start, end: token.start + found.length };
  fail(span, `${found} is a placeholder: put a value in its place`, { expected: "a number or a string such as `'…'`" });
}

/** Counts the nesting around `parse`. */
function nested(cursor: Cursor, parse: () => Expression): Expression {
  if (++cursor.nesting > maxNesting) fail(peek(cursor), 'the expression is nested too deeply');
  const parsed = parse();
  cursor.nesting--;
  return parsed;
}

const node = (cursor: Cursor, expression: Expression): Expression => cursor.builder.add(expression);

const literal = (cursor: Cursor, span: Span, value: Literal): Expression =>
  node(cursor, { kind: 'literal', literal: value, span });

const binary = (
  cursor: Cursor,
  operator: BinaryOperator,
  left: Expression,
  right: Expression,
  span = join(left.span, right.span),
): Expression => node(cursor, { kind: 'binary', operator, left, right, span });

const isSymbol = (token: Token, text: string): boolean => token.kind === 'symbol' && token.text === text;

const textOf = ({ source }: Cursor, { start, end }: Token): string => source.slice(start, end);

// The last token is the end, which is never passed by.
const peek = ({ tokens, position }: Cursor): Token => tokens[Math.min(position, tokens.length - 1)] as Token;

function next(cursor: Cursor): Token {
  const token = peek(cursor);
  cursor.position++;
  return token;
}

function take(cursor: Cursor, symbol: string): boolean {
  if (!isSymbol(peek(cursor), symbol)) return false;
  cursor.position++;
  return true;
}

function expect(cursor: Cursor, symbol: string): Span {
  const token = next(cursor);
  if (isSymbol(token, symbol)) return { start: token.start, end: token.end };
  const word = textOf(cursor, token);
  if (token.kind === 'name' && Object.hasOwn(wordOperators, word)) return refuseRest(cursor, token);
  if (comparisons.has(word)) return refuseRest(cursor, token);
  return unexpected(cursor, token, `\`${symbol}\``);
}
