/** Strings: the specification's own functions and those of its strings extension. Indexes count code points. */
import { bounded, countCodePoints, offsetOf, substring } from '../text.ts';
import { listOf, types, unknownItems } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import type { FunctionDefinition, FunctionTable, Overload } from './overload.ts';

const { bool, int, string, caseless } = types;

const method = (...overloads: readonly Overload[]): FunctionDefinition => ({ form: 'method', overloads });

const test = (apply: (text: string, other: string) => boolean): FunctionDefinition =>
  method({ parameters: ['text', 'text'], result: bool, apply, total: true, cost: 5 });

/** A text made of a text keeps its case rule. */
const sameText = ([type]: readonly Type[]): Type =>
  type?.kind === 'caseless' || type?.kind === 'address' ? caseless : string;

const mapText = (apply: (text: string) => string): FunctionDefinition =>
  method({ parameters: ['text'], result: sameText, apply, cost: 10 });

function indexOf(text: string, part: string, from = 0n): bigint {
  const offset = offsetOf(text, from);
  const found = text.indexOf(part, offset);
  return found < 0 ? -1n : BigInt(countCodePoints(text.slice(0, found)));
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const found = text.lastIndexOf(part, from === undefined ? text.length : offsetOf(text, from));
  return found < 0 ? -1n : BigInt(countCodePoints(text.slice(0, found)));
}

function charAt(text: string, index: bigint): string {
  const offset = offsetOf(text, index);
  return String.fromCodePoint(...[text.codePointAt(offset)].filter((point) => point !== undefined));
}

/** The empty text stands before each code point and at the end. */
function replace(text: string, old: string, by: string, limit = -1n): string {
  const parts = old === '' ? ['', ...Array.from(text), ''] : text.split(old);
  const most = limit < 0n || limit >= BigInt(parts.length) ? parts.length - 1 : Number(limit);
  bounded({ length: text.length + most * by.length });
  const rest = parts.slice(most + 1).map((part) => `${old}${part}`);
  return parts.slice(0, most + 1).join(by) + rest.join('');
}

function split(text: string, separator: string, limit?: bigint): readonly string[] {
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (limit === undefined || limit < 0n || limit >= BigInt(parts.length)) return parts;
  const most = Number(limit);
  if (most === 0) return [];
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

const ascii = (pattern: RegExp, change: (letter: string) => string) => (text: string) => text.replace(pattern, change);

export const stringFunctions: FunctionTable = new Map<string, FunctionDefinition>([
  ['contains', test((text, part) => text.includes(part))],
  ['startsWith', test((text, part) => text.startsWith(part))],
  ['endsWith', test((text, part) => text.endsWith(part))],
  ['charAt', method({ parameters: ['text', 'int'], result: sameText, apply: charAt })],
  [
    'indexOf',
    method(
      { parameters: ['text', 'text'], result: int, apply: indexOf, cost: 5 },
      { parameters: ['text', 'text', 'int'], result: int, apply: indexOf, cost: 5 },
    ),
  ],
  [
    'lastIndexOf',
    method(
      { parameters: ['text', 'text'], result: int, apply: lastIndexOf, cost: 5 },
      { parameters: ['text', 'text', 'int'], result: int, apply: lastIndexOf, cost: 5 },
    ),
  ],
  ['lowerAscii', mapText(ascii(/[A-Z]/g, (letter) => letter.toLowerCase()))],
  ['upperAscii', mapText(ascii(/[a-z]/g, (letter) => letter.toUpperCase()))],
  ['trim', mapText((text) => text.trim())],
  ['reverse', mapText((text) => Array.from(text).reverse().join(''))],
  [
    'replace',
    method(
      { parameters: ['text', 'text', 'text'], result: sameText, apply: replace, cost: 20 },
      { parameters: ['text', 'text', 'text', 'int'], result: sameText, apply: replace, cost: 20 },
    ),
  ],
  [
    'split',
    method(
      { parameters: ['text', 'text'], result: (args) => listOf(sameText(args), unknownItems), apply: split, cost: 20 },
      {
        parameters: ['text', 'text', 'int'],
        result: (args) => listOf(sameText(args), unknownItems),
        apply: split,
        cost: 20,
      },
    ),
  ],
  [
    'substring',
    method(
      {
        parameters: ['text', 'int'],
        result: sameText,
        apply: (text: string, from: bigint): Value => text.slice(offsetOf(text, from)),
      },
      { parameters: ['text', 'int', 'int'], result: sameText, apply: substring },
    ),
  ],
  [
    'join',
    method(
      { parameters: ['strings'], result: string, apply: (texts: readonly string[]) => joinTexts(texts, ''), cost: 20 },
      { parameters: ['strings', 'string'], result: string, apply: joinTexts, cost: 20 },
    ),
  ],
]);

function joinTexts(texts: readonly string[], separator: string): string {
  let length = separator.length * texts.length;
  for (const text of texts) length += text.length;
  bounded({ length });
  return texts.join(separator);
}
