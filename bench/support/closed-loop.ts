/**
 * A closed loop of keep-alive connections: each sends its next request when the answer to the last one is there. The
 * requests are bytes that were made before, and HTTP is read no further than needed, so that the servers are measured.
 */
import { connect, type Socket } from 'node:net';

export type Exchange = { readonly request: number; readonly status: number; readonly body: string };

export type Loop = {
  readonly port: number;
  readonly connections: number;
  /** When to stop sending, in ms from the start; sooner where the requests come to an end. */
  readonly duration: number;
  readonly requests: readonly Buffer[];
  readonly onAnswer: (exchange: Exchange) => void;
};

/** `latencies` in ms, in the order of the answers. */
export type LoopResult = { readonly latencies: Float64Array; readonly seconds: number };

export async function runClosedLoop(loop: Loop): Promise<LoopResult> {
  const sockets = await Promise.all(Array.from({ length: loop.connections }, () => open(loop.port)));
  const latencies = new Float64Array(loop.requests.length);
  let sent = 0;
  let answered = 0;
  const started = performance.now();
  let ended = started;

  const serve = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      let request = 0;
      let sentAt = 0;
      const next = () => {
        if (sent === loop.requests.length || performance.now() - started >= loop.duration) return resolve();
        request = sent++;
        sentAt = performance.now();
        socket.write(loop.requests[request] as Buffer);
      };
      readResponses(socket, (status, body) => {
        ended = performance.now();
        latencies[answered++] = ended - sentAt;
        loop.onAnswer({ request, status, body });
        next();
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the server closed a connection')));
      next();
    });

  try {
    await Promise.all(sockets.map(serve));
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  return { latencies: latencies.subarray(0, answered), seconds: (ended - started) / 1000 };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.off('error', reject)));
    socket.setNoDelay(true).on('error', reject);
  });
}

/** Reads responses that have a `Content-Length` (RFC 9112 §6.2). */
function readResponses(socket: Socket, onResponse: (status: number, body: string) => void): void {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text = text ? text + chunk : chunk;
    const headerEnd = text.indexOf('\r\n\r\n');
    if (headerEnd < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headerEnd))?.[1];
    if (length === undefined) return void socket.destroy(new Error('a response has no content-length'));
    const end = headerEnd + 4 + Number(length);
    if (text.length < end) return;
    const [status, body] = [Number(text.slice(9, 12)), text.slice(headerEnd + 4, end)];
    // One request at a time: nothing comes after the answer to it.
    text = '';
    onResponse(status, body);
  });
}
