/** Which optional fields are known to be there, by what `has` has said on the way to a place. */
import type { Expression } from '../syntax.ts';
import type { Scope } from './checker.ts';

type Learned = { readonly whenTrue: readonly string[]; readonly whenFalse: readonly string[] };

const nothing: Learned = { whenTrue: [], whenFalse: [] };

/** A name for the place that a chain of fields reads; undefined for what is no such chain. */
export function placeOf(node: Expression, scope: Scope): string | undefined {
  if (node.kind === 'name') {
    const variable = scope.variables.get(node.name);
    return variable === undefined ? node.name : `#${variable.slot}`;
  }
  if (node.kind === 'member') return fieldPlace(node.object, node.field, scope);
  if (node.kind !== 'index' || node.index.kind !== 'literal') return undefined;
  const object = placeOf(node.object, scope);
  const { value } = node.index.literal;
  const key = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return object === undefined ? undefined : `${object}[${key}]`;
}

export function fieldPlace(object: Expression, field: string, scope: Scope): string | undefined {
  const place = placeOf(object, scope);
  return place === undefined ? undefined : `${place}.${field}`;
}

function learn(node: Expression, scope: Scope): Learned {
  if (node.kind === 'has') {
    const place = fieldPlace(node.object, node.field, scope);
    return place === undefined ? nothing : { whenTrue: [place], whenFalse: [] };
  }
  if (node.kind === 'unary' && node.operator === '!') {
    const { whenTrue, whenFalse } = learn(node.operand, scope);
    return { whenTrue: whenFalse, whenFalse: whenTrue };
  }
  if (node.kind !== 'binary' || (node.operator !== '&&' && node.operator !== '||')) return nothing;
  const [left, right] = [learn(node.left, scope), learn(node.right, scope)];
  return node.operator === '&&'
    ? { whenTrue: [...left.whenTrue, ...right.whenTrue], whenFalse: [] }
    : { whenTrue: [], whenFalse: [...left.whenFalse, ...right.whenFalse] };
}

/** The scope where `node` has turned out to be `outcome`. */
export function after(node: Expression, outcome: boolean, scope: Scope): Scope {
  const learned = learn(node, scope)[outcome ? 'whenTrue' : 'whenFalse'];
  return learned.length === 0 ? scope : { ...scope, present: new Set([...scope.present, ...learned]) };
}
