import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Eif, pcrsOf, readEif, writeEif } from '../../../src/cli/vm/eif.ts';

const image: Eif = {
  kernel: Buffer.from('the kernel'),
  cmdline: 'console=ttyS0',
  ramdisks: [Buffer.from('boot'), Buffer.from('application'), Buffer.alloc(1000, 7)],
};
const file = Buffer.concat(writeEif(image, { ImageName: 'countersign' }));

describe('an EIF', () => {
  test('is read as it was written', () => {
    expect(readEif(file)).toEqual({ ...image, metadata: '{"ImageName":"countersign"}' });
  });

  test('begins as the format says', () => {
    expect(file.toString('latin1', 0, 4)).toBe('.eif');
    expect([file.readUInt16BE(4), file.readUInt16BE(6), file.readUInt16BE(26)]).toEqual([4, 0, 6]);
    // The first section lies behind the header of 548 bytes; its own header has 12.
    expect(file.readBigUInt64BE(28)).toBe(548n);
    expect(file.toString('latin1', 560, 570)).toBe('the kernel');
    // CRC-32 (IEEE 802.3) bit by bit, over all but itself.
    expect(file.readUInt32BE(544)).toBe(crc(Buffer.concat([file.subarray(0, 544), file.subarray(548)])));
  });

  test('is the same each time', () => {
    expect(Buffer.concat(writeEif(image, { ImageName: 'countersign' }))).toEqual(file);
  });

  test('with any byte altered is refused', () => {
    for (let at = 0; at < file.length; at++) {
      const altered = Buffer.from(file);
      altered[at] = (altered[at] as number) ^ 1;
      expect(() => readEif(altered), `byte ${at}`).toThrow('the image cannot be read');
    }
  });

  test.each([0, 3, 547, 548, 559, file.length - 1])('cut off after %i bytes is refused', (length) => {
    expect(() => readEif(file.subarray(0, length))).toThrow('the image cannot be read');
  });

  test('whose sections lie elsewhere is refused, whatever its checksum', () => {
    for (const [at, value] of [
      [28, 2n ** 40n],
      [28, 0n],
      [284, 2n ** 63n],
      [284, 11n],
    ] as const) {
      const altered = Buffer.from(file);
      altered.writeBigUInt64BE(value, at);
      altered.writeUInt32BE(crc(Buffer.concat([altered.subarray(0, 544), altered.subarray(548)])), 544);
      expect(() => readEif(altered)).toThrow(/outside|two sizes/);
    }
  });
});

describe('its registers', () => {
  const sha384 = (...parts: Uint8Array[]) => {
    const hash = createHash('sha384');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const extended = (...parts: Uint8Array[]) => sha384(Buffer.alloc(48), sha384(...parts)).toString('hex');

  test('are of all, of what starts it, and of the application', () => {
    const [boot, application, more] = image.ramdisks as [Buffer, Buffer, Buffer];
    const cmdline = Buffer.from(image.cmdline);
    expect(pcrsOf(image)).toEqual({
      pcr0: extended(image.kernel, cmdline, boot, application, more),
      pcr1: extended(image.kernel, cmdline, boot),
      pcr2: extended(application, more),
    });
  });

  test('do not change with what is not measured', () => {
    expect(pcrsOf(readEif(Buffer.concat(writeEif(image, { ImageName: 'another' }))))).toEqual(pcrsOf(image));
  });
});

function crc(bytes: Uint8Array): number {
  let remainder = 0xff_ff_ff_ff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xed_b8_83_20 : 0);
  }
  return (remainder ^ 0xff_ff_ff_ff) >>> 0;
}
