/**
 * The bytes of `text` when it is their canonical base64url without padding (RFC 4648 §5) and they are no more than
 * `maxBytes`; undefined otherwise, so that no two texts stand for the same bytes.
 */
export function decodeBase64url(text: unknown, maxBytes: number): Buffer | undefined {
  if (typeof text !== 'string' || text.length > Math.ceil((maxBytes * 4) / 3)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
