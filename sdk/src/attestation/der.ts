/** A reader of DER (ITU-T X.690 §10): one form for each value, everything else is refused. */
import { refuse } from './evidence-error.ts';

export type Der = {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly bytes: Uint8Array;
};

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** The elements of `bytes`, which end where it ends. */
export function readElements(bytes: Uint8Array): Der[] {
  const elements: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    elements.push(element);
    at += element.bytes.length;
  }
  return elements;
}

/** The one element that `bytes` is. */
export function readOne(bytes: Uint8Array, tag: number): Der {
  const [element, ...rest] = readElements(bytes);
  if (!element || rest.length > 0) return malformed('more or less than one element');
  return expectTag(element, tag);
}

export function expectTag(element: Der | undefined, tag: number): Der {
  if (element?.tag !== tag) return malformed(`tag ${element?.tag ?? 'none'} in place of ${tag}`);
  return element;
}

/** A non-negative INTEGER without its sign byte. */
export function unsignedInteger(element: Der | undefined): Uint8Array {
  const { content } = expectTag(element, tags.integer);
  const [first, second = 0] = content;
  if (first === undefined || first >= 0x80) return malformed('an integer that is empty or negative');
  if (first !== 0) return content;
  if (content.length > 1 && second < 0x80) malformed('an integer with leading zeros');
  return content.subarray(1);
}

export function smallInteger(element: Der | undefined): number {
  const digits = unsignedInteger(element);
  if (digits.length > 4) malformed('an integer that is too large');
  return digits.reduce((value, digit) => value * 256 + digit, 0);
}

export function boolean(element: Der | undefined): boolean {
  const { content } = expectTag(element, tags.boolean);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) malformed('a boolean of another form');
  return content[0] === 0xff;
}

/** The whole bytes of a BIT STRING that has no unused bits. */
export function bitString(element: Der | undefined): Uint8Array {
  const { content } = expectTag(element, tags.bitString);
  if (content[0] !== 0) malformed('a bit string with unused bits');
  return content.subarray(1);
}

function readElement(bytes: Uint8Array, start: number): Der {
  const tag = bytes[start] as number;
  if ((tag & 0x1f) === 0x1f) malformed('a tag of several bytes');
  const first = bytes[start + 1] ?? malformed('an end in the middle of an element');
  const sizeOfLength = first < 0x80 ? 0 : first & 0x7f;
  if (first >= 0x80 && (sizeOfLength === 0 || sizeOfLength > 3)) malformed('an indefinite or too large length');
  const content = start + 2 + sizeOfLength;
  const digits = bytes.subarray(start + 2, content);
  const length = sizeOfLength === 0 ? first : digits.reduce((value, digit) => value * 256 + digit, 0);
  const least = sizeOfLength === 0 ? 0 : sizeOfLength === 1 ? 0x80 : 256 ** (sizeOfLength - 1);
  if (length < least) malformed('a length that is not in its shortest form');
  if (content + length > bytes.length) malformed('a length past the end');
  return { tag, content: bytes.subarray(content, content + length), bytes: bytes.subarray(start, content + length) };
}

const malformed = (found: string): never => refuse('MALFORMED', `certificate: found ${found}`);
