/** `npm run bench:receipts`: what evidence costs, how quickly it is verified, a restart with a million organizations, and attacks. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { attackRows } from './receipts/attack-rows.ts';
import { measureCost, type ReceiptCost, rateOf, sides } from './receipts/cost.ts';
import { startProving } from './receipts/proving.ts';
import { measureRestarts, type Restarts, restartMs } from './receipts/restart.ts';
import { attackReceipts, type Tally, timeVerification } from './receipts/verify.ts';
import { type Defer, runWithCleanUp } from './support/clean-up.ts';
import { median, round } from './support/statistics.ts';
import { formatTable } from './support/table.ts';

const usage = `usage: npm run bench:receipts -- [--cost] [--restart] [--attacks] [--organizations <n>] [--quick]

  --cost               only receiptCost: signing requests with log, receipts and file anchor against the same without
  --restart            only restartMillionOrgsMs: a restart with very many organizations, until /health says ok
  --attacks            only verifyReceiptUs, attackTried and attackGained: receipts verified, altered ones, altered rows
  --organizations <n>  how many are very many (1000000)
  --quick              5000 organizations and short intervals: shows that it works, measures nothing
  --help               this text

All run where none is named. Prints progress and tables, writes bench/results/receipts.json and ends with one line of JSON.
Takes about 4 minutes, and at the first time 5 to 15 more to make the million organizations; they are kept in the folder for
temporary files for the next time.`;

const flag = { type: 'boolean' } as const;
const { values: given } = parseArgs({
  options: { cost: flag, restart: flag, attacks: flag, organizations: { type: 'string' }, quick: flag, help: flag },
});
const size = given.quick
  ? { users: 16, pairs: 2, seconds: 1, organizations: 5000, starts: 1, verified: 200, stride: 50, attackSeconds: 5 }
  : { users: 200, pairs: 15, seconds: 3, organizations: 1e6, starts: 3, verified: 4000, stride: 1, attackSeconds: 30 };

const startedAt = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);

type Figure = 'receiptCost' | 'restartMillionOrgsMs' | 'verifyReceiptUs' | 'attackTried' | 'attackGained';
const figures: Partial<Record<Figure, number>> = {};

async function bench(defer: Defer): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  const all = !given.cost && !given.restart && !given.attacks;
  if (all || given.cost) reportCost(await measureCost(defer, folder, size, say));
  if (all || given.attacks) await measureEvidence(defer, folder);
  if (all || given.restart)
    reportRestarts(await measureRestarts(defer, { ...size, organizations: organizations() }, say));
}

function organizations(): number {
  const value = Number(given.organizations ?? size.organizations);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--organizations: expected a number above 0, got ${given.organizations}`);
}

async function measureEvidence(defer: Defer, folder: string): Promise<void> {
  const proving = await startProving(defer, folder, 6);
  const us = await timeVerification(proving, size.verified);
  say(`a receipt is verified in ${us.toFixed(0)} µs`);
  const tally: Tally = { tried: 0, gained: 0 };
  await attackReceipts(proving, size.stride, tally);
  say(`${tally.tried} altered receipts and checkpoints, of which ${tally.gained} verified`);
  const { tried, gained } = tally;
  await attackRows(proving, size.attackSeconds, tally);
  say(
    `${tally.tried - tried} altered values of the database under load, of which ${tally.gained - gained} gained anything`,
  );
  figures.verifyReceiptUs = round(us, 0);
  figures.attackTried = tally.tried;
  figures.attackGained = tally.gained;
}

function reportCost({ ratio, intervals }: ReceiptCost): void {
  const names = { with: 'with log, receipts, file anchor', without: 'without' };
  const rows = sides.map((side) => {
    const of = (value: (interval: (typeof intervals)[typeof side][number]) => number) =>
      median(intervals[side].map(value));
    const at = (permille: number) => of(({ quantiles }) => quantiles[permille] as number).toFixed(2);
    const share = of(({ cpuShare }) => cpuShare * 100).toFixed(0);
    const cpu = of(({ cpuMs }) => cpuMs).toFixed(3);
    const cost = side === 'with' ? ratio.toFixed(3) : '';
    return [names[side], of(rateOf).toFixed(0), at(500), at(990), cpu, `${share} %`, cost];
  });
  const headings = ['16 connections', 'requests/s', 'p50 ms', 'p99 ms', 'CPU ms', 'load CPU', 'time with / without'];
  console.log(`\n${formatTable(headings, rows)}\n`);
  figures.receiptCost = round(ratio, 3);
}

function reportRestarts(restarts: Restarts): void {
  const ready = restarts.readyMs.map((ms) => ms.toFixed(0)).join(', ');
  const row = [
    `${restarts.organizations} organizations of one user, no wallet`,
    ready,
    (restarts.memory / 1e6).toFixed(0),
  ];
  console.log(`\n${formatTable(['', 'ready ms', 'memory MB'], [row])}\n`);
  figures.restartMillionOrgsMs = round(restartMs(restarts), 0);
}

if (given.help) {
  console.log(usage);
} else {
  await runWithCleanUp(bench);
  if (process.exitCode === undefined) {
    const results = fileURLToPath(new URL('results/', import.meta.url));
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, 'receipts.json'), `${JSON.stringify(figures)}\n`);
    console.log(JSON.stringify(figures));
  }
}
