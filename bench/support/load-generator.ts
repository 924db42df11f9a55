/** The parent's side of the load generator. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Registration } from '../../src/stamping/stamp.ts';
import type { Defer } from './clean-up.ts';
import type { Account, Command, Interval, Passkey, Reply, Run } from './load.ts';

type Order<Name> = Omit<Extract<Command, { do: Name }>, 'do'>;

export type LoadGenerator = {
  makePasskeys(count: number): Promise<Passkey[]>;
  register(): Promise<Registration[]>;
  assign(accounts: Account[]): Promise<void>;
  adopt(order: Order<'adopt'>): Promise<void>;
  stamp(count: number, signers: number, more?: Pick<Order<'stamp'>, 'first' | 'kind' | 'omitReceipt'>): Promise<void>;
  run(run: Run): Promise<Interval>;
};

export function startLoadGenerator(defer: Defer): LoadGenerator {
  const child = fork(fileURLToPath(new URL('load.ts', import.meta.url)), { serialization: 'advanced', detached: true });
  defer(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(() => ({ error: 'the load generator ended' }));

  async function ask<K extends string>(command: Command, expected: K): Promise<Extract<Reply, Record<K, unknown>>> {
    const replied = once(child, 'message').then(([reply]) => reply as Reply);
    child.send(command);
    const reply: Reply = await Promise.race([replied, ended]);
    if ('error' in reply) throw new Error(reply.error);
    if (!(expected in reply))
      throw new Error(`the load generator answered \`${Object.keys(reply)}\` to \`${command.do}\``);
    return reply as Extract<Reply, Record<K, unknown>>;
  }

  return {
    makePasskeys: async (count) => (await ask({ do: 'makePasskeys', count }, 'passkeys')).passkeys,
    register: async () => (await ask({ do: 'register' }, 'registrations')).registrations,
    assign: async (accounts) => void (await ask({ do: 'assign', accounts }, 'done')),
    adopt: async (order) => void (await ask({ do: 'adopt', ...order }, 'done')),
    stamp: async (count, signers, more) => void (await ask({ do: 'stamp', count, signers, ...more }, 'done')),
    run: async (run) => (await ask({ do: 'run', ...run }, 'interval')).interval,
  };
}
