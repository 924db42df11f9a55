import { once } from 'node:events';
import { createConnection, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds to wait for an enclave that starts at the same time. */
const startTimeout = 30_000;

/** The stream to the enclave: the one inherited as file descriptor 3, or a connection to its Unix socket. */
export async function connectEnclave(path: string | null): Promise<Duplex> {
  if (path === null) return new Socket({ fd: 3, readable: true, writable: true });
  for (const start = performance.now(); ; await sleep(50)) {
    const socket = createConnection(path);
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      socket.destroy();
      if (performance.now() - start > startTimeout) throw error;
    }
  }
}
