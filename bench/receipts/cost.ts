/** What log, receipts and file anchor cost a signing request: the service with them against the service without, in turn. */
import { join } from 'node:path';
import type { Defer } from '../support/clean-up.ts';
import { createAccounts } from '../support/create-accounts.ts';
import type { Interval } from '../support/load.ts';
import { type LoadGenerator, startLoadGenerator } from '../support/load-generator.ts';
import { median } from '../support/statistics.ts';
import { startByHand } from './by-hand.ts';

const connections = 16;
/** Requests per second that are made in advance for the first interval; later ones go by what was seen. */
const firstRate = 3000;
const reserve = 1.5;

/** `seconds`: length of an interval. */
export type CostPlan = { readonly users: number; readonly pairs: number; readonly seconds: number };

export const sides = ['with', 'without'] as const;
export type Side = (typeof sides)[number];

export type ReceiptCost = {
  /** Median over the pairs of the time that a request takes with evidence, divided by that without. */
  readonly ratio: number;
  readonly intervals: Readonly<Record<Side, readonly Measured[]>>;
};

/** `cpuMs`: CPU of `enclave` and `api` for a request. */
type Measured = Interval & { readonly cpuMs: number };

type Party = {
  readonly load: LoadGenerator;
  readonly port: number;
  readonly cpuSeconds: () => number;
  readonly intervals: Measured[];
};

export async function measureCost(
  defer: Defer,
  folder: string,
  { users, pairs, seconds }: CostPlan,
  say: (line: string) => void,
): Promise<ReceiptCost> {
  const parties = {
    with: await prepare(defer, join(folder, 'with'), true, users),
    without: await prepare(defer, join(folder, 'without'), false, users),
  };
  const interval = async (side: Side) => {
    const { load, port, cpuSeconds, intervals } = parties[side];
    const rate = intervals.length > 0 ? reserve * Math.max(...intervals.map(rateOf)) : firstRate;
    await load.stamp(Math.ceil(rate * seconds), users, { omitReceipt: side === 'without' });
    const before = cpuSeconds();
    const run = await load.run({ target: 'service', port, connections, seconds });
    intervals.push({ ...run, cpuMs: (1000 * (cpuSeconds() - before)) / run.requests });
  };
  say(`created ${users} sub-organizations on each side, warming up`);
  for (const side of sides) {
    await interval(side);
    await interval(side);
    parties[side].intervals.length = 0;
  }
  const ratios: number[] = [];
  while (ratios.length < pairs) {
    for (const side of ratios.length % 2 ? sides : sides.toReversed()) await interval(side);
    const [of, than] = sides.map((side) => rateOf(parties[side].intervals.at(-1) as Interval)) as [number, number];
    ratios.push(than / of);
    say(
      `pair ${ratios.length}/${pairs}: ${of.toFixed(0)}/s with, ${than.toFixed(0)}/s without, ratio ${(than / of).toFixed(3)}`,
    );
  }
  return { ratio: median(ratios), intervals: { with: parties.with.intervals, without: parties.without.intervals } };
}

async function prepare(defer: Defer, dataDir: string, evidence: boolean, users: number): Promise<Party> {
  const { port, root, cpuSeconds } = await startByHand(defer, dataDir, { evidence });
  const load = startLoadGenerator(defer);
  await load.makePasskeys(users);
  const headers: Record<string, string> = evidence ? {} : { 'x-countersign-receipt': 'omit' };
  await load.assign(await createAccounts(port, root, await load.register(), headers));
  return { load, port, cpuSeconds, intervals: [] };
}

export const rateOf = ({ requests, seconds }: Interval): number => requests / seconds;
