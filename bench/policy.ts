/** `npm run bench:policy`: the policy engine against Cedar and the CEL libraries, and on many policies and activities. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { timeAnalysis } from './policy/analysis.ts';
import { barPlot } from './policy/bar-plot.ts';
import { cases } from './policy/cases.ts';
import { type Comparison, compareEngines } from './policy/compare-engines.ts';
import type { EngineName } from './policy/engines.ts';
import { timeIndexed, timeSameType } from './policy/large-sets.ts';
import { timeReplay } from './policy/replay.ts';
import { round } from './support/statistics.ts';
import { formatTable } from './support/table.ts';

const usage = `usage: npm run bench:policy -- [--quick]

Decides the same requests by the same policies with Countersign, Cedar and three CEL libraries, in one process and in turn;
then times decisions among 1,000 policies, and the replay of a draft over 100,000 activities. Prints a table, writes
bench/results/policy.json and policy.svg, and ends with one line of JSON. Takes about a minute.

  --quick   few short rounds and activities: shows that it works, measures nothing
  --help    this text`;

const results = fileURLToPath(new URL('results/', import.meta.url));
const timing = (rounds: number, intervalMs: number, warmUpMs: number) => ({ rounds, intervalMs, warmUpMs });
const { values: flags } = parseArgs({ options: { quick: { type: 'boolean' }, help: { type: 'boolean' } } });
const size = flags.quick
  ? { comparison: timing(2, 1, 5), sets: timing(2, 5, 20), replayed: 2000, replays: 1, analyses: 1 }
  : { comparison: timing(51, 2, 60), sets: timing(31, 20, 2500), replayed: 100_000, replays: 3, analyses: 5 };

const startedAt = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);

const columns: readonly (readonly [EngineName, string])[] = [
  ['decision', 'decision'],
  ['expression', 'expression'],
  ['cedar', 'Cedar'],
  ['bufbuild', '@bufbuild/cel'],
  ['marcbachmann', '@marcbachmann/cel-js'],
  ['celJs', 'cel-js'],
];

async function bench(): Promise<void> {
  const { comparisons, inabilities } = compareEngines(cases, size.comparison, say);
  say(`compared in ${size.comparison.rounds} rounds`);
  console.log(`\n${comparisonTable(comparisons)}\n`);

  const indexed1000Us = timeIndexed(size.sets);
  say(`1,000 policies spread over kinds and addresses: ${indexed1000Us.toFixed(2)} µs a decision`);
  const sameType1000Us = timeSameType(size.sets);
  say(`1,000 policies of one kind, none of which allows: ${sameType1000Us.toFixed(1)} µs a decision`);
  const replay = timeReplay(size.replayed, size.replays);
  say(`draft of 20 policies over ${size.replayed} activities: ${replay.ms.toFixed(0)} ms, allows ${replay.allowed}`);
  const analysisMs = await timeAnalysis(size.analyses);
  say(`two sets of 20 policies compared by the solver, its start included: ${analysisMs.toFixed(0)} ms of CPU`);

  const least = (value: (comparison: Comparison) => number) => round(Math.min(...comparisons.map(value)), 2);
  const figures = {
    vsCedarMin: least(({ vsCedar }) => vsCedar),
    vsBestCelMin: least(({ vsBestCel }) => vsBestCel),
    indexed1000Us: round(indexed1000Us, 2),
    sameType1000Us: round(sameType1000Us, 1),
    replayMs: round(replay.ms, 0),
    analysisMs: round(analysisMs, 0),
  };
  mkdirSync(results, { recursive: true });
  const json = JSON.stringify({ figures, comparisons, inabilities }, null, 2);
  writeFileSync(join(results, 'policy.json'), `${json}\n`);
  writeFileSync(join(results, 'policy.svg'), barPlot('Time of a policy decision', bars(comparisons)));
  say(`wrote ${join(results, 'policy.json')} and policy.svg`);
  console.log(JSON.stringify(figures));
}

function comparisonTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ name, allowed, ns, vsCedar, vsBestCel, decisionVsBestCel }) => [
    `${name}, ${allowed ? 'allowed' : 'refused'}`,
    ...columns.map(([engine]) => (ns[engine] === undefined ? 'cannot' : (ns[engine] / 1000).toFixed(2))),
    vsCedar.toFixed(0),
    vsBestCel.toFixed(1),
    decisionVsBestCel.toFixed(1),
  ]);
  const titles = columns.map(([engine, title]) => (engine === 'decision' ? `${title} µs` : title));
  const ratios = ['Cedar / decision', 'best CEL / expression', 'best CEL / decision'];
  return formatTable(['', ...titles, ...ratios], rows);
}

/** Of requests that are allowed, in the order of the columns. */
const bars = (comparisons: readonly Comparison[]) =>
  comparisons
    .filter(({ allowed }) => allowed)
    .map(({ name, ns }) => ({
      title: name,
      bars: columns.flatMap(([engine, label]) => (ns[engine] === undefined ? [] : [{ label, ns: ns[engine] }])),
    }));

if (flags.help) console.log(usage);
else await bench();
