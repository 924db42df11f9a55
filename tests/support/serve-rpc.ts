/** JSON-RPC over HTTP, as chain nodes, bundlers and paymasters are spoken to. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Rpc = (request: { readonly method: string; readonly params: readonly never[] }) => Promise<unknown>;

export async function serveRpc(answer: Rpc): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const { id, ...asked } = JSON.parse(await text(request)) as { id: number; method: string; params: never[] };
    const outcome = await answer(asked).then(
      (result) => ({ result }),
      (error: Error) => ({ error: { code: -32_000, message: error.message } }),
    );
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
