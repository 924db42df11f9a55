/** The signals that end the service. */

/** Signals that come within this time are one: npm and the shell pass on what the process group has got already. */
const sameMs = 1000;

/** Calls `stop` at the first signal, and `force` at one that comes at least a second later. */
export function onStopSignals(stop: () => void, force: () => void): void {
  let first: number | undefined;
  const received = () => {
    if (first === undefined) {
      first = Date.now();
      stop();
    } else if (Date.now() - first >= sameMs) {
      force();
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, received);
}
