/**
 * Recursive Length Prefix (Ethereum yellow paper, appendix B), strict: every item has one encoding, and decoding what is
 * encoded otherwise fails. Decoded strings are views of the input.
 */

export type RlpItem = Buffer | readonly RlpItem[];

/** What is wrong with the input of `decodeRlp`, in words for the caller. */
export class RlpError extends Error {
  override name = 'RlpError';
}

const maxDepth = 8;

/** The one item that `bytes` is. Throws `RlpError`. */
export function decodeRlp(bytes: Buffer): RlpItem {
  const { item, end } = readItem(bytes, 0, bytes.length, 0);
  if (end !== bytes.length) throw new RlpError(`${bytes.length - end} bytes after the end of the RLP item`);
  return item;
}

export function encodeRlp(item: RlpItem): Buffer {
  if (Buffer.isBuffer(item)) {
    if (item.length === 1 && (item[0] as number) < 0x80) return item;
    return Buffer.concat([header(0x80, item.length), item]);
  }
  const items = item.map(encodeRlp);
  const length = items.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([header(0xc0, length), ...items]);
}

function readItem(bytes: Buffer, at: number, limit: number, depth: number): { item: RlpItem; end: number } {
  if (at >= limit) throw new RlpError('RLP ends too early');
  const first = bytes[at] as number;
  if (first < 0x80) return { item: bytes.subarray(at, at + 1), end: at + 1 };
  const isList = first >= 0xc0;
  const { start, end } = readSpan(bytes, at, limit, first - (isList ? 0xc0 : 0x80));
  if (isList) return { item: readItems(bytes, start, end, depth + 1), end };
  if (end - start === 1 && (bytes[start] as number) < 0x80) throw new RlpError('RLP byte with a needless length');
  return { item: bytes.subarray(start, end), end };
}

function readItems(bytes: Buffer, start: number, end: number, depth: number): RlpItem[] {
  if (depth > maxDepth) throw new RlpError(`RLP nested deeper than ${maxDepth}`);
  const items: RlpItem[] = [];
  for (let at = start; at < end; ) {
    const read = readItem(bytes, at, end, depth);
    items.push(read.item);
    at = read.end;
  }
  return items;
}

/** Where the content lies of the item at `at`; `code` is its length up to 55, above that 55 + the length of its length. */
function readSpan(bytes: Buffer, at: number, limit: number, code: number): { start: number; end: number } {
  const sizeOfLength = Math.max(0, code - 55);
  const start = at + 1 + sizeOfLength;
  if (start > limit) throw new RlpError('RLP ends too early');
  if (sizeOfLength > 6) throw new RlpError('RLP length beyond the end of the input');
  const length = sizeOfLength === 0 ? code : bytes.readUIntBE(at + 1, sizeOfLength);
  const isShortest = sizeOfLength === 0 || (length > 55 && bytes[at + 1] !== 0);
  if (!isShortest) throw new RlpError('RLP length that is not the shortest');
  if (start + length > limit) throw new RlpError('RLP ends too early');
  return { start, end: start + length };
}

function header(offset: number, length: number): Buffer {
  if (length <= 55) return Buffer.of(offset + length);
  const size = Math.ceil((32 - Math.clz32(length)) / 8);
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = offset + 55 + size;
  bytes.writeUIntBE(length, 1, size);
  return bytes;
}

/** A non-negative integer as RLP carries it: big-endian, without leading zeros, empty for zero. */
export function rlpInteger(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0);
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
}
