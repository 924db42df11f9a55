/** A guest agent of dstack as its API describes it, on a real Unix socket; or one that answers what a test says. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type DstackAgent = { readonly socket: string; readonly asked: unknown[]; stop(): Promise<void> };

type Answer = (path: string, body: Record<string, unknown>, response: ServerResponse) => void;

/** `application` stands for what dstack measured: its keys are for it alone. */
export async function startDstackAgent(
  application: string,
  answer: Answer = honest(application),
): Promise<DstackAgent> {
  const folder = mkdtempSync(join(tmpdir(), 'dstack-'));
  const socket = join(folder, 'dstack.sock');
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    asked.push({ method: request.method, path: request.url, type: request.headers['content-type'], body });
    answer(request.url ?? '', body, response);
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    asked,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      rmSync(folder, { recursive: true });
    },
  };
}

const honest =
  (application: string): Answer =>
  (path, body, response) => {
    const hex = (text: string) => createHmac('sha256', application).update(text).digest('hex');
    const answers: Record<string, object> = {
      '/GetKey': { key: hex(String(body.path)), signature_chain: [hex('a'), hex('b')] },
      '/GetQuote': {
        quote: `04000200${hex('quote')}${String(body.report_data)}`,
        event_log: '[]',
        report_data: body.report_data,
        vm_config: '{}',
      },
    };
    response.writeHead(path in answers ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answers[path] ?? {}));
  };
