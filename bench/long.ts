/** `npm run bench:long`: whether cost grows with the number of organizations, or with the activities of one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Defer, runWithCleanUp } from './support/clean-up.ts';
import { measureGrowth } from './support/growth.ts';
import { measureHot } from './support/hot.ts';

const usage = `usage: npm run bench:long -- [--growth] [--hot] [--organizations <n>] [--minutes <n>] [--quick]

  --growth             only growth1e5: median latency with many organizations over that with 100, at 16 connections
  --hot                only hotGrowth: one organization at its full rate, last minute's median latency over the first's
  --organizations <n>  how many are many (100000)
  --minutes <n>        length of the load on one organization (5)
  --quick              1000 organizations and 20 seconds, in short intervals: shows that it works, measures nothing
  --help               this text

Both run where none is named, for about 8 minutes each. Prints progress and a table of each, writes
bench/results/long.json and ends with one line of JSON.`;

const { values: given } = parseArgs({
  options: {
    growth: { type: 'boolean' },
    hot: { type: 'boolean' },
    organizations: { type: 'string' },
    minutes: { type: 'string' },
    quick: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

const size = given.quick
  ? { organizations: 1000, pairs: 2, growthSeconds: 1, minutes: 1 / 3, hotSeconds: 2 }
  : { organizations: 100_000, pairs: 12, growthSeconds: 4, minutes: 5, hotSeconds: 10 };

const startedAt = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);

const figures: Record<string, number> = {};

async function bench(defer: Defer): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  const both = !given.growth && !given.hot;
  if (both || given.growth) {
    const plan = { many: numberOf('organizations'), pairs: size.pairs, seconds: size.growthSeconds };
    Object.assign(figures, await measureGrowth(defer, folder, plan, say));
  }
  if (both || given.hot) {
    const plan = { minutes: numberOf('minutes'), seconds: size.hotSeconds };
    Object.assign(figures, await measureHot(defer, folder, plan, say));
  }
}

function numberOf(name: 'organizations' | 'minutes'): number {
  const value = Number(given[name] ?? size[name]);
  if (value > 0) return value;
  throw new Error(`--${name}: expected a number above 0, got ${given[name]}`);
}

if (given.help) {
  console.log(usage);
} else {
  await runWithCleanUp(bench);
  if (process.exitCode === undefined) {
    const results = fileURLToPath(new URL('results/', import.meta.url));
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, 'long.json'), `${JSON.stringify(figures)}\n`);
    console.log(JSON.stringify(figures));
  }
}
