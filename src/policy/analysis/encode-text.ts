/** Texts: as numbers where they are only compared, as characters where a part of them is asked for. */
import { foldCase } from '../text.ts';
import type { Application, Applied } from './encode-application.ts';
import { bool, type Encoding, int } from './encoding.ts';
import { and, apply, boolean, equal, falsity, integer, text as literalOf, not, type Term } from './smt.ts';
import { type Symbols, textId } from './symbols.ts';

type Text = Encoding & { readonly kind: 'literal' | 'text' };

const isText = (value: Encoding | undefined): value is Text => value?.kind === 'literal' || value?.kind === 'text';

/** Characters. What is a number now is noted, and comes as characters in the next attempt. Undefined for those of few choices. */
function characters({ wantString }: Symbols, value: Text): Term | undefined {
  if (value.kind === 'literal') return literalOf(value.text);
  if (value.form === 'string') return value.term;
  if (value.choices) return undefined;
  for (const place of value.classes) wantString.add(place);
  return '""';
}

const idOf = (symbols: Symbols, value: Text): Term =>
  value.kind === 'literal' ? textId(symbols, value.text) : value.term;

/** Undefined where the solver has no such comparison. */
export function equalTexts(symbols: Symbols, a: Text, b: Text): Term | undefined {
  if (a.kind === 'literal' && b.kind === 'literal') return boolean(a.text === b.text);
  const isString = [a, b].some((value) => value.kind === 'text' && value.form === 'string');
  if (!isString) return equal(idOf(symbols, a), idOf(symbols, b));
  const [left, right] = [characters(symbols, a), characters(symbols, b)];
  return left === undefined || right === undefined ? undefined : equal(left, right);
}

/** In lower case. */
export function foldText({ folded }: Symbols, value: Text): Text | undefined {
  if (value.kind === 'literal') return { kind: 'literal', text: foldCase(value.text) };
  if (value.form === 'string') return undefined;
  const { choices, ...rest } = value;
  folded.add(value.term);
  return { ...rest, term: apply('fold', value.term), ...(choices && { choices: choices.map(foldCase) }) };
}

export function encodeTextFunction(
  symbols: Symbols,
  { name }: Application,
  values: readonly Encoding[],
): Applied | undefined {
  const [first, second, third] = values;
  if (!isText(first) || (first.kind === 'text' && first.choices)) return undefined;
  const term = characters(symbols, first);
  if (term === undefined) return undefined;
  if (isText(second)) {
    const other = characters(symbols, second);
    return other === undefined ? undefined : ofTexts(name, term, other);
  }
  const ends = [second, third].flatMap((end) => (end?.kind === 'int' ? [end.term] : []));
  if (ends.length !== values.length - 1) return undefined;
  if ((name === 'size' || name === 'count') && ends.length === 0)
    return { value: int(apply('str.len', term)), error: falsity };
  const [from = '0', to] = ends;
  if (name === 'slice' && to !== undefined) return part(first, term, from, to);
  if (name === 'substring' && ends.length > 0) return part(first, term, from, to ?? apply('str.len', term));
  return name === 'index' ? part(first, term, from, apply('+', from, integer(1))) : undefined;
}

function ofTexts(name: string, term: Term, other: Term): Applied | undefined {
  switch (name) {
    case 'startsWith':
      return { value: bool(apply('str.prefixof', other, term)), error: falsity };
    case 'endsWith':
      return { value: bool(apply('str.suffixof', other, term)), error: falsity };
    case 'contains':
      return { value: bool(apply('str.contains', term, other)), error: falsity };
    default:
      return undefined;
  }
}

/** By code points, which is what the solver counts too. */
function part(text: Text, term: Term, from: Term, to: Term): Applied {
  const inside = and(apply('<=', '0', from), apply('<=', from, to), apply('<=', to, apply('str.len', term)));
  const value: Encoding = {
    kind: 'text',
    form: 'string',
    term: apply('str.substr', term, from, apply('-', to, from)),
    classes: text.kind === 'text' ? text.classes : [],
  };
  return { value, error: not(inside) };
}
