import { median } from '../support/statistics.ts';

type Call = (index: number) => unknown;

/** Milliseconds that the processor has spent on this process: what others run at the same time does not count. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Nanoseconds of CPU for each of `count` calls, each with the next index below `variants`. */
export function timeCalls(call: Call, variants: number, count: number): number {
  const start = cpuMs();
  for (let done = 0; done < count; done++) call(done % variants);
  return ((cpuMs() - start) * 1_000_000) / count;
}

/** Calls for `warmUpMs`, so that they are compiled, and says how many then take about `ms`. */
export function callsIn(ms: number, warmUpMs: number, call: Call, variants: number): number {
  repeat(warmUpMs, call, variants);
  const { calls, spent } = repeat(2 * ms, call, variants);
  return Math.max(variants, Math.round((calls / spent) * ms));
}

function repeat(ms: number, call: Call, variants: number): { readonly calls: number; readonly spent: number } {
  const start = cpuMs();
  for (let calls = variants; ; calls += variants) {
    for (let index = 0; index < variants; index++) call(index);
    const spent = cpuMs() - start;
    if (spent >= ms) return { calls, spent };
  }
}

export type Timing = { readonly rounds: number; readonly intervalMs: number; readonly warmUpMs: number };

/** Median nanoseconds of a call. */
export function medianTime(call: Call, variants: number, { rounds, intervalMs, warmUpMs }: Timing): number {
  const count = callsIn(intervalMs, warmUpMs, call, variants);
  return median(Array.from({ length: rounds }, () => timeCalls(call, variants, count)));
}
