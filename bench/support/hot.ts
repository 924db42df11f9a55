/** One organization at its full rate for minutes: does latency or memory grow with its activities? */
import { join } from 'node:path';
import type { Defer } from './clean-up.ts';
import { createAccounts } from './create-accounts.ts';
import type { Interval } from './load.ts';
import { startLoadGenerator } from './load-generator.ts';
import { readRoot, startService } from './service.ts';
import { median, round } from './statistics.ts';

const connections = 16;
/** Requests are made between intervals, which the minutes do not count. */
const seconds = 10;
const firstRate = 3000;

export async function measureHot(
  defer: Defer,
  folder: string,
  minutes: number,
  say: (line: string) => void,
): Promise<{ hotGrowth: number; hotRssMb: number }> {
  const dataDir = join(folder, 'hot');
  const service = await startService(defer, dataDir);
  const load = startLoadGenerator(defer);
  await load.makePasskeys(1);
  await load.assign(await createAccounts(service.port, readRoot(dataDir), await load.register()));

  let rate = firstRate;
  const run = async (length: number): Promise<Interval> => {
    await load.stamp(Math.ceil(1.3 * rate * length), 1);
    const interval = await load.run({ target: 'service', port: service.port, connections, seconds: length });
    rate = interval.requests / interval.seconds;
    return interval;
  };
  await run(5);
  const intervals: Interval[] = [];
  for (const end = Math.round((minutes * 60) / seconds); intervals.length < end; ) {
    const interval = await run(seconds);
    intervals.push(interval);
    const at = `${intervals.length * seconds} of ${end * seconds} s`;
    const memory = (service.memory() / 1e6).toFixed(0);
    say(
      `${at}: ${rate.toFixed(0)}/s, p50 ${p50(interval).toFixed(2)} ms, p99 ${p99(interval).toFixed(2)} ms, ${memory} MB`,
    );
  }
  const hotRssMb = round(service.memory() / 1e6, 0);
  await service.stop();
  const minute = Math.min(60 / seconds, intervals.length / 2);
  const [first, last] = [intervals.slice(0, minute), intervals.slice(-minute)].map((part) => median(part.map(p50)));
  return { hotGrowth: round((last as number) / (first as number), 3), hotRssMb };
}

const p50 = ({ quantiles }: Interval): number => quantiles[500] as number;
const p99 = ({ quantiles }: Interval): number => quantiles[990] as number;
