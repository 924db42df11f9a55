/** Words of both languages, for colours: right on texts that are not finished yet. */

const words = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\r\n]*)`,
    String.raw`(?<string>[bBrR]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\r\n])*"?|'(?:\\.|[^'\\\r\n])*'?))`,
    String.raw`(?<number>0[xX][\da-fA-F]+[uU]?|\d+(?:\.\d+)?(?:[uU]|[eE][+-]?\d+)?)`,
    String.raw`(?<call>[A-Za-z_]\w*(?=\s*\())`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
    String.raw`(?<operator>&&|\|\||[=!<>]=?|[-+*\/%?:])`,
  ].join('|'),
  'g',
);
const keywords = new Set(['true', 'false', 'null', 'in']);

/** `{ kind, start, end }` of each; what stands between them has no colour. */
export const tokensOf = (source) =>
  [...source.matchAll(words)].map(({ groups, index, 0: text }) => {
    const [kind] = Object.entries(groups).find(([, found]) => found !== undefined);
    return {
      kind: kind === 'word' && keywords.has(text) ? 'keyword' : kind,
      start: index,
      end: index + text.length,
      text,
    };
  });
