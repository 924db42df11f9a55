/** An enclave with whatever an attacker likes in the place of `api`: the real process, or the real thing inside the test's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Credentials, newCredentials } from '../../src/cli/root-file.ts';
import type { WitnessPort } from '../../src/enclave/anchors/witness.ts';
import { createEnclave } from '../../src/enclave/enclave.ts';
import type { Port } from '../../src/enclave/ledger/port.ts';
import { readSettings } from '../../src/enclave/settings.ts';
import { type Channel, openChannel } from '../../src/protocol/frames.ts';
import type { EnclaveStatus, FromEnclave, RequestMessage, ToEnclave } from '../../src/protocol/messages.ts';
import type { Connection } from './memory-storage.ts';
import { rootCaller, type Wire, type WireBody } from './wire.ts';

/** Where the rows are; `connect` is told whom to report to. */
export type Storage = {
  readonly port: Port;
  connect(connection: Connection): void;
  /** Carries checkpoints to witnesses. */
  readonly addCheckpoint?: WitnessPort;
  /** Whether the database is another enclave's; absent: never. */
  lease?(holder: Uint8Array): Promise<string | null>;
};

export type TestEnclave = {
  /** A request of its own; several may be under way. */
  readonly wire: Wire;
  send(message: ToEnclave): void;
  /** A message of another kind, and its answer. */
  ask(message: (id: number) => ToEnclave): Promise<{ status: number; body: Uint8Array }>;
  status(): Promise<EnclaveStatus>;
  /** Resolves when it serves; rejects with the reason when it refuses for `patience` ms. */
  serving(patience?: number): Promise<void>;
  /** Resolves with its reason when it refuses or stops. */
  refusal(): Promise<string>;
};

export type EnclaveProcess = TestEnclave & {
  readonly child: ChildProcess;
  /** The stream itself. */
  readonly stream: Duplex;
  /** Every byte that it ever sent, and wrote to its standard output and error. */
  sent(): Buffer;
  output(): string;
  kill(): Promise<void>;
};

/** A folder as the supervisor gives it to the enclave, with an order for a parent organization. */
export function enclaveFolder(): { folder: string; parent: ReturnType<typeof rootCaller>; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-enclave-'));
  const credentials = newCredentials('http://localhost');
  placeOrder(folder, credentials, 'Parent');
  return { folder, parent: callerOf(credentials), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Another parent organization, beside the first. */
export function orderParent(folder: string): ReturnType<typeof rootCaller> {
  const credentials = newCredentials('http://localhost');
  placeOrder(folder, credentials, 'Other parent');
  return callerOf(credentials);
}

function placeOrder(folder: string, { organizationId, userId, apiPublicKey }: Credentials, organizationName: string) {
  mkdirSync(join(folder, 'orders'), { recursive: true });
  const names = { organizationName, userName: 'Root user', apiKeyName: 'Root key' };
  const order = { version: 1, order: 'createRootOrganization', organizationId, userId, apiPublicKey, ...names };
  writeFileSync(join(folder, 'orders', `${organizationId}.json`), JSON.stringify(order));
}

const callerOf = (credentials: Credentials) => rootCaller({ ...credentials, rpId: '', origin: '' });

/** Resolves when the parent organization of `enclaveFolder` is there. */
export async function ordersDone(folder: string): Promise<void> {
  const waiting = () => readdirSync(join(folder, 'orders')).some((file) => /^[0-9a-f-]{36}\.json$/.test(file));
  while (waiting()) await sleep(20);
}

const environment = (folder: string) => ({ COUNTERSIGN_ENCLAVE_DIR: folder, COUNTERSIGN_ISOLATION: 'none' });
/** `npm test` has one, which halves the time that a process takes to start. */
const { NODE_COMPILE_CACHE } = process.env;

/** The enclave inside this process: starts in a few ms, so that it can be restarted for every byte of a database. */
export function startEnclave(
  folder: string,
  storage: Storage,
  settings: NodeJS.ProcessEnv = {},
): TestEnclave & { stop(): void; opened: Promise<void> } {
  let stopped = false;
  const { receive, connect } = serveStorage(storage);
  const enclave = createEnclave(readSettings({ ...environment(folder), ...settings }), (message) => {
    if (!stopped) setImmediate(receive, message);
  });
  const send = (message: ToEnclave) => {
    if (!stopped) setImmediate(enclave.onMessage, message);
  };
  const under = connect(send);
  // Whoever waits for it hears of it.
  enclave.opened.catch(() => {});
  return {
    ...under,
    opened: enclave.opened,
    stop() {
      stopped = true;
      enclave.stop();
    },
  };
}

/** The flags that decide what the enclave can do, as the supervisor sets them. */
const flags = ['--disallow-code-generation-from-strings', '--disable-proto=delete', '--disable-sigusr1'];
const main = fileURLToPath(new URL('../../src/enclave/main.ts', import.meta.url));

/** The enclave as a process of its own, at the other end of a socket pair. */
export function spawnEnclave(folder: string, storage: Storage): EnclaveProcess {
  const child = spawn(process.execPath, [...flags, main], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...environment(folder), ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) },
  });
  const written: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => written.push(text));
  const stream = child.stdio[3] as Duplex;
  const bytes: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => bytes.push(chunk));
  const { receive, connect } = serveStorage(storage);
  const channel: Channel<ToEnclave> = openChannel<ToEnclave, FromEnclave>(stream, receive, () => {});
  const whenTestsEnd = () => child.kill('SIGKILL');
  process.once('exit', whenTestsEnd);
  return {
    ...connect(channel.send),
    child,
    stream,
    sent: () => Buffer.concat(bytes),
    output: () => written.join(''),
    async kill() {
      process.removeListener('exit', whenTestsEnd);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Answers an enclave's fetches and writes from `storage`, and gives the answers to those who asked. */
function serveStorage(storage: Storage) {
  const waiting = new Map<number, (answer: { status: number; body: Uint8Array }) => void>();
  let send: (message: ToEnclave) => void = () => {};
  let nextId = 1;

  async function fetched(id: number, fetch: Extract<FromEnclave, { type: 'fetch' }>['fetch']): Promise<void> {
    try {
      send({ type: 'fetched', id, rows: await storage.port.fetch(fetch) });
    } catch (error) {
      send({ type: 'fetchFailed', id, reason: (error as Error).message });
    }
  }
  async function lease(id: number, holder: Uint8Array): Promise<void> {
    send({ type: 'leased', id, refused: (await storage.lease?.(holder)) ?? null });
  }
  async function carry({ id, type: _, ...submission }: Extract<FromEnclave, { type: 'addCheckpoint' }>): Promise<void> {
    const answer = (await storage.addCheckpoint?.(submission)) ?? { status: 0, body: 'there is no way' };
    send({ type: 'checkpointAdded', id, ...answer });
  }
  const ask = (message: (id: number) => ToEnclave) =>
    new Promise<{ status: number; body: Uint8Array }>((resolve) => {
      const id = nextId++;
      waiting.set(id, resolve);
      send(message(id));
    });
  const status = async (): Promise<EnclaveStatus> =>
    JSON.parse(Buffer.from((await ask((id) => ({ type: 'status', id }))).body).toString());

  return {
    receive(message: FromEnclave): void {
      if (message.type === 'fetch') void fetched(message.id, message.fetch);
      else if (message.type === 'write') storage.port.write(message.batch);
      else if (message.type === 'note') storage.port.note(message.row);
      else if (message.type === 'lease') void lease(message.id, message.holder);
      else if (message.type === 'addCheckpoint') void carry(message);
      else {
        waiting.get(message.id)?.(message);
        waiting.delete(message.id);
      }
    },
    connect(to: (message: ToEnclave) => void): TestEnclave {
      send = to;
      storage.connect({
        committed: (number) => send({ type: 'committed', number }),
        conflict: (number) => send({ type: 'conflict', number }),
      });
      send({ type: 'hello' });
      return {
        send: (message) => send(message),
        ask,
        status,
        async wire({ kind, name, body, stamp }) {
          const header = stamp && (stamp.header.toLowerCase() as NonNullable<RequestMessage['stamp']>['header']);
          const answer = await ask((id) => ({
            type: 'request',
            id,
            kind,
            name,
            body: Buffer.from(body),
            stamp: stamp && header && { header, value: stamp.value },
          }));
          return { status: answer.status, body: JSON.parse(Buffer.from(answer.body).toString()) as WireBody };
        },
        async serving(patience = 20_000) {
          const until = performance.now() + patience;
          for (;;) {
            const { phase, reason } = await status();
            if (phase === 'serving') return;
            if (performance.now() > until) throw new Error(`the enclave does not serve: ${reason}`);
            await sleep(10);
          }
        },
        async refusal() {
          for (;;) {
            const { phase, reason } = await status();
            if (phase === 'serving') throw new Error('the enclave serves');
            if (reason !== null) return reason;
            await sleep(10);
          }
        },
      };
    },
  };
}
