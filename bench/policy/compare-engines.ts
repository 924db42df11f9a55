/** All engines on the same decisions: first that they agree, then in turn, in short intervals. */
import { median } from '../support/statistics.ts';
import type { Case } from './cases.ts';
import { type Decider, type EngineName, engines } from './engines.ts';
import { callsIn, type Timing, timeCalls } from './time.ts';

export type Comparison = {
  readonly name: string;
  readonly allowed: boolean;
  /** Median nanoseconds of a decision; absent where the engine cannot. */
  readonly ns: Readonly<Partial<Record<EngineName, number>>>;
  /** How many times as long as ours: medians of the rounds' ratios. */
  readonly vsCedar: number;
  readonly vsBestCel: number;
  /** The whole decision against a CEL library's expression. */
  readonly decisionVsBestCel: number;
};

/** Why an engine has no figure for a policy. */
export type Inability = { readonly engine: EngineName; readonly name: string; readonly reason: string };

type Contest = {
  readonly name: string;
  readonly allowed: boolean;
  readonly runners: readonly { readonly engine: EngineName; readonly decider: Decider; readonly count: number }[];
  readonly rounds: Partial<Record<EngineName, number>>[];
};

/** Requests of one kind, so that no engine sees the same one twice in a row. */
const variants = 8;
const celLibraries = ['bufbuild', 'marcbachmann', 'celJs'] as const;
/** Without these there is no comparison. */
const required: ReadonlySet<EngineName> = new Set(['decision', 'expression', 'cedar']);

/** `decision` is compared with Cedar, `expression` with the CEL libraries. Throws where one of the first three answers wrongly. */
export function compareEngines(
  cases: readonly Case[],
  { rounds, intervalMs, warmUpMs }: Timing,
  say: (line: string) => void,
): { readonly comparisons: readonly Comparison[]; readonly inabilities: readonly Inability[] } {
  const inabilities: Inability[] = [];
  const agreed = cases.map((given) => ({ given, deciders: prepare(given, inabilities) }));
  say(`verified: on ${cases.length} policies × ${2 * variants} requests all engines answer the same, but for`);
  for (const { engine, name, reason } of inabilities) say(`  ${engine} on “${name}”: ${reason}`);

  const contests = agreed.flatMap(({ given, deciders }) =>
    [true, false].map((allowed): Contest => {
      const runners = deciders.map(({ engine, decider }) => {
        const offset = allowed ? 0 : variants;
        const call: Decider = (index) => decider(index + offset);
        return { engine, decider: call, count: callsIn(intervalMs, warmUpMs, call, variants) };
      });
      return { name: given.name, allowed, runners, rounds: [] };
    }),
  );
  say('warmed up');
  for (let round = 0; round < rounds; round++) {
    for (const contest of contests) contest.rounds.push(runRound(contest, round));
  }
  return { comparisons: contests.map(summarize), inabilities };
}

function prepare(given: Case, inabilities: Inability[]) {
  const indexes = Array.from({ length: variants }, (_, index) => index);
  const activities = [...indexes.map(given.allowed), ...indexes.map(given.refused)];
  const able = (Object.keys(engines) as EngineName[]).flatMap((engine) => {
    const cannot = (reason: string) => {
      if (required.has(engine)) throw new Error(`${engine} on “${given.name}”: ${reason}`);
      inabilities.push({ engine, name: given.name, reason });
      return [];
    };
    try {
      const decider = engines[engine](given, activities);
      const wrong = activities.findIndex((_, index) => decider(index) !== index < variants);
      if (wrong < 0) return [{ engine, decider }];
      return cannot(`wrongly ${wrong < variants ? 'refuses' : 'allows'} a request`);
    } catch (error) {
      return cannot((error as Error).message);
    }
  });
  if (!able.some(({ engine }) => isCelLibrary(engine))) throw new Error(`no CEL library can do “${given.name}”`);
  return able;
}

const isCelLibrary = (engine: EngineName): boolean => (celLibraries as readonly EngineName[]).includes(engine);

/** Each time another engine is first. */
function runRound({ runners }: Contest, round: number): Partial<Record<EngineName, number>> {
  const first = round % runners.length;
  const times: Partial<Record<EngineName, number>> = {};
  for (const { engine, decider, count } of [...runners.slice(first), ...runners.slice(0, first)]) {
    times[engine] = timeCalls(decider, variants, count);
  }
  return times;
}

function summarize({ name, allowed, runners, rounds }: Contest): Comparison {
  const all = (engine: EngineName) => rounds.map((times) => times[engine] as number);
  const bestCel = (times: Partial<Record<EngineName, number>>) =>
    Math.min(...celLibraries.map((engine) => times[engine] ?? Number.POSITIVE_INFINITY));
  const ratios = (theirs: (times: Partial<Record<EngineName, number>>) => number, ours: EngineName) =>
    median(rounds.map((times) => theirs(times) / (times[ours] as number)));
  return {
    name,
    allowed,
    ns: Object.fromEntries(runners.map(({ engine }) => [engine, median(all(engine))])),
    vsCedar: ratios(({ cedar }) => cedar as number, 'decision'),
    vsBestCel: ratios(bestCel, 'expression'),
    decisionVsBestCel: ratios(bestCel, 'decision'),
  };
}
