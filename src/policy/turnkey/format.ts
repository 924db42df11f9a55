import type { Expression } from '../syntax.ts';

/** Binding strength; what binds less than its place demands stands in brackets. */
const levels = { or: 1, and: 2, comparison: 3, unary: 4, postfix: 5 } as const;

/**
 * The canonical text of a tree that `parseTurnkey` made: parses to the same tree. Throws `TypeError` for what only CEL can say.
 */
export function formatTurnkey(tree: Expression): string {
  return write(tree, 0);
}

function write(node: Expression, least: number): string {
  const [text, level] = parts(node);
  return level < least ? `(${text})` : text;
}

function parts(node: Expression): readonly [text: string, level: number] {
  switch (node.kind) {
    case 'literal':
      return [literalText(node), levels.postfix];
    case 'name':
      return [node.name, levels.postfix];
    case 'member':
      return [`${write(node.object, levels.postfix)}.${node.field}`, levels.postfix];
    case 'index':
      return [`${write(node.object, levels.postfix)}[${write(node.index, 0)}]`, levels.postfix];
    case 'slice':
      return [`${write(node.object, levels.postfix)}[${write(node.from, 0)}..${write(node.to, 0)}]`, levels.postfix];
    case 'call': {
      const receiver = node.receiver ? `${write(node.receiver, levels.postfix)}.` : '';
      return [`${receiver}${node.name}(${commaList(node.arguments)})`, levels.postfix];
    }
    case 'macro': {
      const name = node.macro === 'exists' ? 'any' : node.macro;
      if (!node.predicate || !['any', 'all', 'filter'].includes(name)) break;
      const range = write(node.range, levels.postfix);
      return [`${range}.${name}(${node.variable}, ${write(node.predicate, 0)})`, levels.postfix];
    }
    case 'unary':
      if (node.operator !== '!') break;
      return [`!${write(node.operand, levels.unary)}`, levels.unary];
    case 'binary':
      return binaryParts(node);
    case 'list':
      return [`[${commaList(node.items)}]`, levels.postfix];
    case 'map':
      return [
        `{ ${node.entries.map(([key, value]) => `${fieldName(key)}: ${write(value, 0)}`).join(', ')} }`,
        levels.postfix,
      ];
  }
  throw new TypeError(`Turnkey's language has no ${node.kind}`);
}

function binaryParts(node: Expression & { kind: 'binary' }): readonly [string, number] {
  const { operator, left, right } = node;
  if (operator === '||' || operator === '&&') {
    const level = operator === '||' ? levels.or : levels.and;
    // A mix of the two is read wrongly more often than not, so that it gets its brackets.
    const side = (child: Expression) =>
      child.kind === 'binary' && (child.operator === '&&' || child.operator === '||') && child.operator !== operator
        ? `(${write(child, 0)})`
        : write(child, level);
    return [`${side(left)} ${operator} ${side(right)}`, level];
  }
  return [`${write(left, levels.unary)} ${operator} ${write(right, levels.unary)}`, levels.comparison];
}

const commaList = (items: readonly Expression[]): string => items.map((item) => write(item, 0)).join(', ');

function literalText(node: Expression & { kind: 'literal' }): string {
  const { type, value } = node.literal;
  if (type === 'string' && !value.includes("'")) return `'${value}'`;
  if (type === 'int' || type === 'bool') return String(value);
  throw new TypeError(`Turnkey's language has no such ${type}`);
}

function fieldName(key: Expression): string {
  if (key.kind === 'literal' && key.literal.type === 'string') return key.literal.value;
  throw new TypeError("keys are names in Turnkey's language");
}
