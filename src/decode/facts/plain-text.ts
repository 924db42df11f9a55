const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Characters that are not seen or change how others are, but for tab, line breaks and the joiner in emoji. */
const unseen = /(?![\t\n\r\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** The text that `bytes` are in UTF-8, all of which is seen by who reads it; undefined for other bytes. */
export function plainText(bytes: Buffer): string | undefined {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return undefined;
  }
  return unseen.test(text) ? undefined : text;
}
