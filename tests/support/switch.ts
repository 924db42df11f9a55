/** A JSON-RPC endpoint in front of another one, which can be cut off. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Switch = {
  readonly url: string;
  /** Every request gets an end of the connection for an answer. */
  cut(): void;
  /** Requests of this method are passed on, and their answers lost; and all requests after the first of them. */
  loseAnswersTo(method: string): void;
  mend(): void;
  close(): void;
};

export async function createSwitch(target: string): Promise<Switch> {
  let isCut = false;
  let losing: string | undefined;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    if (isCut) return void request.socket.destroy();
    const answer = await fetch(target, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    const text = await answer.text();
    if (losing && body.includes(`"${losing}"`)) {
      isCut = true;
      return void request.socket.destroy();
    }
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
    },
    loseAnswersTo(method) {
      losing = method;
    },
    mend() {
      isCut = false;
      losing = undefined;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
