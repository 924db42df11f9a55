/**
 * r‖s (64 bytes) of an ECDSA signature in DER (RFC 3279 §2.2.3) over a 256-bit curve; undefined when it is not strict
 * DER. One exception: an integer of exactly 32 bytes may begin with zeros, as Turnkey's wallet stamper writes it.
 */
export function readDerSignature(der: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const r = readInteger(der, 2);
  const s = r && readInteger(der, r.end);
  if (!r || s?.end !== der.length) return undefined;
  const signature = new Uint8Array(64);
  signature.set(r.digits, 32 - r.digits.length);
  signature.set(s.digits, 64 - s.digits.length);
  return signature;
}

/** The unsigned integer of at most 32 bytes at `at`. */
function readInteger(der: Uint8Array, at: number): { digits: Uint8Array; end: number } | undefined {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  if (der[at] !== 0x02 || length === 0 || length > 33 || end > der.length) return undefined;
  const [first = 0, second = 0] = der.subarray(at + 2, end);
  if (first >= 0x80 || (length === 33 && first !== 0)) return undefined;
  if (first === 0 && length > 1 && second < 0x80 && length !== 32) return undefined;
  return { digits: der.subarray(length === 33 ? at + 3 : at + 2, end), end };
}
