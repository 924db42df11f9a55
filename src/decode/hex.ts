const digits = /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/;

/** The bytes of hex text with or without `0x`; undefined when it is no hex of whole bytes. */
export function hexToBytes(text: string): Buffer | undefined {
  const match = digits.exec(text);
  return match ? Buffer.from(match[1] as string, 'hex') : undefined;
}

/** `0x` and lower-case digits. */
export function bytesToHex(bytes: Buffer): string {
  return `0x${bytes.toString('hex')}`;
}
