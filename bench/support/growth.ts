/** Latency with many organizations against latency with a hundred, in turn on two data directories. */
import { join } from 'node:path';
import type { Defer } from './clean-up.ts';
import type { Interval } from './load.ts';
import { type LoadGenerator, startLoadGenerator } from './load-generator.ts';
import { populatedAccounts } from './populated-accounts.ts';
import { readRoot, type Service, startService } from './service.ts';
import { median, round } from './statistics.ts';
import { formatTable } from './table.ts';

const few = 100;
const connections = 16;
/** Requests per second that are made in advance for the first interval; later ones go by what was seen. */
const firstRate = 4000;
const reserve = 1.5;

/** `many` organizations, against a hundred, in `pairs` of intervals of `seconds` each. */
export type GrowthPlan = { readonly many: number; readonly pairs: number; readonly seconds: number };

type Side = {
  readonly organizations: number;
  readonly service: Service;
  readonly load: LoadGenerator;
  readonly intervals: Interval[];
};

export async function measureGrowth(
  defer: Defer,
  folder: string,
  { many, pairs, seconds }: GrowthPlan,
  say: (line: string) => void,
): Promise<{ growth1e5: number }> {
  const small = await prepare(defer, join(folder, 'few'), few, say);
  const large = await prepare(defer, join(folder, 'many'), many, say);
  say('warming up');
  for (const side of [small, large]) await measure(side, seconds);
  for (const side of [small, large]) side.intervals.length = 0;
  for (let pair = 0; pair < pairs; pair++) {
    for (const side of pair % 2 === 0 ? [small, large] : [large, small]) await measure(side, seconds);
    const latency = ({ organizations, intervals }: Side) =>
      `${p50(intervals[pair] as Interval).toFixed(2)} ms with ${organizations}`;
    say(`pair ${pair + 1}/${pairs}: p50 ${latency(small)}, ${latency(large)}`);
  }
  console.log(`\n${tableOf([small, large])}\n`);
  await Promise.all([small, large].map(({ service }) => service.stop()));
  const ratios = large.intervals.map((interval, pair) => p50(interval) / p50(small.intervals[pair] as Interval));
  return { growth1e5: round(median(ratios), 3) };
}

async function prepare(
  defer: Defer,
  dataDir: string,
  organizations: number,
  say: (line: string) => void,
): Promise<Side> {
  const first = await startService(defer, dataDir);
  await first.stop();
  const load = startLoadGenerator(defer);
  say(`making ${organizations} organizations`);
  const passkeys = await load.makePasskeys(organizations);
  const { organizationId: parentId } = readRoot(dataDir);
  const accounts = await populatedAccounts(defer, { dataDir, parentId, passkeys }, (made) =>
    say(`made ${made} of ${organizations}`),
  );
  await load.assign(accounts);
  const service = await startService(defer, dataDir);
  say(`service with ${organizations} organizations: ready after ${service.readyMs.toFixed(0)} ms`);
  return { organizations, service, load, intervals: [] };
}

async function measure({ organizations, service, load, intervals }: Side, seconds: number): Promise<void> {
  const rate = intervals.length > 0 ? reserve * Math.max(...intervals.map(rateOf)) : firstRate;
  await load.stamp(Math.ceil(rate * seconds), organizations);
  intervals.push(await load.run({ target: 'service', port: service.port, connections, seconds }));
}

function tableOf(sides: readonly Side[]): string {
  const rows = sides.map(({ organizations, service, intervals }) => {
    const latency = (permille: number) =>
      median(intervals.map(({ quantiles }) => quantiles[permille] as number)).toFixed(2);
    const rate = median(intervals.map(rateOf)).toFixed(0);
    const memory = (service.memory() / 1e6).toFixed(0);
    const ready = service.readyMs.toFixed(0);
    return [`${organizations} organizations`, rate, latency(500), latency(990), memory, ready];
  });
  return formatTable(['', 'requests/s', 'p50 ms', 'p99 ms', 'memory MB', 'ready ms'], rows);
}

const p50 = ({ quantiles }: Interval): number => quantiles[500] as number;
const rateOf = ({ requests, seconds }: Interval): number => requests / seconds;
