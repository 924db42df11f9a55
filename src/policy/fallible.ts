import type { Checked } from './check.ts';
import type { Expression } from './syntax.ts';
import { children } from './tree-builder.ts';
import type { Type } from './types.ts';

const arithmetic: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%']);
/** Calls that have a value for every argument of their types. `CronSpan` and `Timestamp` take literals that were read before. */
const total: ReadonlySet<string> = new Set([
  'count',
  'size',
  'startsWith',
  'endsWith',
  'contains',
  'CaseInsensitiveString',
  'Timestamp',
  'CronSpan',
]);

/**
 * Whether an evaluation on complete facts may end in an error other than an absent namespace. Errs to the side of true:
 * the index relies on it to leave out policies that deny.
 */
export function isFallible({ tree, typeOf }: Checked): boolean {
  const dynamic = (node: Expression): boolean => ['value', 'dyn'].includes(typeOf(node).kind);
  const fallible = (node: Expression): boolean => {
    switch (node.kind) {
      case 'slice':
      case 'index':
        return true;
      case 'member':
        if (!alwaysThere(typeOf(node.object), node.field)) return true;
        break;
      case 'call':
        if (!total.has(node.name) || children(node).some(dynamic)) return true;
        break;
      case 'macro':
        if (dynamic(node.range)) return true;
        break;
      case 'unary':
        if (node.operator === '-') return true;
        break;
      case 'binary':
        if (arithmetic.has(node.operator) || children(node).some(dynamic)) return true;
        // `p in message['list']` and the like are caught above; elements of a list may be dynamic too.
        if (node.operator === 'in' && holdsDynamic(typeOf(node.right))) return true;
        break;
    }
    return children(node).some(fallible);
  };
  return fallible(tree);
}

function alwaysThere(object: Type, name: string): boolean {
  if (object.kind !== 'struct' || !Object.hasOwn(object.fields, name)) return false;
  const field = object.fields[name];
  return field !== undefined && (!field.optional || field.default !== undefined);
}

const holdsDynamic = (type: Type): boolean =>
  (type.kind === 'list' && ['value', 'dyn'].includes(type.element.kind)) ||
  (type.kind === 'map' && ['value', 'dyn'].includes(type.key.kind));
