/** The whole example: Countersign, a chain node with the contracts, and the application's backend. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { toHex } from 'viem';
import { freePort } from '../../src/cli/port.ts';
import type { Config } from './backend/config.ts';
import { startBackend } from './backend/server.ts';
import { deployAll, startChain } from './chain/chain.ts';
import { openKeys, type Root, setPolicies } from './setup.ts';

export type StartOptions = {
  readonly port: number;
  /** Countersign's; absent: a temporary one, which is removed at the end. */
  readonly dataDir?: string;
  readonly mintsPerDay?: number;
  readonly say?: (line: string) => void;
};

const chainId = 31_337;

/** Ends what it has started when anything fails. */
export async function startMint({ port, dataDir, mintsPerDay = 100, say = () => {} }: StartOptions) {
  const endings: (() => unknown)[] = [];
  const stop = async () => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  try {
    const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'passkey-mint-'));
    if (dataDir === undefined) endings.push(() => rmSync(folder, { recursive: true, force: true }));

    say('starting Countersign and a chain node');
    const chain = await startChain();
    endings.push(chain.stop);
    const countersign = await startCountersign(folder, endings);

    say('deploying EntryPoint, account code, sponsor and NFT');
    const keys = await openKeys(countersign, join(folder, 'passkey-mint.json'));
    const contracts = await deployAll(chain, keys.sponsor.address);
    await setPolicies(countersign, keys, contracts, { chainId, mintsPerDay });

    const bundler = chain.funded(1).account;
    const config: Config = {
      port,
      countersign: { baseUrl: countersign.apiBaseUrl, organizationId: countersign.organizationId },
      ...keys,
      bundlerKey: toHex(bundler.getHdKey().privateKey as Uint8Array),
      chain: { id: chainId, rpcUrl: chain.rpcUrl },
      contracts,
    };
    const backend = await startBackend(config);
    endings.push(backend.close);
    return { origin: backend.origin, config, chain, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `countersign start` with a database of its own; gives its `root.json`. */
async function startCountersign(dataDir: string, endings: (() => unknown)[]): Promise<Root> {
  const port = await freePort();
  const command = fileURLToPath(new URL('../../bin/countersign.mjs', import.meta.url));
  const child = spawn(process.execPath, [command, 'start'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, PORT: String(port), COUNTERSIGN_DATA_DIR: dataDir, COUNTERSIGN_LOG_LEVEL: 'warn' },
  });
  const ended = once(child, 'exit');
  process.once('exit', () => child.kill());
  endings.push(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await ended;
  });
  const isReady = () =>
    fetch(`http://localhost:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error('Countersign ended before it was ready');
    await sleep(50);
  }
  return JSON.parse(readFileSync(join(dataDir, 'root.json'), 'utf8'));
}
