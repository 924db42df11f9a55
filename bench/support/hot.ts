/** One organization at its full rate for minutes: does latency or memory grow with its activities? */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Defer } from './clean-up.ts';
import type { Pair } from './compare.ts';
import { createAccounts } from './create-accounts.ts';
import { startLoadGenerator } from './load-generator.ts';
import { readRoot, startService } from './service.ts';
import { startSkeleton, writeSkeletonKeys } from './skeleton.ts';
import { median, round } from './statistics.ts';
import { formatTable } from './table.ts';

const connections = 16;
/** After each interval the skeleton gets one of this share of its length: it shows how much of a change is the machine's. */
const skeletonShare = 0.2;
/** Requests per second that are made in advance for the first interval, and by how much more than seen for later ones. */
const firstRate = 3500;
const reserve = 1.2;

/** `minutes` of load on the service, in intervals of `seconds`. */
export type HotPlan = { readonly minutes: number; readonly seconds: number };

/** `hotGrowthToSkeleton`: the same, of the service's latency divided by the skeleton's. */
export type HotFigures = { hotGrowth: number; hotGrowthToSkeleton: number; hotRssMb: number };

export async function measureHot(
  defer: Defer,
  folder: string,
  { minutes, seconds }: HotPlan,
  say: (line: string) => void,
): Promise<HotFigures> {
  const dataDir = join(folder, 'hot');
  const keysFolder = join(folder, 'hot-skeleton');
  mkdirSync(keysFolder);
  const service = await startService(defer, dataDir);
  const root = readRoot(dataDir);
  const load = startLoadGenerator(defer);
  const passkeys = await load.makePasskeys(1);
  const accounts = await createAccounts(service.port, root, await load.register());
  const users = passkeys.map((passkey, index) => ({ organizationId: accounts[index]?.organizationId ?? '', passkey }));
  const skeletonAddresses = writeSkeletonKeys(keysFolder, users);
  const skeleton = await startSkeleton(defer, keysFolder, root.databaseUrl);
  await load.assign(
    accounts.map((account, index) => ({ ...account, skeletonAddress: skeletonAddresses[index] ?? '' })),
  );

  let rate = firstRate;
  const run = async (): Promise<Pair> => {
    await load.stamp(Math.ceil(reserve * rate * seconds), 1);
    const control = { target: 'skeleton', port: skeleton.port, connections, seconds: skeletonShare * seconds } as const;
    const pair: Pair = {
      service: await load.run({ target: 'service', port: service.port, connections, seconds }),
      skeleton: await load.run(control),
    };
    rate = pair.service.requests / pair.service.seconds;
    return pair;
  };
  say('warming up');
  await run();
  const looks: Look[] = [];
  for (const end = Math.max(2, Math.round((minutes * 60) / seconds)); looks.length < end; ) {
    const look = { pair: await run(), memory: service.memory() };
    looks.push(look);
    const [at, perSecond, latency, worst, memory, control] = rowOf([look], looks.length * seconds);
    say(
      `${at} of ${end * seconds} s: ${perSecond}/s, p50 ${latency}, p99 ${worst} ms, ${memory} MB; skeleton p50 ${control} ms`,
    );
  }
  await service.stop();
  const inMinute = Math.max(1, Math.min(60 / seconds, Math.floor(looks.length / 2)));
  const minutesOf = Array.from({ length: Math.floor(looks.length / inMinute) }, (_, minute) =>
    rowOf(looks.slice(minute * inMinute, (minute + 1) * inMinute), (minute + 1) * inMinute * seconds),
  );
  const headings = ['until s', 'requests/s', 'p50 ms', 'p99 ms', 'memory MB', 'skeleton p50 ms'];
  console.log(`\n${formatTable(headings, minutesOf)}\n`);
  const growthOf = (value: (pair: Pair) => number) => {
    const latency = (part: readonly Look[]) => median(part.map(({ pair }) => value(pair)));
    return round(latency(looks.slice(-inMinute)) / latency(looks.slice(0, inMinute)), 3);
  };
  return {
    hotGrowth: growthOf((pair) => p50(pair, 'service')),
    hotGrowthToSkeleton: growthOf((pair) => p50(pair, 'service') / p50(pair, 'skeleton')),
    hotRssMb: round((looks.at(-1) as Look).memory / 1e6, 0),
  };
}

/** One interval of each, and the service's memory after it. */
type Look = { readonly pair: Pair; readonly memory: number };

/** Medians of some intervals, which end after `at` seconds of load. */
function rowOf(looks: readonly Look[], at: number): string[] {
  const of = (value: (look: Look) => number, digits: number) => median(looks.map(value)).toFixed(digits);
  return [
    String(at),
    of(({ pair: { service } }) => service.requests / service.seconds, 0),
    of(({ pair }) => p50(pair, 'service'), 2),
    of(({ pair }) => pair.service.quantiles[990] as number, 2),
    of(({ memory }) => memory / 1e6, 0),
    of(({ pair }) => p50(pair, 'skeleton'), 2),
  ];
}

const p50 = (pair: Pair, target: keyof Pair): number => pair[target].quantiles[500] as number;
