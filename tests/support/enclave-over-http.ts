/** An enclave in this process behind the paths of the service, for clients that speak HTTP; all else of `api` is left out. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Stamp } from '../../src/stamping/stamp.ts';
import type { Wire, WireRequest } from './wire.ts';

export type EnclaveOverHttp = {
  readonly baseUrl: string;
  /** What was asked for so far. */
  readonly received: readonly WireRequest[];
  close(): void;
};

export async function serveEnclave(wire: Wire): Promise<EnclaveOverHttp> {
  const received: WireRequest[] = [];
  const server = createServer(async (request, response) => {
    const asked = await readRequest(request);
    received.push(asked);
    const { status, body } = await wire(asked);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function readRequest(request: IncomingMessage): Promise<WireRequest> {
  const [kind, name] = (request.url ?? '').split('/').slice(-2) as ['submit' | 'query', string];
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const header = (['X-Stamp', 'X-Stamp-Webauthn'] as const).find((name) => request.headers[name.toLowerCase()]);
  const stamp: Stamp | null = header ? { header, value: request.headers[header.toLowerCase()] as string } : null;
  const completion = request.headers['x-countersign-completion'] as string | undefined;
  return {
    kind,
    name,
    body: Buffer.concat(chunks).toString(),
    stamp,
    ...(request.headers['x-countersign-explain'] && { explain: true }),
    ...(completion && { completion }),
  };
}
