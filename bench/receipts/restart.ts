/** How long a restart takes with very many organizations: the enclave reads the whole map and compares it with its anchor. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Defer } from '../support/clean-up.ts';
import { populatedAccounts } from '../support/populated-accounts.ts';
import { readRoot, startService } from '../support/service.ts';
import { median } from '../support/statistics.ts';

export type Restarts = {
  readonly organizations: number;
  /** From the start of the process to the first 200 of `GET /health`, of each start. */
  readonly readyMs: readonly number[];
  /** Resident memory of `api` and `enclave` after the last one, in bytes. */
  readonly memory: number;
};

export async function measureRestarts(
  defer: Defer,
  { organizations, starts }: { organizations: number; starts: number },
  say: (line: string) => void,
): Promise<Restarts> {
  const dataDir = await populatedDirectory(defer, organizations, say);
  const readyMs: number[] = [];
  let memory = 0;
  while (readyMs.length < starts) {
    const service = await startService(defer, dataDir);
    say(`start ${readyMs.length + 1}/${starts} with ${organizations} organizations: ${service.readyMs.toFixed(0)} ms`);
    readyMs.push(service.readyMs);
    memory = service.memory();
    await service.stop();
  }
  return { organizations, readyMs, memory };
}

export const restartMs = ({ readyMs }: Restarts): number => median(readyMs);

/** A data directory of so many organizations, which takes minutes to make: it is kept for the next time, and gone on with. */
async function populatedDirectory(defer: Defer, organizations: number, say: (line: string) => void): Promise<string> {
  const dataDir = join(tmpdir(), `countersign-bench-${organizations}-organizations`);
  const whole = join(dataDir, 'populated');
  if (existsSync(whole)) {
    say(`using ${dataDir}; remove it to have it made again`);
    return dataDir;
  }
  mkdirSync(dataDir, { recursive: true });
  const first = await startService(defer, dataDir);
  await first.stop();
  const { organizationId: parentId } = readRoot(dataDir);
  say(`making ${organizations} organizations of one user each, in ${dataDir}`);
  await populatedAccounts(defer, { dataDir, parentId, plain: organizations }, (made) =>
    say(`made ${made} of ${organizations}`),
  );
  writeFileSync(whole, '');
  return dataDir;
}
