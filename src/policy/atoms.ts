/** Equalities that must hold for an expression to be true: what the index finds policies by. */
import type { Checked } from './check.ts';
import type { Expression } from './syntax.ts';
import { foldCase } from './text.ts';

export type Atom = {
  /** A field of the facts, such as `eth.tx.to`. */
  readonly path: string;
  readonly value: string | bigint | boolean;
};

/** Where an expression is true, one of these at least holds. */
export type Atoms = readonly Atom[];

/** More values than this in one `in` are not worth as many entries. */
const maxAtoms = 256;
const maxOptions = 16;

/** Sets of atoms, any of which the expression can be found by; none where nothing is known. */
export function atomOptions({ tree, typeOf }: Checked): readonly Atoms[] {
  const options = (node: Expression): readonly Atoms[] => {
    if (node.kind !== 'binary') return [];
    const { operator, left, right } = node;
    if (operator === '&&') return [...options(left), ...options(right)].slice(0, maxOptions);
    if (operator === '||') {
      const [found, others] = [options(left), options(right)];
      return found
        .flatMap((atoms) => others.map((more) => [...atoms, ...more]))
        .filter((atoms) => atoms.length <= maxAtoms)
        .slice(0, maxOptions);
    }
    if (operator === '==') return [equality(left, right) ?? equality(right, left) ?? []].filter(({ length }) => length);
    if (operator === 'in' && right.kind === 'list' && right.items.length <= maxAtoms)
      return membership(left, right.items);
    return [];
  };

  const equality = (field: Expression, literal: Expression): Atoms | undefined => {
    const path = pathOf(field);
    const value = path === undefined ? undefined : indexed(field, literal);
    return path === undefined || value === undefined ? undefined : [{ path, value }];
  };

  const membership = (field: Expression, items: readonly Expression[]): readonly Atoms[] => {
    const atoms = items.map((item) => equality(field, item));
    return items.length > 0 && atoms.every((atom) => atom !== undefined) ? [atoms.flat()] : [];
  };

  /** The literal as the facts have it; undefined where comparing is more than looking it up. */
  const indexed = (field: Expression, literal: Expression): Atom['value'] | undefined => {
    if (literal.kind !== 'literal') return undefined;
    const { type, value } = literal.literal;
    const { kind } = typeOf(field);
    if (type === 'string' && kind === 'string') return value;
    if (type === 'string' && (kind === 'address' || kind === 'caseless')) return foldCase(value);
    if ((type === 'int' || type === 'uint') && (kind === 'int' || kind === 'uint')) return value;
    return type === 'bool' && kind === 'bool' ? value : undefined;
  };

  return options(tree);
}

/** `eth.tx.to` of such a chain of fields. */
function pathOf(node: Expression): string | undefined {
  if (node.kind === 'name') return node.name;
  if (node.kind !== 'member') return undefined;
  const object = pathOf(node.object);
  return object === undefined ? undefined : `${object}.${node.field}`;
}
