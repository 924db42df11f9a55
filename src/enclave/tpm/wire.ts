/** Integers and sized buffers of the TPM 2.0 wire format: big endian, TPM2B = u16 length ‖ bytes. */

export function uint(size: 1 | 2 | 4, value: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

export const u8 = (value: number): Buffer => uint(1, value);
export const u16 = (value: number): Buffer => uint(2, value);
export const u32 = (value: number): Buffer => uint(4, value);
export const sized = (bytes: Uint8Array): Buffer => Buffer.concat([u16(bytes.length), bytes]);

export type Reader = {
  u8(): number;
  u16(): number;
  u32(): number;
  /** `length` bytes; throws a RangeError where there are fewer. */
  take(length: number): Buffer;
  /** A TPM2B's content. */
  sized(): Buffer;
  rest(): Buffer;
};

export function createReader(bytes: Buffer): Reader {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('the TPM answered with fewer bytes than it said');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (size: number) => take(size).readUIntBE(0, size);
  return {
    u8: () => number(1),
    u16: () => number(2),
    u32: () => number(4),
    take,
    sized: () => take(number(2)),
    rest: () => take(bytes.length - at),
  };
}
