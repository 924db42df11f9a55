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

const connections = 16;
/** After each interval the skeleton gets a short one, which shows how much of a change is the machine's. */
const seconds = { service: 10, skeleton: 2 };
/** Requests per second that are made in advance for the first interval, and by how much more than seen for later ones. */
const firstRate = 3500;
const reserve = 1.2;

/** `hotGrowthToSkeleton`: the same, of the service's latency divided by the skeleton's. */
export type HotFigures = { hotGrowth: number; hotGrowthToSkeleton: number; hotRssMb: number };

export async function measureHot(
  defer: Defer,
  folder: string,
  minutes: number,
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
    await load.stamp(Math.ceil(reserve * rate * seconds.service), 1);
    const pair: Pair = {
      service: await load.run({ target: 'service', port: service.port, connections, seconds: seconds.service }),
      skeleton: await load.run({ target: 'skeleton', port: skeleton.port, connections, seconds: seconds.skeleton }),
    };
    rate = pair.service.requests / pair.service.seconds;
    return pair;
  };
  say('warming up');
  await run();
  const pairs: Pair[] = [];
  for (const end = Math.max(2, Math.round((minutes * 60) / seconds.service)); pairs.length < end; ) {
    const pair = await run();
    pairs.push(pair);
    const memory = `${(service.memory() / 1e6).toFixed(0)} MB`;
    const latency = `p50 ${latencyOf(pair, 'service', 500)}, p99 ${latencyOf(pair, 'service', 990)} ms`;
    const control = `skeleton p50 ${latencyOf(pair, 'skeleton', 500)} ms`;
    say(
      `${pairs.length * seconds.service} of ${end * seconds.service} s: ${rate.toFixed(0)}/s, ${latency}, ${memory}; ${control}`,
    );
  }
  const hotRssMb = round(service.memory() / 1e6, 0);
  await service.stop();
  return {
    hotGrowth: growthOf(pairs, (pair) => p50(pair, 'service')),
    hotGrowthToSkeleton: growthOf(pairs, (pair) => p50(pair, 'service') / p50(pair, 'skeleton')),
    hotRssMb,
  };
}

/** Median of the last minute over that of the first. */
function growthOf(pairs: readonly Pair[], value: (pair: Pair) => number): number {
  const minute = Math.min(60 / seconds.service, Math.floor(pairs.length / 2));
  return round(median(pairs.slice(-minute).map(value)) / median(pairs.slice(0, minute).map(value)), 3);
}

const p50 = (pair: Pair, target: keyof Pair): number => pair[target].quantiles[500] as number;
const latencyOf = (pair: Pair, target: keyof Pair, permille: number): string =>
  (pair[target].quantiles[permille] as number).toFixed(2);
