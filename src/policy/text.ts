/** Strings as CEL sees them: sequences of code points. */
import { indexOutOfRange, tooLarge } from './failure.ts';
import { maxBuiltSize } from './limits.ts';

/** Case folding of text that compares without regard to case. */
export const foldCase = (text: string): string => text.toLowerCase();

/**
 * The same text as the engine of JavaScript keeps names: it is compared with others of them at a glance, where a part cut out
 * of a longer text is compared by character, and holds on to the longer one.
 */
export const interned = (text: string): string => Object.keys({ [text]: true })[0] ?? text;

const address = /^0x[0-9a-fA-F]{40}$/;
export const isAddress = (text: string): boolean => text.length === 42 && address.test(text);

/** Order by code point, unlike `<`, which takes surrogates for what they are not. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all other units. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

export function countCodePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      count -= 1;
      index += 1;
    }
  }
  return count;
}

/** The UTF-16 offset of a code point; `index` may be the length. Throws where it is beyond. */
export function offsetOf(text: string, index: bigint): number {
  if (index < 0n || index > BigInt(text.length)) throw indexOutOfRange;
  let offset = 0;
  for (let left = Number(index); left > 0; left -= 1) {
    if (offset >= text.length) throw indexOutOfRange;
    const unit = text.charCodeAt(offset);
    offset += unit >= 0xd800 && unit <= 0xdbff && offset + 1 < text.length ? 2 : 1;
  }
  return offset;
}

export function substring(text: string, from: bigint, to: bigint): string {
  if (from > to) throw indexOutOfRange;
  return text.slice(offsetOf(text, from), offsetOf(text, to));
}

/** Refuses what an expression has blown up. */
export function bounded<Built extends { readonly length: number }>(value: Built): Built {
  if (value.length > maxBuiltSize) throw tooLarge;
  return value;
}
