/** Sums over windows: never less than what was really spent within them, and hardly more. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countWindows, historyFacts } from '../../../src/enclave/past.ts';
import type { Counters } from '../../../src/enclave/state.ts';
import { type Window, windowKey } from '../../../src/policy/windows.ts';

const hour = 3_600_000;
const asset = 'eip155:1';
const spent = (length: number): Window => ({ of: 'spent', what: asset, length });
const none: Counters = { signCounts: {} };
const nothing = { kind: 'SIGN_TRANSACTION', facts: [], signer: '', accounts: [] };
const start = 1_750_000_000_000;

const spend = (counters: Counters, windows: readonly Window[], amount: bigint, now: number) =>
  countWindows(counters, windows, ({ what }) => (what === asset ? amount : 0n), now);
const sumOf = (counters: Counters, window: Window, now: number, epochStart = 0) =>
  historyFacts([window], { counters, destinations: new Map() }, nothing, now, epochStart).get(windowKey(window));

describe('a sum', () => {
  test('is at least what was spent within the window, and at most that of a window longer by a part in 300', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 * hour }), fc.bigInt({ min: 0n, max: 10n ** 24n })), {
      maxLength: 60,
    });
    const lengths = fc.array(fc.integer({ min: 1, max: 24 * 60 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(steps, lengths, fc.integer({ min: 0, max: 24 * hour }), (given, minutes, later) => {
        const windows = minutes.map((count) => spent(count * 60_000));
        const longest = Math.max(...windows.map(({ length }) => length));
        let [counters, now] = [none, start];
        const history: [number, bigint][] = [];
        for (const [pause, amount] of given) {
          now += pause;
          counters = spend(counters, windows, amount, now);
          history.push([now, amount]);
        }
        now += later;
        const within = (length: number) =>
          history.reduce((sum, [at, amount]) => (at > now - length ? sum + amount : sum), 0n);
        for (const window of windows) {
          const sum = sumOf(counters, window, now) as bigint;
          const slack = Math.max(60_000, Math.ceil(longest / 60_000 / 300) * 60_000) + 60_000;
          expect(sum >= within(window.length)).toBe(true);
          expect(sum <= within(window.length + slack)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('keeps a bounded number of entries, however often it is added to', () => {
    const window = spent(24 * hour);
    let counters = none;
    for (let minute = 0; minute < 3 * 24 * 60; minute++)
      counters = spend(counters, [window], 1n, start + minute * 60_000);
    expect(counters.windows?.[`spent/${asset}`]?.length).toBeLessThanOrEqual(302);
    expect(sumOf(counters, window, start + 3 * 24 * hour)).toBeGreaterThanOrEqual(1439n);
  });

  test('is not known for a window that reaches back beyond an accepted restore', () => {
    const window = spent(hour);
    const counters = spend(none, [window], 5n, start);
    expect(sumOf(counters, window, start + 1, start)).toBeUndefined();
    expect(sumOf(counters, window, start + hour + 60_000, start)).toBe(0n);
    expect(sumOf(counters, window, start + 1)).toBe(5n);
  });

  test('is exact beyond 2^53, and of an asset that was never spent nothing', () => {
    const window = spent(hour);
    const large = 2n ** 256n - 1n;
    const counters = spend(spend(none, [window], large, start), [window], 1n, start);
    expect(sumOf(counters, window, start)).toBe(large + 1n);
    expect(sumOf(counters, { ...window, what: 'eip155:2' }, start)).toBe(0n);
  });
});
