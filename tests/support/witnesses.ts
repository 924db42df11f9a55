/** Witnesses as `countersign witness` runs them, in this process, each over HTTP and on a folder of its own. */
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWitnessCarrier } from '../../src/api/witnesses.ts';
import { freePort } from '../../src/cli/port.ts';
import { createWitness } from '../../src/witness/server.ts';
import { type MemoryStorage, naiveRoot } from './memory-storage.ts';

export type TestWitness = {
  readonly name: string;
  readonly url: string;
  readonly folder: string;
  readonly verifierKey: string;
  /** Milliseconds that its clock is ahead. */
  skew: number;
  /** Serves these logs from now on. */
  start(logs: readonly string[]): Promise<void>;
  stop(): Promise<void>;
  /** A copy of its folder. */
  snapshot(): string;
  /** Takes the folder of `snapshot` for its own; while it is stopped. */
  restore(copy: string): void;
  remove(): Promise<void>;
};

export async function makeWitness(name: string): Promise<TestWitness> {
  const base = mkdtempSync(join(tmpdir(), 'countersign-witness-'));
  const folder = join(base, 'data');
  const port = await freePort();
  const { verifierKey } = createWitness({ folder, name, logs: [] });
  let server: Server | undefined;
  let copies = 0;
  const witness: TestWitness = {
    name,
    url: `http://127.0.0.1:${port}`,
    folder,
    verifierKey,
    skew: 0,
    async start(logs) {
      await witness.stop();
      ({ server } = createWitness({ folder, name, logs, now: () => Date.now() + witness.skew }));
      await once(server.listen(port, '127.0.0.1'), 'listening');
    },
    async stop() {
      if (!server) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      server = undefined;
    },
    snapshot() {
      const copy = join(base, `copy-${copies++}`);
      cpSync(folder, copy, { recursive: true });
      return copy;
    },
    restore(copy) {
      rmSync(folder, { recursive: true });
      cpSync(copy, folder, { recursive: true });
    },
    async remove() {
      await witness.stop();
      rmSync(base, { recursive: true, force: true });
    },
  };
  return witness;
}

/** A policy by which `threshold` of the witnesses are enough. */
export const policyOf = (witnesses: readonly TestWitness[], threshold: number): string =>
  [
    ...witnesses.map(({ name, verifierKey, url }) => `witness ${name} ${verifierKey} ${url}`),
    `group all-of-them ${threshold} ${witnesses.map(({ name }) => name).join(' ')}`,
    'quorum all-of-them',
    '',
  ].join('\n');

/** What `api` carries checkpoints with, and proofs out of the rows of `storage`. */
export const carrierOf = (storage: MemoryStorage) =>
  createWitnessCarrier(async (old, size) => {
    const leaves = Array.from({ length: size }, (_, index) => storage.tables.leaves.get(index));
    return leaves.some((leaf) => !leaf) ? undefined : naiveProof(old, leaves as Buffer[]);
  });

/** RFC 6962 §2.1.2, word for word. */
export function naiveProof(old: number, leaves: readonly Buffer[], isWhole = true): Buffer[] {
  if (old === leaves.length) return isWhole ? [] : [naiveRoot(leaves)];
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return old <= split
    ? [...naiveProof(old, left, isWhole), naiveRoot(right)]
    : [...naiveProof(old - split, right, false), naiveRoot(left)];
}
