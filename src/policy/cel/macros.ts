import type { Expression, Macro, Span } from '../syntax.ts';
import { fail } from './tokens.ts';

type Call = {
  readonly receiver: Expression | null;
  readonly name: string;
  readonly nameSpan: Span;
  readonly arguments: readonly Expression[];
  readonly span: Span;
};

const macros: ReadonlyMap<string, readonly number[]> = new Map([
  ['all', [2]],
  ['exists', [2]],
  ['exists_one', [2]],
  ['existsOne', [2]],
  ['map', [2, 3]],
  ['filter', [2]],
]);

/** The macros of the CEL specification; any other call stays one. */
export function expandMacro(call: Call): Expression {
  const { receiver, name, span, arguments: args } = call;
  const [first, second, third] = args;
  if (receiver === null && name === 'has' && first !== undefined && args.length === 1) {
    if (first.kind !== 'member') return fail('`has` needs a field', first.span, 'has(object.field)');
    return { kind: 'has', object: first.object, field: first.field, fieldSpan: first.fieldSpan, span };
  }
  const isMacro = receiver !== null && macros.get(name)?.includes(args.length);
  if (!isMacro || first === undefined || second === undefined) return { kind: 'call', ...call };
  if (first.kind !== 'name') return fail(`the first argument of \`${name}\` names the element`, first.span, 'a name');
  const macro: Macro = name === 'existsOne' ? 'exists_one' : (name as Macro);
  const transform = macro === 'map' ? (third ?? second) : null;
  const predicate = macro === 'map' && third === undefined ? null : second;
  return { kind: 'macro', macro, range: receiver, variable: first.name, predicate, transform, span };
}
