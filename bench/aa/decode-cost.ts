/** User operations that are read and checked against signatures of a bare hash, in turn over one service. */
import type { Interval } from '../support/load.ts';
import type { LoadGenerator } from '../support/load-generator.ts';
import { operationGuard } from '../support/random-operation.ts';
import type { RequestKind } from '../support/stamped-requests.ts';
import { median } from '../support/statistics.ts';

const connections = 16;

export type DecodePlan = {
  readonly port: number;
  /** Users of each kind: those whose organizations have a policy, and then as many without. */
  readonly users: number;
  readonly rounds: number;
  /** Length of an interval. */
  readonly seconds: number;
};

export type DecodeCost = {
  /** Median over the rounds of the time that an operation takes, divided by that of a hash. */
  readonly ratio: number;
  readonly intervals: Readonly<Record<RequestKind, readonly Interval[]>>;
};

export const kinds: readonly RequestKind[] = ['user_operation', 'digest'];

export async function measureDecodeCost(
  load: LoadGenerator,
  { port, users, rounds, seconds }: DecodePlan,
  say: (line: string) => void,
): Promise<DecodeCost> {
  await load.adopt({ port, signers: users, policy: operationGuard });
  const rates: Record<RequestKind, number> = { user_operation: 1500, digest: 1500 };
  const interval = async (kind: RequestKind, length: number): Promise<Interval> => {
    const first = kind === 'user_operation' ? 0 : users;
    await load.stamp(Math.ceil(1.5 * rates[kind] * length), users, { first, kind });
    const run = await load.run({ target: 'service', port, connections, seconds: length });
    rates[kind] = rateOf(run);
    return run;
  };
  say('warming up');
  for (const kind of kinds) await interval(kind, seconds);
  const intervals: Record<RequestKind, Interval[]> = { user_operation: [], digest: [] };
  const ratios: number[] = [];
  while (ratios.length < rounds) {
    for (const kind of ratios.length % 2 ? kinds : kinds.toReversed()) {
      intervals[kind].push(await interval(kind, seconds));
    }
    ratios.push(rates.digest / rates.user_operation);
    const seen = `${rates.user_operation.toFixed(0)} operations/s, ${rates.digest.toFixed(0)} hashes/s`;
    say(`round ${ratios.length}/${rounds}: ${seen}, ratio ${ratios.at(-1)?.toFixed(3)}`);
  }
  return { ratio: median(ratios), intervals };
}

export const rateOf = ({ requests, seconds }: Interval): number => requests / seconds;
