/** UUIDs as text on the wire and as 16 bytes in the ledger. */

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for lower-case UUID text, which is the only form the service gives out. */
export const isUuid = (text: unknown): text is string => typeof text === 'string' && pattern.test(text);

export function uuidBytes(text: string): Buffer {
  if (!isUuid(text)) throw new TypeError('expected a UUID');
  const hex = text.slice(0, 8) + text.slice(9, 13) + text.slice(14, 18) + text.slice(19, 23) + text.slice(24);
  return Buffer.from(hex, 'hex');
}

export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
