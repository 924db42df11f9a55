import { afterEach, beforeEach } from 'vitest';
import { createHost, type Host } from './test-ledger.ts';

/** The machine of the test that runs; each has one of its own once `useHost` was called. */
export let host: Host;

/** Puts a new machine, with nothing of what was, in the place of `host`. */
export function renewHost(): void {
  host?.remove();
  host = createHost();
}

export function useHost(): void {
  beforeEach(renewHost);
  afterEach(() => host.remove());
}
