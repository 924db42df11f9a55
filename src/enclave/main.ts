/**
 * Starts the enclave: its stream to `api` is file descriptor 3, a Unix socket of mode 0600 that it listens on, or in a
 * virtual machine a serial port.
 */
import { rmSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Channel, openChannel } from '../protocol/frames.ts';
import type { FromEnclave, ToEnclave } from '../protocol/messages.ts';
import { createEnclave } from './enclave.ts';
import { readSettings } from './settings.ts';

const fail = (error: unknown): never => {
  console.error(`enclave: ${(error as Error).message}`);
  // An orderly exit waits for a read of the serial port, which waits for api.
  if (process.env.COUNTERSIGN_ENCLAVE_PORT) process.kill(process.pid, 'SIGKILL');
  process.exit(1);
};

/** The supervisor stops `api` first; the enclave ends with the stream. */
const serve = (stream: Duplex): void => {
  let channel: Channel<FromEnclave>;
  const enclave = createEnclave(settings, (message) => channel.send(message));
  enclave.opened.catch(fail);
  channel = openChannel<FromEnclave, ToEnclave>(stream, enclave.onMessage, (error) => {
    enclave.stop();
    if (error) fail(new Error(`the stream to api broke: ${error.message}`));
    process.exit(0);
  });
};

const settings = (() => {
  try {
    return readSettings(process.env);
  } catch (error) {
    return fail(error);
  }
})();

process.on('uncaughtException', fail);
// The state is sound at any moment; the supervisor stops `api`, which has work in flight, first.
process.on('SIGTERM', () => process.exit(0));

if (settings.port !== undefined) {
  const { openSerialPort } = await import('./serial-port.ts');
  serve(openSerialPort(settings.port));
} else if (settings.socket === undefined) {
  serve(new Socket({ fd: 3 }));
} else {
  const path = settings.socket;
  rmSync(path, { force: true });
  process.umask(0o177);
  // One api at a time: with its stream the enclave ends and is started anew.
  const server = createServer((stream) => {
    server.close();
    serve(stream);
  });
  server.listen(path);
}
