import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Defer } from './clean-up.ts';
import type { Account } from './load.ts';
import type { Populated, PopulateOrder } from './populate.ts';

/** How many organizations are made from one report to the next. */
const reported = 20_000;

/** Adds a sub-organization for each passkey to a data directory whose service is stopped; in their order. */
export async function populatedAccounts(
  defer: Defer,
  order: PopulateOrder,
  onProgress: (made: number) => void,
): Promise<Account[]> {
  const child = fork(fileURLToPath(new URL('populate.ts', import.meta.url)), { serialization: 'advanced' });
  const ended = once(child, 'exit');
  defer(async () => {
    if (child.kill()) await ended;
  });
  let accounts: Account[] | undefined;
  let told = 0;
  child.on('message', (message: Populated) => {
    if ('accounts' in message) accounts = message.accounts;
    else if (message.made >= told + reported) {
      told = message.made;
      onProgress(told);
    }
  });
  child.send(order);
  await ended;
  if (!accounts) throw new Error('the ledger could not be filled');
  return accounts;
}
