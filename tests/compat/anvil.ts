/** A chain of one's own: anvil, where its package is installed (Linux on x64). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createTestClient, http, publicActions, walletActions } from 'viem';
import { foundry } from 'viem/chains';
import { freePort } from '../support/service.ts';

const binary = fileURLToPath(new URL('../../node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil', import.meta.url));

/** Why there is no chain here; undefined where there is one. */
export const noAnvil = existsSync(binary) ? undefined : '@foundry-rs/anvil-linux-amd64 is not installed';

export type Chain = ReturnType<typeof clientOf> & { readonly url: string; stop(): Promise<void> };

const clientOf = (url: string) =>
  createTestClient({ mode: 'anvil', chain: foundry, transport: http(url), pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions);

/** Starts a chain (id 31337) that makes a block for each transaction. */
export async function startAnvil(): Promise<Chain> {
  const port = await freePort();
  const child = spawn(binary, ['--host', '127.0.0.1', '--port', String(port), '--hardfork', 'prague', '--silent'], {
    stdio: 'ignore',
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const url = `http://127.0.0.1:${port}`;
  const client = clientOf(url);
  const until = performance.now() + 15_000;
  while (!(await client.getChainId().catch(() => undefined))) {
    if (child.exitCode !== null || performance.now() > until) throw new Error('anvil did not start');
    await sleep(20);
  }
  return {
    ...client,
    url,
    async stop() {
      process.removeListener('exit', kill);
      const ended = once(child, 'exit');
      kill();
      await ended;
    },
  };
}

/** Keeps one number: calldata of 32 bytes sets it, none returns it. */
const store = '36600f5760005460005260206000f35b60003560005500';

/** Init code that deploys `store`: PUSH23 store, MSTORE at 0, RETURN its 23 bytes, which end the word. */
export const storeInitCode = `0x76${store}60005260176009f3` as const;
