/** Words of Turnkey's expression language. What it does not have is refused by name. */
import { PolicyError } from '../errors.ts';
import type { Span } from '../syntax.ts';

export type Token = Span &
  (
    | { readonly kind: 'name'; readonly text: string }
    | { readonly kind: 'integer'; readonly value: bigint }
    | { readonly kind: 'string'; readonly value: string }
    /** `&& || == != <= >= < > ! .. . , : ( ) [ ] { } -`, or `''` at the end of the text. */
    | { readonly kind: 'symbol'; readonly text: string }
  );

/** Longest first. `-` is only the sign of an integer. */
const symbols = /&&|\|\||==|!=|<=|>=|\.\.|[<>!.,:()[\]{}-]/y;
const space = /[ \t\r\n]+/y;
const name = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /[0-9][0-9A-Za-z_]*(?:\.[0-9][0-9A-Za-z_]*)?/y;

export const fail = (span: Span, message: string, hints: { expected?: string; suggestion?: string } = {}): never => {
  throw new PolicyError('turnkey', 'parse', [{ message, span, ...hints }]);
};

/** What people write where this language wants something else. */
const strangers: readonly (readonly [pattern: RegExp, message: string, suggestion?: string])[] = [
  [/"/y, 'strings stand in single quotes', "'…'"],
  [/[‘’‚‛“”„‟′″`´]/y, 'strings stand in plain single quotes', "'…'"],
  [/===/y, 'equality is written `==`', '=='],
  [/=/y, 'equality is written `==`', '=='],
  [/&/y, 'the logical and is written `&&`', '&&'],
  [/\|/y, 'the logical or is written `||`', '||'],
  [/\?/y, "Turnkey's language has no conditional `?:`; combine conditions with `&&` and `||`, or use CEL"],
  [/\/\/|\/\*|#/y, "Turnkey's language has no comments; the policy's notes are the place for them"],
  [/[+*/%^]/y, "Turnkey's language has no arithmetic; compare with a number that is worked out already, or use CEL"],
  [/\\/y, "Turnkey's language has no escape sequences"],
  [/[\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff]/y, 'only spaces, tabs and line ends separate words'],
];

/** All words of `source` and the end. Throws `PolicyError`. */
export function lex(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const read = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  while (at < source.length) {
    const start = at;
    const skipped = read(space);
    if (skipped) {
      at += skipped.length;
      continue;
    }
    const word = read(name) ?? read(number) ?? read(symbols);
    if (word === undefined) {
      if (source[at] !== "'") refuseStranger(source, at, read);
      const end = source.indexOf("'", at + 1);
      if (end < 0) fail({ start, end: source.length }, 'this string is not closed', { expected: "`'`" });
      at = end + 1;
      tokens.push({ kind: 'string', value: source.slice(start + 1, end), start, end: at });
      continue;
    }
    at += word.length;
    tokens.push(wordToken(word, { start, end: at }));
  }
  tokens.push({ kind: 'symbol', text: '', start: at, end: at });
  return tokens;
}

function wordToken(word: string, span: Span): Token {
  const first = word.charCodeAt(0);
  if (first >= 48 && first <= 57) return { kind: 'integer', value: integer(word, span), ...span };
  return { kind: /^\w/.test(word) ? 'name' : 'symbol', text: word, ...span };
}

function integer(word: string, span: Span): bigint {
  if (/^[0-9]+$/.test(word)) return BigInt(word);
  if (/^0[xX]/.test(word)) {
    return fail(span, "Turnkey's language has no hexadecimal numbers; addresses and data are strings", {
      suggestion: `'${word}'`,
    });
  }
  if (word.includes('.')) return fail(span, "Turnkey's language has whole numbers only", { expected: 'int' });
  if (/^[0-9_]+$/.test(word)) return fail(span, 'digits stand together', { suggestion: word.replaceAll('_', '') });
  if (/^[0-9]+[uU]$/.test(word)) {
    return fail(span, 'numbers carry no suffix; one type fits all sizes', { suggestion: word.slice(0, -1) });
  }
  return fail(span, `\`${word.slice(0, 40)}\` is neither a number nor a name`, { suggestion: `'${word}'` });
}

function refuseStranger(source: string, at: number, read: (pattern: RegExp) => string | undefined): never {
  for (const [pattern, message, suggestion] of strangers) {
    const found = read(pattern);
    if (found) return fail({ start: at, end: at + found.length }, message, suggestion ? { suggestion } : {});
  }
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  return fail({ start: at, end: at + character.length }, `\`${character}\` is not part of Turnkey's language`);
}
