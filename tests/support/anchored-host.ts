/** A machine with an enclave and each of its anchors, all of which a test can stop, copy, and put back as it was. */
import { cpSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnchorName } from '../../src/protocol/witness-policy.ts';
import { enclaveFolder, ordersDone, startEnclave, type TestEnclave } from './enclave-process.ts';
import { createMemoryStorage, type MemoryStorage, type Tables } from './memory-storage.ts';
import { type SoftwareTpm, startSwtpm } from './swtpm.ts';
import type { Caller, Wire } from './wire.ts';
import { carrierOf, makeWitness, policyOf, type TestWitness } from './witnesses.ts';

/** What can be put back: the database, the enclave's folder, the TPM's state, each witness's. */
export type Snapshot = { tables: Tables; folder: string; tpm?: string; witnesses: string[] };
export type Part = 'database' | 'folder' | 'tpm' | `witness ${0 | 1 | 2}`;

export type AnchoredHost = {
  readonly folder: string;
  readonly storage: MemoryStorage;
  readonly settings: NodeJS.ProcessEnv;
  readonly witnesses: readonly TestWitness[];
  readonly chip?: SoftwareTpm;
  readonly parent: Caller;
  /** The enclave that was started last. */
  enclave(): TestEnclave;
  readonly wire: Wire;
  /** Starts the enclave; whoever ran before is gone. */
  start(): TestEnclave;
  /** As a kill. */
  stop(): void;
  /** Stops the enclave and copies everything. */
  snapshot(): Promise<Snapshot>;
  /** Stops the enclave and puts back these parts. */
  restore(from: Snapshot, parts: readonly Part[]): Promise<void>;
  remove(): Promise<void>;
};

/** Starts everything, until the parent organization is served. Witnesses: three, of whom two are enough. */
export async function startAnchoredHost(anchor: AnchorName): Promise<AnchoredHost> {
  const { folder, parent, remove } = enclaveFolder();
  const storage = createMemoryStorage();
  const hasWitnesses = anchor.includes('witness');
  const witnesses = hasWitnesses ? await Promise.all(['w1', 'w2', 'w3'].map(makeWitness)) : [];
  const chip = anchor.includes('tpm2') ? await startSwtpm() : undefined;
  const settings = {
    COUNTERSIGN_ANCHOR: anchor,
    ...(hasWitnesses && { COUNTERSIGN_WITNESSES: policyOf(witnesses, 2) }),
    ...(chip && { COUNTERSIGN_TPM: chip.socket }),
  };
  Object.assign(storage, { addCheckpoint: carrierOf(storage) });
  let running: (TestEnclave & { stop(): void }) | undefined;
  let copies = 0;
  const host: AnchoredHost = {
    folder,
    storage,
    settings,
    witnesses,
    ...(chip && { chip }),
    parent,
    enclave: () => running as TestEnclave,
    wire: (request) => (running as TestEnclave).wire(request),
    start() {
      host.stop();
      running = startEnclave(folder, storage, settings);
      return running;
    },
    stop: () => running?.stop(),
    async snapshot() {
      host.stop();
      const copy = `${folder}-copy-${copies++}`;
      cpSync(folder, copy, { recursive: true });
      const tpm = await chip?.snapshot();
      const seen = witnesses.map((witness) => witness.snapshot());
      return { tables: storage.snapshot(), folder: copy, ...(tpm && { tpm }), witnesses: seen };
    },
    async restore(from, parts) {
      host.stop();
      if (parts.includes('database')) storage.tables = copyOf(from.tables);
      if (parts.includes('folder')) {
        rmSync(folder, { recursive: true });
        cpSync(from.folder, folder, { recursive: true });
      }
      if (parts.includes('tpm')) await chip?.restart(from.tpm);
      for (const [at, witness] of witnesses.entries()) {
        if (!parts.includes(`witness ${at}` as Part)) continue;
        await witness.stop();
        witness.restore(from.witnesses[at] as string);
        await witness.start([await verifierKey(host)]);
      }
    },
    async remove() {
      host.stop();
      await Promise.all(witnesses.map((witness) => witness.remove()));
      await chip?.remove();
      for (let at = 0; at < copies; at++) rmSync(`${folder}-copy-${at}`, { recursive: true, force: true });
      remove();
    },
  };
  host.start();
  const log = await verifierKey(host);
  for (const witness of witnesses) await witness.start([log]);
  await host.enclave().serving();
  await ordersDone(folder);
  return host;
}

const logs = new WeakMap<MemoryStorage, string>();

/** The log's verifier key, which the operator gives to the witnesses. */
export async function verifierKey(host: Pick<AnchoredHost, 'storage' | 'enclave'>): Promise<string> {
  const known = logs.get(host.storage);
  if (known) return known;
  for (;;) {
    const { verifierKey: key } = await host.enclave().status();
    if (key) {
      logs.set(host.storage, key);
      return key;
    }
    await sleep(10);
  }
}

const copyOf = (tables: Tables): Tables =>
  Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, new Map<unknown, unknown>(rows)])) as Tables;
