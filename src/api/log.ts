import { type Logger, pino } from 'pino';

export type Log = { readonly logger: Logger; flush(): void };

/** Structured logs on standard output, one JSON object a line, written in bundles. */
export function openLog(level: string): Log {
  const destination = pino.destination({ dest: 1, sync: false, minLength: 16_000, periodicFlush: 500 });
  // Logs are worth less than answers: whoever reads them may go away.
  destination.on('error', () => {});
  const logger = pino({ level, base: { process: 'api' } }, destination);
  return {
    logger,
    flush() {
      try {
        destination.flushSync();
      } catch {
        // Nothing was opened yet, or nobody reads.
      }
    },
  };
}
