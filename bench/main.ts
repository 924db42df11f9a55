/** `npm run bench`: the service against the skeleton (DESIGN §7). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Defer, runWithCleanUp } from './support/clean-up.ts';
import { type Comparison, compare, type Summary } from './support/compare.ts';
import { createAccounts } from './support/create-accounts.ts';
import { latencyPlot } from './support/latency-plot.ts';
import { startLoadGenerator } from './support/load-generator.ts';
import { readRoot, type Service, startService } from './support/service.ts';
import { startSkeleton, writeSkeletonKeys } from './support/skeleton.ts';
import { median, round } from './support/statistics.ts';
import { formatTable } from './support/table.ts';

const usage = `usage: npm run bench -- [--quick]

Starts the service on a temporary data directory and the skeleton (bench/skeleton) on the same PostgreSQL, and drives
both in turn with passkey-stamped sign requests of many sub-organizations over 1, 16 and 64 connections. Prints a table,
writes bench/results/latency.svg, and ends with one line of JSON. Takes about 4 minutes.

  --quick   one short round with few sub-organizations: shows that it works, measures nothing
  --help    this text`;

const results = fileURLToPath(new URL('results/', import.meta.url));
const connections = [1, 16, 64];

const { values: given } = parseArgs({ options: { quick: { type: 'boolean' }, help: { type: 'boolean' } } });
const size = given.quick
  ? { organizations: 32, starts: 1, rounds: 1, seconds: 1 }
  : { organizations: 300, starts: 3, rounds: 7, seconds: 3 };

const startedAt = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);

async function bench(defer: Defer): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  const { service, dataDir, readyMs } = await startMeasured(defer, folder);

  const load = startLoadGenerator(defer);
  const passkeys = await load.makePasskeys(size.organizations);
  const root = readRoot(dataDir);
  const accounts = await createAccounts(service.port, root, await load.register());
  say(`created ${accounts.length} sub-organizations, each with a passkey and a wallet`);

  const users = accounts.map(({ organizationId }, index) => ({
    organizationId,
    passkey: passkeys[index] as (typeof passkeys)[number],
  }));
  const skeletonAddresses = writeSkeletonKeys(folder, users);
  const skeleton = await startSkeleton(defer, folder, root.databaseUrl);
  await load.assign(
    accounts.map((account, index) => ({ ...account, skeletonAddress: skeletonAddresses[index] as string })),
  );

  const ports = { service: service.port, skeleton: skeleton.port };
  const plan = { connections, ports, signers: size.organizations };
  say('warming up');
  await compare(load, { ...plan, connections: [16], rounds: 1, seconds: size.seconds }, () => {});
  const comparisons = await compare(load, { ...plan, rounds: size.rounds, seconds: size.seconds }, say);
  report(comparisons, readyMs, service.memory() / 1e6);
}

/** Starts the service once on an empty directory, then measures starts on what that one made; the last one stays. */
async function startMeasured(
  defer: Defer,
  folder: string,
): Promise<{ service: Service; dataDir: string; readyMs: number }> {
  const dataDir = join(folder, 'data');
  let service = await startService(defer, dataDir);
  say(`first start, with an empty data directory: ready after ${service.readyMs.toFixed(0)} ms`);
  const times: number[] = [];
  while (times.length < size.starts) {
    await service.stop();
    service = await startService(defer, dataDir);
    times.push(service.readyMs);
  }
  say(`starts after that: ready after ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  return { service, dataDir, readyMs: median(times) };
}

const counted = (connections: number) => `${connections} ${connections === 1 ? 'connection' : 'connections'}`;

function report(comparisons: readonly Comparison[], readyMs: number, rssMb: number): void {
  const row = (name: string, { rate, quantiles, loadCpuShare }: Summary, ratio: string) => {
    const ms = (permille: number) => (quantiles[permille] as number).toFixed(2);
    return [name, rate.toFixed(0), ms(500), ms(990), `${(loadCpuShare * 100).toFixed(0)} %`, ratio];
  };
  const rows = comparisons.flatMap(({ connections, service, skeleton, ratio }) => [
    row(`service, ${counted(connections)}`, service, ratio.toFixed(3)),
    row(`skeleton, ${counted(connections)}`, skeleton, ''),
  ]);
  console.log(`\n${formatTable(['', 'requests/s', 'p50 ms', 'p99 ms', 'load CPU', 'ratio'], rows)}\n`);

  const panels = comparisons.map(({ connections, service, skeleton }) => ({
    title: counted(connections),
    service: service.quantiles,
    skeleton: skeleton.quantiles,
  }));
  const plot = join(results, 'latency.svg');
  mkdirSync(results, { recursive: true });
  writeFileSync(plot, latencyPlot('Latency of stamped sign requests', panels));
  say(`wrote ${plot}`);

  const at16 = comparisons.find(({ connections }) => connections === 16) as Comparison;
  const perLevel = (name: string, value: (comparison: Comparison) => number) =>
    Object.fromEntries(comparisons.map((comparison) => [`${name}${comparison.connections}`, value(comparison)]));
  const figures = {
    ...perLevel('ratioToSkeleton', ({ ratio }) => round(ratio, 3)),
    p50Ms16: round(at16.service.quantiles[500] as number, 2),
    p99Ms16: round(at16.service.quantiles[990] as number, 2),
    readyMs: round(readyMs, 0),
    rssMb: round(rssMb, 0),
    ...perLevel('serviceRps', ({ service }) => round(service.rate, 0)),
    ...perLevel('skeletonRps', ({ skeleton }) => round(skeleton.rate, 0)),
  };
  const line = JSON.stringify(figures);
  writeFileSync(join(results, 'bench.json'), `${line}\n`);
  lastLine = line;
}

/** Said when everything is stopped and removed. */
let lastLine: string | undefined;

if (given.help) {
  console.log(usage);
} else {
  await runWithCleanUp(bench);
  if (lastLine) console.log(lastLine);
}
