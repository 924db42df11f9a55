/** The process as the supervisor runs it: a stream to the enclave, a database, signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RequestMessage } from '../../../src/protocol/messages.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { activityOf, emptyBatch, headOf } from './batches.ts';
import { type Answer, type FakeEnclave, openFakeEnclave } from './fake-enclave.ts';

const main = fileURLToPath(new URL('../../../src/api/main.ts', import.meta.url));

let database: TestPostgres;
let folder: string;
let running: ChildProcess[] = [];

beforeAll(async () => {
  database = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'countersign-api-'));
}, 60_000);
afterAll(async () => {
  await database.remove();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  const ended = running
    .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    .map((child) => once(child, 'exit'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ended);
  running = [];
});

type Started = { child: ChildProcess; enclave: FakeEnclave; url: string };

async function start(answer: (request: RequestMessage) => Answer | Promise<Answer>): Promise<Started> {
  const path = join(folder, `enclave-${running.length}`);
  const listener = createServer().listen(path);
  const connected = once(listener, 'connection') as Promise<[Socket]>;
  const child = spawn(process.execPath, [main], {
    env: {
      ...{ PATH: process.env.PATH, PORT: '0', DATABASE_URL: database.url },
      COUNTERSIGN_ENCLAVE_SOCKET: path,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  const listening = readLog(child, 'listening');
  const [socket] = await connected;
  listener.close();
  const enclave = openFakeEnclave(socket, answer);
  const { port } = await listening;
  return { child, enclave, url: `http://127.0.0.1:${port}` };
}

function readLog(child: ChildProcess, message: string): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', () => reject(new Error(`ended before it said \`${message}\`: ${text}`)));
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      for (const line of text.split('\n').slice(0, -1)) {
        const entry = JSON.parse(line);
        if (entry.msg === message) resolve(entry);
      }
    });
  });
}

const sign = (url: string) => fetch(`${url}/public/v1/submit/sign_raw_payload`, { method: 'POST', body: '{}' });

test('serves requests, writes batches and reads them back', async () => {
  const { enclave, url } = await start(async () => ({ status: 200, body: { activity: {} } }));
  expect(await enclave.next('hello')).toEqual({ type: 'hello' });
  expect(await (await sign(url)).json()).toEqual({ activity: {} });
  const organizationId = Buffer.alloc(16, 1);
  const head = headOf(organizationId);
  enclave.send({ type: 'write', batch: { ...emptyBatch(1), heads: [head], activities: [activityOf(organizationId)] } });
  expect(await enclave.next('committed')).toEqual({ type: 'committed', number: 1 });
  expect(await enclave.fetch({ what: 'organization', organizationId })).toMatchObject({ head: head.head });
  expect((await fetch(`${url}/health`)).status).toBe(200);
}, 20_000);

test('two that start at once on an empty database both come up', async () => {
  const other = await startPostgres();
  const before = database;
  database = other;
  try {
    const answer = () => ({ status: 200, body: {} });
    const both = await Promise.all([start(answer), start(answer)]);
    for (const { url } of both) expect((await sign(url)).status).toBe(200);
  } finally {
    database = before;
    await other.remove();
  }
}, 30_000);

test('SIGTERM lets what is in flight finish, then ends with 0', async () => {
  let answerNow = () => {};
  const asked = new Promise<void>((heard) => {
    answerNow = heard;
  });
  const { child, enclave, url } = await start(async () => {
    await asked;
    return { status: 200, body: { activity: {} } };
  });
  const held = sign(url);
  await enclave.next('request');
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await expect(fetch(`${url}/health`)).rejects.toThrow();
  expect(child.exitCode).toBeNull();
  answerNow();
  const answer = await held;
  expect(answer.status).toBe(200);
  expect(answer.headers.get('connection')).toBe('close');
  expect(await exited).toEqual([0, null]);
}, 20_000);

test('when the enclave ends, what waits is answered 503 and the process ends with an error', async () => {
  const { child, enclave, url } = await start(() => new Promise<Answer>(() => {}));
  const held = sign(url);
  await enclave.next('request');
  const exited = once(child, 'exit');
  enclave.close();
  const answer = await held;
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 14, message: 'the enclave is not running' });
  expect(await exited).toEqual([1, null]);
}, 20_000);

test('a setting that is wrong is named', async () => {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, DATABASE_URL: 'mysql://user:secret-password@host/' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(1);
  expect(text).toContain('DATABASE_URL: expected a URL that starts with postgres://');
  expect(text).not.toContain('secret-password');
});
