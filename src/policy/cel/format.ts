import { formatAmount } from '../amounts.ts';
import type { BinaryOperator, Expression, Literal } from '../syntax.ts';
import { createTreeBuilder } from '../tree-builder.ts';

/** How tightly an operator binds; a looser operand is put in parentheses. */
const strength: Readonly<Record<BinaryOperator, number>> = {
  '||': 2,
  '&&': 3,
  '==': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  in: 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
};
const conditional = 1;
const unary = 7;
const member = 8;

/** One line of CEL that parses to the same tree. */
export function formatCel(tree: Expression): string {
  return print(tree, 0);
}

/** In parentheses where the place binds tighter than the expression. */
function print(node: Expression, least: number): string {
  const [text, own] = write(node);
  return own < least ? `(${text})` : text;
}

const join = (nodes: readonly Expression[]): string => nodes.map((node) => print(node, 0)).join(', ');

function write(node: Expression): readonly [text: string, strength: number] {
  switch (node.kind) {
    case 'literal':
      return [writeLiteral(node.literal), isNegative(node.literal) ? unary : member];
    case 'amount':
      return [writeAmount(node.value, node.unit), node.value < 0n ? unary : member];
    case 'name':
      return [node.name, member];
    case 'member':
      return [`${print(node.object, member)}.${writeField(node.field)}`, member];
    case 'has':
      return [`has(${print(node.object, member)}.${writeField(node.field)})`, member];
    case 'index':
      return [`${print(node.object, member)}[${print(node.index, 0)}]`, member];
    case 'slice':
      return [`${print(node.object, member)}.slice(${join([node.from, node.to])})`, member];
    case 'call': {
      const receiver = node.receiver === null ? '' : `${print(node.receiver, member)}.`;
      return [`${receiver}${node.name}(${join(node.arguments)})`, member];
    }
    case 'macro': {
      const parts = [node.predicate, node.transform].filter((part) => part !== null);
      return [`${print(node.range, member)}.${node.macro}(${node.variable}, ${join(parts)})`, member];
    }
    case 'unary':
      return [writeUnary(node), unary];
    case 'binary':
      return writeBinary(node);
    case 'conditional': {
      const [condition, then] = [print(node.condition, conditional + 1), print(node.whenTrue, conditional + 1)];
      return [`${condition} ? ${then} : ${print(node.whenFalse, conditional)}`, conditional];
    }
    case 'list':
      return [`[${join(node.items)}]`, member];
    case 'map':
      return [`{${node.entries.map(([key, value]) => `${print(key, 0)}: ${print(value, 0)}`).join(', ')}}`, member];
  }
}

/** Only runs of the same prefix are grammatical; a literal keeps its own sign apart. */
function writeUnary({ operator, operand }: Expression & { kind: 'unary' }): string {
  const isNumber = operand.kind === 'literal' && (operand.literal.type === 'int' || operand.literal.type === 'double');
  const parenthesized =
    (operand.kind === 'unary' && operand.operator !== operator) ||
    (operator === '-' && isNumber) ||
    (operator === '!' && isNumber);
  return `${operator}${parenthesized ? `(${print(operand, 0)})` : print(operand, unary)}`;
}

function writeBinary(node: Expression & { kind: 'binary' }): readonly [string, number] {
  const own = strength[node.operator];
  const chain = chainOf(node);
  if (chain !== undefined) return [chain.map((operand) => print(operand, own + 1)).join(` ${node.operator} `), own];
  const isLogic = node.operator === '&&' || node.operator === '||';
  return [`${print(node.left, isLogic ? own + 1 : own)} ${node.operator} ${print(node.right, own + 1)}`, own];
}

/** The operands of a chain that is balanced as the parser would balance it. */
function chainOf(node: Expression & { kind: 'binary' }): readonly Expression[] | undefined {
  if (node.operator !== '&&' && node.operator !== '||') return undefined;
  const operands: Expression[] = [];
  const collect = (part: Expression): void => {
    if (part.kind !== 'binary' || part.operator !== node.operator) operands.push(part);
    else for (const side of [part.left, part.right]) collect(side);
  };
  collect(node);
  const shape = (part: Expression): string =>
    part.kind === 'binary' && part.operator === node.operator ? `(${shape(part.left)}${shape(part.right)})` : '.';
  const balanced = createTreeBuilder('cel').chain(node.operator, operands);
  return shape(balanced) === shape(node) ? operands : undefined;
}

const isNegative = (literal: Literal): boolean =>
  (literal.type === 'int' && literal.value < 0n) ||
  (literal.type === 'double' && (literal.value < 0 || Object.is(literal.value, -0)));

const writeAmount = (value: bigint, unit: string): string =>
  value < 0n ? `-${formatAmount(-value, unit)} ${unit}` : `${formatAmount(value, unit)} ${unit}`;

const writeField = (field: string): string =>
  /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(field) && !/^(?:true|false|null|in)$/.test(field) ? field : `\`${field}\``;

function writeLiteral(literal: Literal): string {
  switch (literal.type) {
    case 'null':
      return 'null';
    case 'bool':
    case 'int':
      return `${literal.value}`;
    case 'uint':
      return `${literal.value}u`;
    case 'double':
      return writeDouble(literal.value);
    case 'string':
      return writeString(literal.value);
    case 'bytes':
      return `b'${[...literal.value].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`;
  }
}

function writeDouble(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const text = value.toString();
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', "'": "\\'" };

/** What cannot be seen is escaped, so that a policy shows all that it says. */
function writeString(text: string): string {
  const escaped = text.replace(/[\\'\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return named[character] ?? `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
  });
  return `'${escaped}'`;
}
