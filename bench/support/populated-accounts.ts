import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Defer } from './clean-up.ts';
import type { Account } from './load.ts';
import type { PopulateOrder } from './populate.ts';

/** Adds a sub-organization for each passkey to a data directory whose service is stopped; in their order. */
export async function populatedAccounts(defer: Defer, order: PopulateOrder): Promise<Account[]> {
  const child = fork(fileURLToPath(new URL('populate.ts', import.meta.url)), { serialization: 'advanced' });
  const ended = once(child, 'exit');
  defer(async () => {
    if (child.kill()) await ended;
  });
  const accounts = once(child, 'message').then(([made]) => made as Account[]);
  child.send(order);
  const made = await Promise.race([accounts, ended.then(() => undefined)]);
  await ended;
  if (!made) throw new Error('the ledger could not be filled');
  return made;
}
