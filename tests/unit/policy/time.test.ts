import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timestampGetters } from '../../../src/policy/time.ts';

const shown: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfWeek: (date) => date.getUTCDay(),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};
const milliseconds = fc.integer({ min: Date.UTC(1, 0), max: Date.UTC(9999, 11, 31) });
const units = fc.constantFrom(1000, 60_000, 3_600_000, 86_400_000, 604_800_000);
/** Often beside the turn of a second, minute, hour, day or week. */
const near = fc
  .tuple(milliseconds, units, fc.integer({ min: -1, max: 1 }))
  .map(([time, unit, off]) => Math.floor(time / unit) * unit + off);

test('clock and calendar show of a time what a Date does, before 1970 as well', () => {
  fc.assert(
    fc.property(fc.oneof(milliseconds, near), fc.bigInt(0n, 999_999n), (time, rest) => {
      const nanoseconds = BigInt(time) * 1_000_000n + rest;
      for (const [name, get] of Object.entries(shown)) {
        expect(timestampGetters.get(name)?.(nanoseconds, 'UTC'), name).toBe(BigInt(get(new Date(time))));
        const shifted = BigInt(get(new Date(time - 19_800_000)));
        expect(timestampGetters.get(name)?.(nanoseconds, '-05:30'), name).toBe(shifted);
      }
    }),
    { numRuns: 500 },
  );
});
