import { PolicyError } from '../errors.ts';
import type { Literal, Span } from '../syntax.ts';
import { unescapeBytes, unescapeString } from './escapes.ts';

export type Token = { readonly span: Span; readonly text: string } & (
  | { readonly kind: 'literal'; readonly literal: Literal }
  /** Identifiers and keywords. */
  | { readonly kind: 'name' }
  /** A field's name in back quotes; `text` is what stands between them. */
  | { readonly kind: 'quoted-name' }
  | { readonly kind: 'punctuator' }
  | { readonly kind: 'end' }
);

export const fail = (message: string, span: Span, expected?: string): never => {
  throw new PolicyError('cel', 'parse', [{ message, span, ...(expected === undefined ? {} : { expected }) }]);
};

const space = /(?:[\t\n\f\r ]+|\/\/[^\r\n]*)*/y;
const number = /(?:0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?|[0-9]+[uU]?)/y;
const opening = /([bB]?[rR]?|[rR][bB])("""|'''|"|')/y;
const name = /[_a-zA-Z][_a-zA-Z0-9]*/y;
const quotedName = /`([a-zA-Z0-9_\-./ ]+)`/y;
const punctuator = /&&|\|\||[=!<>]=|[-+*/%!<>?:.,()[\]{}]/y;

const matchAt = (pattern: RegExp, source: string, position: number): RegExpExecArray | null => {
  pattern.lastIndex = position;
  return pattern.exec(source);
};

function readNumber(text: string, span: Span): Literal {
  if (/^0x/i.test(text) || /^[0-9]+u?$/i.test(text)) {
    const unsigned = /u$/i.test(text);
    return { type: unsigned ? 'uint' : 'int', value: BigInt(unsigned ? text.slice(0, -1) : text) };
  }
  const value = Number(text);
  if (!Number.isFinite(value)) return fail('the number is out of range', span, 'a double');
  return { type: 'double', value };
}

/** End of the raw content: the closing quote not behind a backslash (in raw strings, whatever stands before it). */
function findClosing(source: string, from: number, quote: string, raw: boolean): number {
  for (let position = from; position < source.length; position += 1) {
    if (source.startsWith(quote, position)) return position;
    const character = source[position];
    if (quote.length === 1 && (character === '\n' || character === '\r')) return -1;
    if (character === '\\' && !raw) position += 1;
  }
  return -1;
}

function readQuoted(source: string, start: number, prefix: string, quote: string): { literal: Literal; end: number } {
  const [bytes, raw] = [/b/i.test(prefix), /r/i.test(prefix)];
  const from = start + prefix.length + quote.length;
  const closing = findClosing(source, from, quote, raw);
  if (closing < 0) return fail('the string is not closed', { start, end: from }, quote);
  const content = source.slice(from, closing);
  const end = closing + quote.length;
  if (!content.isWellFormed()) return fail('the string has half a surrogate pair', { start, end });
  if (raw) {
    const literal: Literal = bytes
      ? { type: 'bytes', value: new TextEncoder().encode(content) }
      : { type: 'string', value: content };
    return { literal, end };
  }
  const value = bytes ? unescapeBytes(content) : unescapeString(content);
  if (typeof value === 'string') return { literal: { type: 'string', value }, end };
  if (value instanceof Uint8Array) return { literal: { type: 'bytes', value }, end };
  const at = from + value.badEscapeAt;
  return fail('not an escape sequence', { start: at, end: at + 2 });
}

/** Tokens of a source that is no longer than the limit, the last one of kind `end`. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let position = matchAt(space, source, 0)?.[0].length ?? 0;
  const push = (token: Token): void => {
    tokens.push(token);
    position = token.span.end;
  };
  while (position < source.length) {
    const start = position;
    const quote = matchAt(opening, source, start);
    const digits = matchAt(number, source, start);
    const word = matchAt(name, source, start);
    const field = matchAt(quotedName, source, start);
    const mark = matchAt(punctuator, source, start);
    if (quote !== null) {
      const { literal, end } = readQuoted(source, start, quote[1] ?? '', quote[2] ?? '');
      push({ kind: 'literal', literal, text: source.slice(start, end), span: { start, end } });
    } else if (digits !== null) {
      const span = { start, end: start + digits[0].length };
      push({ kind: 'literal', literal: readNumber(digits[0], span), text: digits[0], span });
      if (/[_a-zA-Z0-9]/.test(source[span.end] ?? ''))
        fail('a number must not run into a name', { start, end: span.end + 1 });
    } else if (word !== null) {
      push({ kind: 'name', text: word[0], span: { start, end: start + word[0].length } });
    } else if (field !== null) {
      push({ kind: 'quoted-name', text: field[1] ?? '', span: { start, end: start + field[0].length } });
    } else if (mark !== null) {
      push({ kind: 'punctuator', text: mark[0], span: { start, end: start + mark[0].length } });
    } else {
      const character = String.fromCodePoint(source.codePointAt(start) ?? 0);
      const message = character === '=' ? '`=` is no operator' : `unexpected character \`${character}\``;
      fail(message, { start, end: start + character.length }, character === '=' ? '==' : undefined);
    }
    position += matchAt(space, source, position)?.[0].length ?? 0;
  }
  tokens.push({ kind: 'end', text: '', span: { start: source.length, end: source.length } });
  return tokens;
}
