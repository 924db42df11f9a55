/** A loopback relay that passes bytes and headers on as they are and shows each answer: official clients bring their own `fetch`. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Exchange } from './check-answer.ts';

export type Recorder = { readonly baseUrl: string; close(): Promise<void> };

export async function startRecorder(port: number, onAnswer: (exchange: Exchange) => void): Promise<Recorder> {
  const server = createServer((incoming, outgoing) => relay(port, incoming, outgoing, onAnswer)).listen(0, '127.0.0.1');
  // A test may compute for seconds between two requests.
  server.keepAliveTimeout = 60_000;
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function relay(
  port: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  onAnswer: (exchange: Exchange) => void,
): void {
  const { method, url: path = '', rawHeaders: headers } = incoming;
  const upstream = request({ host: '127.0.0.1', port, method, path, headers }, async (answer) => {
    const body = Buffer.concat(await answer.toArray());
    const status = answer.statusCode as number;
    if (method === 'POST')
      onAnswer({ path, status, contentType: answer.headers['content-type'], body: body.toString() });
    outgoing.writeHead(status, answer.rawHeaders).end(body);
  });
  upstream.on('error', (error) => outgoing.destroy(error));
  incoming.pipe(upstream);
}
