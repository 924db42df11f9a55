import { PolicyError } from './errors.ts';
import { maxDepth, maxNodes, maxSourceLength } from './limits.ts';
import type { BinaryOperator, Expression, Language, Span } from './syntax.ts';

export type TreeBuilder = {
  /** Counts the node and its depth; throws {@link PolicyError} beyond the limits. */
  readonly add: (node: Expression) => Expression;
  /** One operand, or a balanced tree of an associative operator over them, so that long chains stay shallow. */
  readonly chain: (operator: '&&' | '||', operands: readonly Expression[]) => Expression;
};

/** The nodes right below. */
export function children(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'literal':
    case 'amount':
    case 'name':
      return [];
    case 'member':
    case 'has':
      return [node.object];
    case 'index':
      return [node.object, node.index];
    case 'slice':
      return [node.object, node.from, node.to];
    case 'call':
      return node.receiver === null ? node.arguments : [node.receiver, ...node.arguments];
    case 'macro':
      return [node.range, node.predicate, node.transform].filter((child) => child !== null);
    case 'unary':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'conditional':
      return [node.condition, node.whenTrue, node.whenFalse];
    case 'list':
      return node.items;
    case 'map':
      return node.entries.flat();
  }
}

/** Refuses an over-long source before anything looks at it. */
export function checkSourceLength(language: Language, source: string): void {
  if (source.length <= maxSourceLength) return;
  const message = `the expression is too long: ${source.length} characters, at most ${maxSourceLength}`;
  throw new PolicyError(language, 'parse', [{ message, span: { start: maxSourceLength, end: maxSourceLength } }]);
}

export const joinSpans = (first: Span, last: Span): Span => ({ start: first.start, end: last.end });

/** Builds the nodes of one expression within the limits. */
export function createTreeBuilder(language: Language): TreeBuilder {
  const depths = new Map<Expression, number>();

  const add = (node: Expression): Expression => {
    const depth = 1 + Math.max(0, ...children(node).map((child) => depths.get(child) ?? 0));
    depths.set(node, depth);
    if (depth > maxDepth)
      throw new PolicyError(language, 'parse', [{ message: 'the expression is nested too deeply', span: node.span }]);
    if (depths.size > maxNodes)
      throw new PolicyError(language, 'parse', [{ message: 'the expression has too many parts', span: node.span }]);
    return node;
  };

  const chain = (operator: BinaryOperator & ('&&' | '||'), operands: readonly Expression[]): Expression => {
    const [first, last] = [operands[0], operands.at(-1)];
    if (first === undefined || last === undefined) throw new RangeError('no operands');
    if (operands.length === 1) return first;
    const middle = Math.ceil(operands.length / 2);
    const left = chain(operator, operands.slice(0, middle));
    const right = chain(operator, operands.slice(middle));
    return add({ kind: 'binary', operator, left, right, span: joinSpans(first.span, last.span) });
  };

  return { add, chain };
}
