import { describe, expect, test } from 'vitest';
import { createClock } from '../../../src/enclave/clock.ts';

const minute = 60_000;

function clocks() {
  const at = { wall: 1_700_000_000_000, monotonic: 1000 };
  const now = createClock(
    () => at.wall,
    () => at.monotonic,
  );
  const pass = (ms: number, jump = 0) => {
    at.monotonic += ms;
    at.wall += ms + jump;
  };
  return { at, now, pass };
}

describe('the clock', () => {
  test('follows the wall clock as time passes', () => {
    const { at, now, pass } = clocks();
    pass(90 * minute);
    expect(now()).toBe(at.wall);
  });

  test.each([4 * minute, -4 * minute])('follows a correction of %d ms', (jump) => {
    const { at, now, pass } = clocks();
    pass(minute, jump);
    expect(now()).toBe(at.wall);
  });

  test.each([6 * minute, -6 * minute, 10 * 365 * 24 * 60 * minute])('does not follow a jump of %d ms', (jump) => {
    const { now, pass } = clocks();
    const before = now();
    pass(minute, jump);
    expect(now()).toBe(before + minute);
    pass(minute);
    expect(now()).toBe(before + 2 * minute);
  });

  test('follows again when the wall clock comes back', () => {
    const { at, now, pass } = clocks();
    pass(minute, 60 * minute);
    now();
    pass(minute, -60 * minute);
    expect(now()).toBe(at.wall);
  });
});
