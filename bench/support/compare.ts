/** Service and skeleton in turn, in short intervals over the same requests: what disturbs the machine disturbs both. */
import type { Interval } from './load.ts';
import type { LoadGenerator } from './load-generator.ts';
import { median } from './statistics.ts';

export type Target = 'service' | 'skeleton';
export type Pair = Readonly<Record<Target, Interval>>;

export type Comparison = {
  readonly connections: number;
  /** Median of the pairs' ratios of throughput, service to skeleton. */
  readonly ratio: number;
  readonly service: Summary;
  readonly skeleton: Summary;
};

/** Medians over the intervals. */
export type Summary = { readonly rate: number; readonly quantiles: readonly number[]; readonly loadCpuShare: number };

export type Plan = {
  readonly connections: readonly number[];
  readonly rounds: number;
  /** Length of an interval. */
  readonly seconds: number;
  readonly ports: Readonly<Record<Target, number>>;
  readonly signers: number;
};

/** Requests per second that are made in advance for the first interval; later ones go by what was seen. */
const firstRates: Readonly<Record<number, number>> = { 1: 1500, 16: 5000, 64: 7000 };

export async function compare(load: LoadGenerator, plan: Plan, say: (line: string) => void): Promise<Comparison[]> {
  const pairs = new Map<number, Pair[]>(plan.connections.map((connections) => [connections, []]));
  for (let round = 0; round < plan.rounds; round++) {
    for (const connections of plan.connections) {
      const earlier = pairs.get(connections) as Pair[];
      const pair = await runPair(load, plan, connections, earlier, round % 2 === 0);
      earlier.push(pair);
      const rates = `service ${rateOf(pair.service).toFixed(0)}/s, skeleton ${rateOf(pair.skeleton).toFixed(0)}/s`;
      say(`round ${round + 1}/${plan.rounds}, ${connections} connections: ${rates}, ratio ${ratioOf(pair).toFixed(3)}`);
    }
  }
  return plan.connections.map((connections) => summarize(connections, pairs.get(connections) as Pair[]));
}

async function runPair(
  load: LoadGenerator,
  { seconds, ports, signers }: Plan,
  connections: number,
  earlier: readonly Pair[],
  serviceFirst: boolean,
): Promise<Pair> {
  const seen = earlier.flatMap(({ service, skeleton }) => [rateOf(service), rateOf(skeleton)]);
  const rate = seen.length > 0 ? 1.3 * Math.max(...seen) : (firstRates[connections] ?? 7000);
  await load.stamp(Math.ceil(rate * seconds), signers);
  const run = (target: Target) => load.run({ target, port: ports[target], connections, seconds });
  const [first, second] = serviceFirst ? (['service', 'skeleton'] as const) : (['skeleton', 'service'] as const);
  const pair = { [first]: await run(first), [second]: await run(second) };
  return pair as Pair;
}

function summarize(connections: number, pairs: readonly Pair[]): Comparison {
  const summaryOf = (target: Target): Summary => {
    const intervals = pairs.map((pair) => pair[target]);
    const quantiles = (intervals[0] as Interval).quantiles.map((_, at) =>
      median(intervals.map((interval) => interval.quantiles[at] as number)),
    );
    return { rate: median(intervals.map(rateOf)), quantiles, loadCpuShare: median(intervals.map((i) => i.cpuShare)) };
  };
  return {
    connections,
    ratio: median(pairs.map(ratioOf)),
    service: summaryOf('service'),
    skeleton: summaryOf('skeleton'),
  };
}

const rateOf = ({ requests, seconds }: Interval): number => requests / seconds;
const ratioOf = ({ service, skeleton }: Pair): number => rateOf(service) / rateOf(skeleton);
