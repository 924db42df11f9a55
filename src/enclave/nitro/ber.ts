/** ASN.1 in BER (X.690 §8), of which DER is a part: indefinite lengths and strings in pieces are read as well. */

export type Asn1 = {
  /** Identifier octet without the bit that says how the content is written. */
  readonly tag: number;
  /** undefined for what is written in one piece. */
  readonly children: readonly Asn1[] | undefined;
  /** The bytes of what is written in one piece. */
  readonly content: Buffer;
};

export class BerError extends Error {
  override name = 'BerError';
}

const constructedBit = 0x20;
const maxDepth = 16;

type Reader = { readonly bytes: Buffer; at: number };

/** The one element of `bytes`, with nothing after it. Throws a `BerError`. */
export function decodeBer(bytes: Uint8Array): Asn1 {
  const reader = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0 };
  const element = read(reader, 0);
  if (reader.at !== reader.bytes.length) throw new BerError('there are bytes after the end');
  return element;
}

function read(reader: Reader, depth: number): Asn1 {
  if (depth > maxDepth) throw new BerError(`nested deeper than ${maxDepth}`);
  const identifier = nextByte(reader);
  if ((identifier & 0x1f) === 0x1f) throw new BerError('a tag has more than one byte');
  const isConstructed = (identifier & constructedBit) !== 0;
  const tag = identifier & ~constructedBit;
  const length = readLength(reader);
  if (length === undefined) {
    if (!isConstructed) throw new BerError('a length is indefinite where it may not be');
    return { tag, children: readUntilEnd(reader, depth), content: Buffer.alloc(0) };
  }
  const end = reader.at + length;
  if (end > reader.bytes.length) throw new BerError('a length is past the end');
  const content = reader.bytes.subarray(reader.at, end);
  if (!isConstructed) {
    reader.at = end;
    return { tag, children: undefined, content };
  }
  const inner = { bytes: content, at: 0 };
  const children: Asn1[] = [];
  while (inner.at < content.length) children.push(read(inner, depth + 1));
  reader.at = end;
  return { tag, children, content: Buffer.alloc(0) };
}

function readUntilEnd(reader: Reader, depth: number): Asn1[] {
  const children: Asn1[] = [];
  for (;;) {
    if (reader.bytes[reader.at] === 0 && reader.bytes[reader.at + 1] === 0) {
      reader.at += 2;
      return children;
    }
    children.push(read(reader, depth + 1));
  }
}

/** undefined: indefinite. */
function readLength(reader: Reader): number | undefined {
  const first = nextByte(reader);
  if (first < 0x80) return first;
  if (first === 0x80) return undefined;
  const size = first & 0x7f;
  if (size > 3) throw new BerError('a length has more than three bytes');
  let length = 0;
  for (let index = 0; index < size; index++) length = length * 256 + nextByte(reader);
  return length;
}

function nextByte(reader: Reader): number {
  const byte = reader.bytes[reader.at];
  if (byte === undefined) throw new BerError('ends in the middle');
  reader.at++;
  return byte;
}
