/**
 * The skeleton: the least that any honest design of a signing service must do (DESIGN §7), as the yardstick of the
 * benchmark. koa takes a request, a second process checks its passkey stamp, opens a sealed key and signs, and one row is
 * durable in PostgreSQL before the answer leaves. It has no policies, log, state, replay protection or isolation.
 *
 * usage: main.ts <keys file> <database URL>; says `{"port": …}` on standard output once it listens.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import Koa from 'koa';
import { openStore } from './store.ts';
import { openWire, type SignAnswer, type SignRequest } from './wire.ts';

const [keysFile = '', databaseUrl = ''] = process.argv.slice(2);
const store = await openStore(databaseUrl);

const signer = spawn(process.execPath, [fileURLToPath(new URL('signer.ts', import.meta.url)), keysFile], {
  stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
});
signer.on('exit', () => process.exit(1));
process.on('SIGTERM', () => process.exit(0));

const asked = new Map<number, (answer: SignAnswer) => void>();
const send = openWire<SignRequest, SignAnswer>(signer.stdio[3] as Duplex, (answer) => {
  asked.get(answer.id)?.(answer);
  asked.delete(answer.id);
});
let nextId = 0;
const sign = (body: Uint8Array, stamp: string) =>
  new Promise<SignAnswer>((resolve) => {
    const id = nextId++;
    asked.set(id, resolve);
    send({ id, body, stamp });
  });

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

const app = new Koa();
app.use(async (context) => {
  if (context.method !== 'POST' || context.path !== '/public/v1/submit/sign_raw_payload') return context.throw(404);
  const body = await readBody(context.req);
  const { organizationId, signature } = await sign(body, context.get('x-stamp-webauthn'));
  if (!organizationId || !signature) return context.throw(401);
  const hex = Buffer.from(signature).toString('hex');
  const activity = {
    id: randomUUID(),
    organizationId,
    status: 'ACTIVITY_STATUS_COMPLETED',
    type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    result: { signRawPayloadResult: { r: hex.slice(0, 64), s: hex.slice(64, 128), v: hex.slice(128) } },
  };
  const result = JSON.stringify(activity);
  await store.insert({ id: activity.id, organizationId, content: Buffer.concat([body, Buffer.from(result)]) });
  context.type = 'application/json';
  context.body = `{"activity":${result}}`;
});

const server = createServer(app.callback()).listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
