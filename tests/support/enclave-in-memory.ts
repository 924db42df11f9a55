/** The whole enclave in this process, over a storage in memory: real stamps, sealing, ledger and anchor, no api. */
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEnclave, type Enclave } from '../../src/enclave/enclave.ts';
import type { FromEnclave, StampHeader } from '../../src/protocol/messages.ts';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { createMemoryStorage, type MemoryStorage } from './memory-storage.ts';
import type { Caller, Wire, WireAnswer } from './wire.ts';

export type EnclaveInMemory = {
  readonly wire: Wire;
  /** The admin of the parent organization. */
  readonly parent: Caller;
  readonly storage: MemoryStorage;
  /** Ends the enclave as a kill does, and starts another one on the same folder and storage. */
  restart(): Promise<void>;
  /** Copies all that the host has; what it gives starts another enclave on that copy, as if nothing had happened since. */
  save(): () => Promise<void>;
  remove(): void;
};

export async function startEnclave(): Promise<EnclaveInMemory> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-enclave-'));
  const storage = createMemoryStorage();
  const parent = orderParent(folder);
  let current = await start(folder, storage);
  await served(() => current.wire, parent);
  return {
    wire: (request) => current.wire(request),
    parent,
    storage,
    async restart() {
      current.end();
      current = await start(folder, storage);
      await served(() => current.wire, parent);
    },
    save() {
      const [copy, tables] = [mkdtempSync(join(tmpdir(), 'countersign-copy-')), storage.snapshot()];
      cpSync(folder, copy, { recursive: true });
      return async () => {
        current.end();
        rmSync(folder, { recursive: true, force: true });
        cpSync(copy, folder, { recursive: true });
        rmSync(copy, { recursive: true, force: true });
        storage.tables = tables;
        current = await start(folder, storage);
        await served(() => current.wire, parent);
      };
    },
    remove() {
      current.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Leaves the order for a parent organization, as the supervisor does at a first start. */
function orderParent(folder: string): Caller {
  const { publicKey, privateKey } = generateApiKey();
  const [organizationId, userId] = [randomUUID(), randomUUID()];
  const order = {
    version: 1,
    order: 'createRootOrganization',
    organizationId,
    organizationName: 'parent',
    userId,
    userName: 'admin',
    apiKeyName: 'key',
    apiPublicKey: publicKey,
  };
  mkdirSync(join(folder, 'orders'));
  writeFileSync(join(folder, 'orders', `${organizationId}.json`), JSON.stringify(order));
  return { organizationId, stamp: (body) => makeApiKeyStamp(body, { publicKey, privateKey }) };
}

async function start(folder: string, storage: MemoryStorage): Promise<{ wire: Wire; end: () => void }> {
  const waiting = new Map<number, (answer: WireAnswer) => void>();
  let nextId = 1;
  let isAlive = true;
  const enclave: Enclave = createEnclave(
    {
      folder,
      sealing: 'local-file',
      anchor: 'file',
      origins: ['http://localhost:*'],
      rpIds: ['localhost'],
      requireUserVerification: false,
      measurement: Buffer.alloc(48),
      version: 'test',
      isolation: 'none',
    },
    (message: FromEnclave) => {
      if (!isAlive) return;
      if (message.type === 'write') storage.port.write(message.batch);
      else if (message.type === 'note') storage.port.note(message.row);
      else if (message.type === 'fetch') {
        const { id } = message;
        void storage.port.fetch(message.fetch).then((rows) => enclave.onMessage({ type: 'fetched', id, rows }));
      } else if (message.type === 'lease') {
        const { id } = message;
        queueMicrotask(() => enclave.onMessage({ type: 'leased', id, refused: null }));
      } else if (message.type === 'answer') {
        const { status, receipt } = message;
        const bytes = Buffer.from(message.body);
        const proof = receipt && { proof: Buffer.from(receipt) };
        waiting.get(message.id)?.({ status, body: JSON.parse(bytes.toString()), bytes, ...proof });
      }
    },
  );
  storage.connect({
    committed: (number) => enclave.onMessage({ type: 'committed', number }),
    conflict: (number) => enclave.onMessage({ type: 'conflict', number }),
  });
  await enclave.opened;
  enclave.onMessage({ type: 'hello' });
  return {
    wire: ({ kind, name, body, stamp, ...more }) =>
      new Promise((resolve) => {
        const id = nextId++;
        waiting.set(id, resolve);
        const header = stamp && { header: stamp.header.toLowerCase() as StampHeader, value: stamp.value };
        enclave.onMessage({ type: 'request', id, kind, name, body: Buffer.from(body), stamp: header, ...more });
      }),
    end() {
      isAlive = false;
      enclave.stop();
    },
  };
}

/** Waits until the parent is there and is answered. */
async function served(wire: () => Wire, { organizationId, stamp }: Caller): Promise<void> {
  const body = JSON.stringify({ organizationId });
  for (let attempt = 0; attempt < 200; attempt++) {
    const { status } = await wire()({ kind: 'query', name: 'whoami', body, stamp: stamp(body) });
    if (status === 200) return;
    await sleep(50);
  }
  throw new Error('the enclave does not answer');
}
