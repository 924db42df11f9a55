/** `npm run bench:aa`: what reading user operations costs, how long a mint takes, and what it costs in gas. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startChain } from '../examples/passkey-mint/chain/chain.ts';
import type { CountersignAccount } from '../sdk/src/viem/index.ts';
import { createSoftwareAuthenticator } from '../src/stamping/software-authenticator.ts';
import { type DecodeCost, kinds, measureDecodeCost, rateOf } from './aa/decode-cost.ts';
import { compileFactory, type Flow, mintByPasskey, mintByService } from './aa/flows.ts';
import { createSponsor, setStage } from './aa/operations.ts';
import { type Defer, runWithCleanUp } from './support/clean-up.ts';
import { createAccounts } from './support/create-accounts.ts';
import type { Account } from './support/load.ts';
import { startLoadGenerator } from './support/load-generator.ts';
import { readRoot, startService } from './support/service.ts';
import { median, round } from './support/statistics.ts';
import { formatTable } from './support/table.ts';

const usage = `usage: npm run bench:aa -- [--decode] [--chain] [--quick]

Starts the service on a temporary data directory, and two chain nodes (anvil), with and without the precompile for P-256.
Prints progress and tables, writes bench/results/aa.json and ends with one line of JSON. Takes about a minute and a half.

  --decode  only decodeCost: user operations that are read and checked by a policy against signatures of a bare hash
  --chain   only the chain: gas of sponsored mints, and the time from the touch until one is included
  --quick   few short rounds and mints: shows that it works, measures nothing
  --help    this text`;

const flag = { type: 'boolean' } as const;
const { values: given } = parseArgs({ options: { decode: flag, chain: flag, quick: flag, help: flag } });
const size = given.quick
  ? { users: 8, rounds: 2, seconds: 0.5, mints: 3 }
  : { users: 100, rounds: 9, seconds: 2, mints: 12 };

const results = fileURLToPath(new URL('results/', import.meta.url));
const startedAt = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);

type Figure =
  | 'decodeCost'
  | 'signUserOpPerSecond'
  | 'touchToIncludedMs'
  | 'gasService'
  | 'gasPasskey7951'
  | 'gasPasskey';
const figures: Partial<Record<Figure, number>> = {};

async function bench(defer: Defer): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const { port } = await startService(defer, dataDir);
  const root = readRoot(dataDir);
  say('the service is ready');
  const both = !given.decode && !given.chain;
  if (both || given.decode) {
    const load = startLoadGenerator(defer);
    await load.makePasskeys(2 * size.users);
    await load.assign(await createAccounts(port, root, await load.register()));
    say(`created ${2 * size.users} sub-organizations, each with a passkey and a wallet`);
    reportDecodeCost(await measureDecodeCost(load, { port, ...size }, say));
  }
  if (both || given.chain) {
    const passkey = createSoftwareAuthenticator({ rpId: 'localhost', origin: 'http://localhost:3000' });
    const [account] = (await createAccounts(port, root, [passkey.register()])) as [Account];
    const sponsor = await createSponsor(port, root);
    const stage = await stageOn(defer, sponsor);
    say(`minting ${size.mints} times by the service`);
    const service = await mintByService(stage, port, { account, passkey }, size.mints);
    say(`minting ${size.mints} times by a passkey on a chain with the precompile, and on one without`);
    const factory = compileFactory();
    const withPrecompile = await mintByPasskey(stage, factory, size.mints);
    const without = await mintByPasskey(await stageOn(defer, sponsor, 'prague'), factory, size.mints);
    reportFlows(service, withPrecompile, without);
  }
}

async function stageOn(defer: Defer, sponsor: CountersignAccount, hardfork?: string) {
  const chain = await startChain(undefined, hardfork);
  defer(() => void chain.stop());
  return setStage(chain, sponsor);
}

function reportDecodeCost({ ratio, intervals }: DecodeCost): void {
  const names = { user_operation: 'user operation, read and checked', digest: 'bare hash' };
  const rows = kinds.map((kind) => {
    const of = (value: (interval: (typeof intervals)[typeof kind][number]) => number) =>
      median(intervals[kind].map(value));
    const at = (permille: number) => of(({ quantiles }) => quantiles[permille] as number).toFixed(2);
    const share = of(({ cpuShare }) => cpuShare * 100).toFixed(0);
    const cost = kind === 'user_operation' ? ratio.toFixed(3) : '';
    return [names[kind], of(rateOf).toFixed(0), at(500), at(990), `${share} %`, cost];
  });
  const headings = ['16 connections', 'requests/s', 'p50 ms', 'p99 ms', 'load CPU', 'time of an operation / of a hash'];
  console.log(`\n${formatTable(headings, rows)}\n`);
  figures.decodeCost = round(ratio, 3);
  figures.signUserOpPerSecond = round(median(intervals.user_operation.map(rateOf)), 0);
}

function reportFlows(service: Flow, withPrecompile: Flow, without: Flow): void {
  const later = (flow: Flow) => round(median(flow.slice(1).map(({ gas }) => gas)), 0);
  const row = (name: string, flow: Flow) => {
    const ratio = (later(flow) / later(service)).toFixed(2);
    return [name, (flow[0]?.gas ?? 0).toLocaleString('en'), later(flow).toLocaleString('en'), ratio];
  };
  const rows = [
    row('the service signs, Simple7702Account', service),
    row('passkey on chain, precompile (EIP-7951)', withPrecompile),
    row('passkey on chain, in Solidity', without),
  ];
  console.log(`\n${formatTable(['gas of a sponsored mint', 'first', 'later', 'later / service'], rows)}\n`);
  Object.assign(figures, {
    touchToIncludedMs: round(median(service.slice(1).map(({ ms }) => ms)), 0),
    gasService: later(service),
    gasPasskey7951: later(withPrecompile),
    gasPasskey: later(without),
  });
}

if (given.help) {
  console.log(usage);
} else {
  await runWithCleanUp(bench);
  if (process.exitCode === undefined) {
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, 'aa.json'), `${JSON.stringify(figures)}\n`);
    console.log(JSON.stringify(figures));
  }
}
