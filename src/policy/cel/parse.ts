import { amountUnits, parseAmount } from '../amounts.ts';
import { maxNesting } from '../limits.ts';
import { suggest } from '../suggest.ts';
import type { BinaryOperator, Expression, Span, UnaryOperator } from '../syntax.ts';
import { checkSourceLength, createTreeBuilder, joinSpans } from '../tree-builder.ts';
import { expandMacro } from './macros.ts';
import { fail, type Token, tokenize } from './tokens.ts';

const keywords: ReadonlySet<string> = new Set(['false', 'in', 'null', 'true']);
const reserved: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

/** Levels of binary operators that join from the left, loosest first; && and || stand apart. */
const levels: readonly (readonly string[])[] = [
  ['<', '<=', '>', '>=', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];

/**
 * Parses an expression of the Common Expression Language (CEL specification, "Syntax"), except message literals; and
 * amounts with a unit, `1.5 ether`. Throws `PolicyError`.
 */
export function parseCel(source: string): Expression {
  checkSourceLength('cel', source);
  const tokens = tokenize(source);
  const { add, chain } = createTreeBuilder('cel');
  let position = 0;
  let nesting = 0;

  const peek = (): Token => tokens[position] as Token;
  const is = (text: string): boolean =>
    peek().text === text && (peek().kind === 'punctuator' || peek().kind === 'name');
  const describe = (token: Token): string => (token.kind === 'end' ? 'end of the expression' : `\`${token.text}\``);
  const next = (): Token => {
    const token = peek();
    position += 1;
    return token;
  };
  const accept = (text: string): boolean => {
    if (!is(text)) return false;
    position += 1;
    return true;
  };
  const take = (text: string): Token => (is(text) ? next() : fail(`unexpected ${describe(peek())}`, peek().span, text));
  const spanFrom = (start: Span): Span => joinSpans(start, tokens[position - 1]?.span ?? start);
  const nested = <Result>(parse: () => Result): Result => {
    nesting += 1;
    if (nesting > maxNesting) fail('the expression is nested too deeply', peek().span);
    const result = parse();
    nesting -= 1;
    return result;
  };

  const parseExpression = (): Expression =>
    nested(() => {
      const condition = parseOr();
      if (!accept('?')) return condition;
      const whenTrue = parseOr();
      take(':');
      const whenFalse = parseExpression();
      return add({
        kind: 'conditional',
        condition,
        whenTrue,
        whenFalse,
        span: joinSpans(condition.span, whenFalse.span),
      });
    });

  const parseChain = (operator: '&&' | '||', operand: () => Expression): Expression => {
    const operands = [operand()];
    while (accept(operator)) operands.push(operand());
    return chain(operator, operands);
  };
  const parseOr = (): Expression => parseChain('||', parseAnd);
  const parseAnd = (): Expression => parseChain('&&', () => parseBinary(0));

  const parseBinary = (level: number): Expression => {
    const operators = levels[level];
    if (operators === undefined) return parseUnary();
    const start = peek().span;
    let left = parseBinary(level + 1);
    while (operators.some(is)) {
      const operator = next().text as BinaryOperator;
      const right = parseBinary(level + 1);
      left = add({ kind: 'binary', operator, left, right, span: spanFrom(start) });
    }
    return left;
  };

  const parseUnary = (): Expression => {
    const operators: Token[] = [];
    while (is('!') || (is('-') && operators[0]?.text !== '!')) {
      if (operators[0] !== undefined && operators[0].text !== peek().text) break;
      operators.push(next());
      if (nesting + operators.length > maxNesting) fail('the expression is nested too deeply', peek().span);
    }
    const last = operators.at(-1);
    const token = peek();
    let operand = parseMember();
    const negated = last?.text === '-' && token.kind === 'literal' ? negate(operand, last.span) : undefined;
    if (negated !== undefined) {
      operand = add(negated);
      operators.pop();
    }
    for (const operator of operators.reverse()) {
      const span = joinSpans(operator.span, operand.span);
      operand = add({ kind: 'unary', operator: operator.text as UnaryOperator, operand, span });
    }
    return operand;
  };

  const parseMember = (): Expression => {
    const start = peek().span;
    let object = parsePrimary();
    for (;;) {
      if (accept('.')) {
        const token = next();
        const selects = token.kind === 'quoted-name' || (token.kind === 'name' && !keywords.has(token.text));
        if (!selects) fail(`unexpected ${describe(token)}`, token.span, 'the name of a field');
        if (token.kind === 'name' && accept('(')) {
          const args = parseArguments();
          const call = {
            receiver: object,
            name: token.text,
            nameSpan: token.span,
            arguments: args,
            span: spanFrom(start),
          };
          object = add(expandMacro(call));
        } else {
          object = add({ kind: 'member', object, field: token.text, fieldSpan: token.span, span: spanFrom(start) });
        }
      } else if (accept('[')) {
        const index = parseExpression();
        take(']');
        object = add({ kind: 'index', object, index, span: spanFrom(start) });
      } else {
        const isType = object.kind === 'name' || object.kind === 'member';
        if (isType && is('{'))
          fail('there are no messages to build here', peek().span, "a map such as `{'key': value}`, or an operator");
        return object;
      }
    }
  };

  const parseArguments = (): Expression[] => {
    const items: Expression[] = [];
    if (accept(')')) return items;
    do items.push(parseExpression());
    while (accept(','));
    take(')');
    return items;
  };

  const parsePrimary = (): Expression => {
    const token = next();
    if (token.kind === 'literal') return parseLiteral(token);
    if (token.kind === 'name') return parseName(token, token.span);
    if (token.kind === 'punctuator') {
      if (token.text === '(') {
        const inner = parseExpression();
        take(')');
        return inner;
      }
      if (token.text === '[') return parseList(token.span);
      if (token.text === '{') return parseMap(token.span);
      if (token.text === '.' && peek().kind === 'name') return parseName(next(), token.span);
    }
    return fail(`unexpected ${describe(token)}`, token.span, 'an expression');
  };

  const parseLiteral = (token: Token & { kind: 'literal' }): Expression => {
    const unit = peek();
    const isNumber = token.literal.type === 'int' || token.literal.type === 'double';
    if (!isNumber || unit.kind !== 'name' || unit.text === 'in') {
      return add({ kind: 'literal', literal: token.literal, span: token.span });
    }
    next();
    const span = joinSpans(token.span, unit.span);
    const value = parseAmount(token.text, unit.text);
    if (value !== undefined) return add({ kind: 'amount', value, unit: unit.text, span });
    if (amountUnits.includes(unit.text)) return fail(`\`${unit.text}\` has fewer decimals`, token.span);
    return failUnknownUnit(unit);
  };

  const parseName = (token: Token, start: Span): Expression => {
    const { text, span } = token;
    if (text === 'true' || text === 'false') {
      return add({ kind: 'literal', literal: { type: 'bool', value: text === 'true' }, span });
    }
    if (text === 'null') return add({ kind: 'literal', literal: { type: 'null', value: null }, span });
    if (keywords.has(text)) return fail(`unexpected \`${text}\``, span, 'an expression');
    if (reserved.has(text)) return fail(`\`${text}\` is a reserved word`, span, 'a name');
    if (accept('(')) {
      const args = parseArguments();
      return add(expandMacro({ receiver: null, name: text, nameSpan: span, arguments: args, span: spanFrom(start) }));
    }
    return add({ kind: 'name', name: text, span });
  };

  const parseList = (start: Span): Expression => {
    const items: Expression[] = [];
    while (!is(']')) {
      items.push(parseExpression());
      if (!accept(',')) break;
    }
    take(']');
    return add({ kind: 'list', items, span: spanFrom(start) });
  };

  const parseMap = (start: Span): Expression => {
    const entries: (readonly [Expression, Expression])[] = [];
    while (!is('}')) {
      const key = parseExpression();
      take(':');
      entries.push([key, parseExpression()]);
      if (!accept(',')) break;
    }
    take('}');
    return add({ kind: 'map', entries, span: spanFrom(start) });
  };

  const tree = parseExpression();
  if (peek().kind !== 'end') fail(`unexpected ${describe(peek())}`, peek().span, 'an operator or the end');
  return tree;
}

/** `-5` is one literal, so that the least integer can be written; undefined for what is no number. */
function negate(operand: Expression, minus: Span): Expression | undefined {
  if (operand.kind !== 'literal') return undefined;
  const { literal } = operand;
  const span = joinSpans(minus, operand.span);
  if (literal.type === 'int') return { kind: 'literal', literal: { type: 'int', value: -literal.value }, span };
  if (literal.type === 'double') return { kind: 'literal', literal: { type: 'double', value: -literal.value }, span };
  return undefined;
}

function failUnknownUnit(unit: Token): never {
  // Nearer in letters is `weth`.
  const suggestion = unit.text.toLowerCase() === 'eth' ? 'ether' : suggest(unit.text, amountUnits);
  const message = `unexpected \`${unit.text}\` after a number`;
  return fail(
    suggestion === undefined ? message : `${message}; did you mean \`${suggestion}\`?`,
    unit.span,
    'an operator or a unit',
  );
}
