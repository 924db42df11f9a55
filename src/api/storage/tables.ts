import { setTimeout as sleep } from 'node:timers/promises';
import { describeDatabaseError } from './describe-error.ts';
import { migrate } from './migrate.ts';

/** The tables, which may be missing at the start, or altered by whoever holds the database. */
export type Tables = {
  /** Resolves when they are up to date; while they cannot be brought there it rejects at once with what stops it. */
  ready(): Promise<void>;
  /** Why they are not up to date yet, in words for operators. */
  trouble(): string | null;
};

const firstDelay = 100;
const longestDelay = 1_000;

/** Migrates the database, again and again until it is done. `onTrouble` hears of each new reason why it is not. */
export function prepareTables(databaseUrl: string, onTrouble: (reason: string, error: unknown) => void): Tables {
  let trouble: string | null = 'the tables are being brought up to date';
  let newest = migrate(databaseUrl);

  const settle = async () => {
    for (let delay = firstDelay; ; delay = Math.min(delay * 2, longestDelay)) {
      try {
        await newest;
        trouble = null;
        return;
      } catch (error) {
        const reason = describeDatabaseError(error);
        if (reason !== trouble) onTrouble(reason, error);
        trouble = reason;
        await sleep(delay);
        const next = migrate(databaseUrl);
        // Until it is known how this attempt ends, what stopped the one before is the answer.
        await next.catch(() => {});
        newest = next;
      }
    }
  };
  void settle();

  return { ready: () => newest, trouble: () => trouble };
}
