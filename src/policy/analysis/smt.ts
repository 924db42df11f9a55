/** Terms of SMT-LIB 2.6 as text, simplified as they are built. */

export type Term = string;
export type Sort = 'Bool' | 'Int' | 'String';

export const truth = 'true';
export const falsity = 'false';

export const boolean = (value: boolean): Term => (value ? truth : falsity);
export const integer = (value: bigint | number): Term => (value < 0 ? `(- ${String(value).slice(1)})` : String(value));

/** All but printable ASCII is escaped; a quote is doubled, a backslash would begin an escape. */
export const text = (value: string): Term =>
  `"${Array.from(value, (point) =>
    /[ -~]/.test(point) && point !== '\\' && point !== '"'
      ? point
      : point === '"'
        ? '""'
        : `\\u{${(point.codePointAt(0) ?? 0).toString(16)}}`,
  ).join('')}"`;

export function not(term: Term): Term {
  if (term === truth) return falsity;
  if (term === falsity) return truth;
  return term.startsWith('(not ') ? term.slice(5, -1) : `(not ${term})`;
}

export const and = (...terms: readonly Term[]): Term => chain('and', terms, truth, falsity);
export const or = (...terms: readonly Term[]): Term => chain('or', terms, falsity, truth);

function chain(operator: string, terms: readonly Term[], neutral: Term, deciding: Term): Term {
  const kept = [...new Set(terms)].filter((term) => term !== neutral);
  if (kept.includes(deciding)) return deciding;
  return kept.length > 1 ? `(${operator} ${kept.join(' ')})` : (kept[0] ?? neutral);
}

export const implies = (condition: Term, conclusion: Term): Term => or(not(condition), conclusion);

export function ite(condition: Term, whenTrue: Term, whenFalse: Term): Term {
  if (condition === truth || whenTrue === whenFalse) return whenTrue;
  if (condition === falsity) return whenFalse;
  return `(ite ${condition} ${whenTrue} ${whenFalse})`;
}

export function equal(a: Term, b: Term): Term {
  if (a === b) return truth;
  return isConstant(a) && isConstant(b) ? falsity : `(= ${a} ${b})`;
}

const isConstant = (term: Term): boolean => /^(?:\d+|\(- \d+\)|"(?:[^"]|"")*"|true|false)$/.test(term);

export const apply = (operator: string, ...terms: readonly Term[]): Term => `(${operator} ${terms.join(' ')})`;

export function sum(terms: readonly Term[]): Term {
  const kept = terms.filter((term) => term !== '0');
  return kept.length > 1 ? `(+ ${kept.join(' ')})` : (kept[0] ?? '0');
}

/** Declarations, definitions and what holds of them, in order. */
export type Script = {
  /** A symbol of its own. */
  readonly declare: (sort: Sort) => Term;
  /** A name for a term, the same for the same term, so that what is used twice is there once. */
  readonly define: (sort: Sort, term: Term) => Term;
  readonly assert: (term: Term) => void;
  readonly text: () => string;
};

/** Shorter terms are not worth a name. */
const named = 24;

export function createScript(): Script {
  const lines: string[] = [];
  const known = new Map<string, Term>();
  let symbols = 0;
  return {
    declare(sort) {
      const name = `s${symbols++}`;
      lines.push(`(declare-const ${name} ${sort})`);
      return name;
    },
    define(sort, term) {
      if (term.length < named) return term;
      const found = known.get(term);
      if (found) return found;
      const name = `d${known.size}`;
      known.set(term, name);
      lines.push(`(define-fun ${name} () ${sort} ${term})`);
      return name;
    },
    assert(term) {
      if (term !== truth) lines.push(`(assert ${term})`);
    },
    text: () => lines.join('\n'),
  };
}
