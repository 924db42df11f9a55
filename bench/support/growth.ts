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
const pairs = 12;
const seconds = 4;
/** Requests per second that are made in advance. */
const stampedRate = 4000;

type Side = { readonly organizations: number; readonly service: Service; readonly load: LoadGenerator };

export async function measureGrowth(
  defer: Defer,
  folder: string,
  many: number,
  say: (line: string) => void,
): Promise<{ growth1e5: number }> {
  const sides = [
    await prepare(defer, join(folder, 'few'), few, say),
    await prepare(defer, join(folder, 'many'), many, say),
  ];
  for (const side of sides) await measure(side);
  const measured: [few: Interval, many: Interval][] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? [0, 1] : [1, 0];
    const intervals: Interval[] = [];
    for (const at of order) intervals[at] = await measure(sides[at] as Side);
    const [small, large] = intervals as [Interval, Interval];
    measured.push([small, large]);
    say(
      `pair ${pair + 1}/${pairs}: p50 ${p50(small).toFixed(2)} ms with ${few}, ${p50(large).toFixed(2)} ms with ${many}`,
    );
  }
  const rows = sides.map(({ organizations, service }, at) => {
    const intervals = measured.map((pair) => pair[at] as Interval);
    const rate = median(intervals.map(({ requests, seconds }) => requests / seconds));
    const latency = (permille: number) => median(intervals.map(({ quantiles }) => quantiles[permille] as number));
    const memory = (service.memory() / 1e6).toFixed(0);
    return [
      `${organizations} organizations`,
      rate.toFixed(0),
      latency(500).toFixed(2),
      latency(990).toFixed(2),
      memory,
    ];
  });
  console.log(`\n${formatTable(['', 'requests/s', 'p50 ms', 'p99 ms', 'memory MB'], rows)}\n`);
  await Promise.all(sides.map(({ service }) => service.stop()));
  return { growth1e5: round(median(measured.map(([small, large]) => p50(large) / p50(small))), 3) };
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
  const passkeys = await load.makePasskeys(organizations);
  const { organizationId: parentId } = readRoot(dataDir);
  const accounts = await populatedAccounts(defer, { dataDir, parentId, passkeys });
  await load.assign(accounts);
  const service = await startService(defer, dataDir);
  say(`service with ${organizations} organizations: ready after ${service.readyMs.toFixed(0)} ms`);
  return { organizations, service, load };
}

async function measure({ organizations, service, load }: Side): Promise<Interval> {
  await load.stamp(stampedRate * seconds, organizations);
  return load.run({ target: 'service', port: service.port, connections, seconds });
}

const p50 = ({ quantiles }: Interval): number => quantiles[500] as number;
