/** The text of a quoted literal without its escapes (CEL specification, "String and Bytes Values"). */

const simple: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['b', 0x08],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['v', 0x0b],
  ['\\', 0x5c],
  ['?', 0x3f],
  ['"', 0x22],
  ["'", 0x27],
  ['`', 0x60],
]);

const escapeSequence =
  /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|[\s\S]|$)/g;

type Part = { readonly text: string } | { readonly codePoint: number; readonly at: number } | { readonly byte: number };

function split(raw: string): { parts: Part[] } | { badEscapeAt: number } {
  const parts: Part[] = [];
  let end = 0;
  for (const match of raw.matchAll(escapeSequence)) {
    if (match.index > end) parts.push({ text: raw.slice(end, match.index) });
    const [whole, letter, hex, short, long, octal] = match;
    const codePoint = letter === undefined ? Number.parseInt(short ?? long ?? '', 16) : simple.get(letter);
    const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
    const valid = codePoint !== undefined && codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
    if (valid)
      parts.push(letter === undefined ? { codePoint, at: match.index } : { text: String.fromCharCode(codePoint) });
    else if (!Number.isNaN(byte)) parts.push({ byte });
    else return { badEscapeAt: match.index };
    end = match.index + whole.length;
  }
  if (end < raw.length) parts.push({ text: raw.slice(end) });
  return { parts };
}

/** In a string, `\x` and octal escapes are code points too. */
export function unescapeString(raw: string): string | { readonly badEscapeAt: number } {
  const result = split(raw);
  if ('badEscapeAt' in result) return result;
  return result.parts
    .map((part) => ('text' in part ? part.text : String.fromCodePoint('byte' in part ? part.byte : part.codePoint)))
    .join('');
}

/** In bytes, `\x` and octal escapes are bytes, text is UTF-8 and there is no `\u`. */
export function unescapeBytes(raw: string): Uint8Array | { readonly badEscapeAt: number } {
  const result = split(raw);
  if ('badEscapeAt' in result) return result;
  const unicode = result.parts.find((part) => 'codePoint' in part);
  if (unicode !== undefined) return { badEscapeAt: unicode.at };
  const encoder = new TextEncoder();
  const chunks = result.parts.map((part) =>
    'byte' in part ? Uint8Array.of(part.byte) : encoder.encode('text' in part ? part.text : ''),
  );
  return new Uint8Array(Buffer.concat(chunks));
}
