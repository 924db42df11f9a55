import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { invalidArgument, toStatus } from '../../protocol/errors.ts';

const problems: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'expected the whole request sooner'],
  HPE_HEADER_OVERFLOW: [431, 'expected shorter headers'],
};

/** Answers on `server` what never becomes a whole request: no HTTP, headers too long, too slow. Then the connection ends. */
export function refuseBrokenRequests(server: Server): void {
  const answers = new WeakMap<Duplex, ServerResponse>();
  for (const event of ['request', 'checkContinue'] as const) {
    server.on(event, (request, response) => answers.set(request.socket, response));
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const earlier = answers.get(socket);
    const isHalfSent = earlier?.headersSent && !earlier.writableFinished;
    if (!socket.writable || isHalfSent || error.code === 'ECONNRESET') return socket.destroy();
    const [status, message] = problems[error.code ?? ''] ?? [400, 'expected a request in HTTP/1.1'];
    const body = JSON.stringify(toStatus(invalidArgument(message, { status })).body);
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  });
}
