/** The way to a TPM: the Unix socket of swtpm, which takes bare commands, or a device like /dev/tpmrm0. */
import { once } from 'node:events';
import { constants, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createConnection } from 'node:net';

export type Transport = {
  /** Sends one command and resolves to its response. One at a time. */
  exchange(command: Buffer): Promise<Buffer>;
  close(): Promise<void>;
  /** Nobody else's objects and sessions are behind it: the kernel keeps those of a device's users apart, a socket has one user. */
  readonly isShared: boolean;
};

/** Milliseconds for one command: a slow chip makes a key in seconds. */
const patience = 30_000;
const headerSize = 10;
const largestResponse = 4096;

/** `onClosed`: nothing more can be exchanged. */
export async function openTransport(path: string, onClosed: () => void): Promise<Transport> {
  return statSync(path).isSocket() ? openSocket(path, onClosed) : openDevice(path);
}

async function openSocket(path: string, onClosed: () => void): Promise<Transport> {
  const socket = createConnection(path);
  let received = Buffer.alloc(0);
  let waiting: { resolve: (response: Buffer) => void; reject: (error: Error) => void } | undefined;
  const fail = (error: Error) => {
    waiting?.reject(error);
    waiting = undefined;
    socket.destroy();
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < headerSize) return;
    const size = received.readUInt32BE(2);
    if (!waiting || size < headerSize || size > largestResponse) return fail(new Error('the TPM broke its protocol'));
    if (received.length < size) return;
    const response = received.subarray(0, size);
    received = received.subarray(size);
    waiting.resolve(response);
    waiting = undefined;
  });
  // The connection is made first, so that its failure rejects here and not nowhere.
  await once(socket, 'connect', { signal: AbortSignal.timeout(patience) });
  socket.on('error', fail);
  socket.on('close', () => {
    onClosed();
    fail(new Error('the TPM closed the connection'));
  });
  return {
    isShared: false,
    exchange: (command) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error('the connection to the TPM is closed'));
        const timer = setTimeout(() => fail(new Error('the TPM did not answer in time')), patience);
        const done = <T>(then: (value: T) => void) => {
          return (value: T) => {
            clearTimeout(timer);
            then(value);
          };
        };
        waiting = { resolve: done(resolve), reject: done(reject) };
        socket.write(command);
      }),
    async close() {
      socket.destroy();
    },
  };
}

async function openDevice(path: string): Promise<Transport> {
  const file = await open(path, constants.O_RDWR);
  return {
    isShared: true,
    async exchange(command) {
      await file.write(command);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(largestResponse), 0, largestResponse, null);
      return buffer.subarray(0, bytesRead);
    },
    close: () => file.close(),
  };
}
