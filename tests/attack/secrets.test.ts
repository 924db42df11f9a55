/**
 * Whoever reads all that the enclave says, writes and leaves behind, of a root key that is held in shares: messages, answers,
 * errors, receipts, rows, its folder and its output hold no byte of a share, of the root key, or of what is derived from it.
 * What crosses the stream of the real process is searched in api.test.ts; logs, environments and core dumps in isolation.test.ts.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openHolderKey } from '../../src/cli/ceremony/holder-file.ts';
import { combineShares } from '../../src/enclave/ceremony/shares.ts';
import { derivations } from '../../src/enclave/contexts.ts';
import { createEnclave } from '../../src/enclave/enclave.ts';
import { deriveKey } from '../../src/enclave/sealing/seal.ts';
import { readSettings } from '../../src/enclave/settings.ts';
import { decode } from '../../src/protocol/cbor.ts';
import type { CeremonyReport } from '../../src/protocol/ceremony/hand-in.ts';
import { readManifest } from '../../src/protocol/ceremony/manifest.ts';
import type { BatchRows, FromEnclave } from '../../src/protocol/messages.ts';
import { ordersDone } from '../support/enclave-process.ts';
import { handInOf, shareOf, type TestHolder } from '../support/holders.ts';
import { createMemoryStorage } from '../support/memory-storage.ts';
import { quorumFolder } from '../support/quorum-enclave.ts';

const place = quorumFolder(2, 'anna', 'ben', 'carl');
const storage = createMemoryStorage();
/** Everything that came out of the enclave. */
const said: Buffer[] = [];
const printed: string[] = [];
const shares: Buffer[] = [];
let rootKey: Buffer;

/** All bytes in a message, whatever they are in. */
function* bytesIn(value: unknown): Generator<Buffer> {
  if (value instanceof Uint8Array) yield Buffer.from(value);
  else if (typeof value === 'string') yield Buffer.from(value);
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) yield* bytesIn(part);
}

function start() {
  const waiting = new Map<number, (body: string) => void>();
  let nextId = 1;
  const environment = {
    COUNTERSIGN_ENCLAVE_DIR: place.folder,
    COUNTERSIGN_ISOLATION: 'none',
    COUNTERSIGN_SEALING: 'quorum-shares',
  };
  const enclave = createEnclave(readSettings(environment), (message: FromEnclave) => {
    said.push(...bytesIn(message));
    if (message.type === 'write') storage.port.write(message.batch);
    else if (message.type === 'fetch') {
      const { id } = message;
      void storage.port.fetch(message.fetch).then((rows) => enclave.onMessage({ type: 'fetched', id, rows }));
    } else if (message.type === 'lease') {
      const { id } = message;
      setImmediate(() => enclave.onMessage({ type: 'leased', id, refused: null }));
    } else if (message.type === 'answer') waiting.get(message.id)?.(Buffer.from(message.body).toString());
  });
  enclave.opened.catch(() => {});
  storage.connect({ committed: (number) => enclave.onMessage({ type: 'committed', number }), conflict: () => {} });
  enclave.onMessage({ type: 'hello' });
  const ask = async (message: object) =>
    JSON.parse(
      await new Promise<string>((resolve) => {
        const id = nextId++;
        waiting.set(id, resolve);
        setImmediate(enclave.onMessage, { ...message, id } as never);
      }),
    );
  const hand = (body: object) => ask({ type: 'ceremony', body: Buffer.from(JSON.stringify(body)) });
  return {
    stop: enclave.stop,
    status: () => ask({ type: 'status' }),
    report: (): Promise<CeremonyReport> => ask({ type: 'ceremony', body: Buffer.alloc(0) }),
    attest: () => ask({ type: 'attest', nonce: Buffer.alloc(8, 1) }),
    hand,
  };
}

beforeAll(async () => {
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, name).mockImplementation((...args) => void printed.push(args.map(String).join(' ')));
  const first = start();
  while (!(await first.status()).reason);
  const holders: TestHolder[] = [];
  for (const [name, { file }] of Object.entries(place.files))
    holders.push({ name, ...(await openHolderKey(file, undefined)) });
  const report = await first.report();
  for (const holder of holders) shares.push(shareOf(holder, report));
  const { root } = readManifest(Buffer.from(report.manifest, 'base64url'));
  rootKey = (await combineShares(shares.slice(0, 2), root)) as Buffer;
  const { statement } = await first.attest();
  const { encryptionKey } = decode(Buffer.from(statement, 'base64url')) as { encryptionKey: Uint8Array };
  // Shares that are wrong in every way, for what is refused is what gets written into errors; then the right ones.
  const [anna, ben] = holders as [TestHolder, TestHolder];
  const wrong = handInOf(anna, encryptionKey, report, { share: Buffer.concat([shares[0] as Buffer]).reverse() });
  const messages = [wrong, { ...wrong, boot: '00'.repeat(32) }, { ...wrong, envelope: 'AAAA' }, { version: 2 }, 'x'];
  for (const message of messages) expect((await first.hand(message as object)).message).toMatch(/./);
  await first.hand(handInOf(anna, encryptionKey, report));
  await first.hand(handInOf(anna, encryptionKey, report));
  await first.hand(handInOf(ben, encryptionKey, report));
  while ((await first.status()).phase !== 'serving');
  await ordersDone(place.folder);
  await first.attest();
  first.stop();
}, 60_000);
afterAll(() => {
  vi.restoreAllMocks();
  place.remove();
});

function* filesIn(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

const forms = ['latin1', 'hex', 'base64', 'base64url'] as const;
/** Whether any 16 bytes in a row of `secret` are in `text`, in any of the usual forms. */
function shows(text: Buffer, secret: Buffer): boolean {
  for (let from = 0; from + 15 <= secret.length; from += 15) {
    const part = secret.subarray(from, from + 15);
    if (forms.some((form) => text.includes(part.toString(form), 0, form === 'latin1' ? 'latin1' : 'utf8'))) return true;
  }
  return false;
}

test('nothing that comes out of the enclave, and nothing that it leaves, shows a share or a key', () => {
  expect(shares.map(({ length }) => length)).toEqual([33, 33, 33]);
  expect(rootKey).toHaveLength(32);
  const secrets = [...shares, rootKey];
  for (const purpose of Object.keys(derivations) as (keyof typeof derivations)[])
    secrets.push(deriveKey(rootKey, purpose).export());
  const rows = storage.received.flatMap((batch: BatchRows) => [...bytesIn(batch)]);
  const files = [...filesIn(place.folder)].map((path) => readFileSync(path));
  const everything = Buffer.concat([...said, ...rows, ...files, Buffer.from(printed.join('\n'))]);
  // What does come out is found by the same search.
  expect(
    shows(
      everything,
      Buffer.from((Object.values(place.files)[0] as { file: { publicKey: string } }).file.publicKey, 'hex'),
    ),
  ).toBe(true);
  expect(everything.length).toBeGreaterThan(1000);
  for (const secret of secrets) expect(shows(everything, secret)).toBe(false);
});
