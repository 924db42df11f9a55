/** A virtio-serial port, by which the enclave speaks with `api` out of a virtual machine, as a stream. */
import { close, constants, openSync, read, write } from 'node:fs';
import { Duplex } from 'node:stream';

const chunkSize = 64 * 1024;
const retryMs = 20;

/**
 * Opens the device at `path`, which only one can at a time. It ends when the other side, once there, is gone. A read waits
 * in a thread that Node would wait for in turn at an orderly exit.
 */
export function openSerialPort(path: string): Duplex {
  const file = openSync(path, constants.O_RDWR);
  // Before the other side has opened its end, the device reads as ended.
  let heard = false;
  const port = new Duplex({
    read() {
      const chunk = Buffer.allocUnsafe(chunkSize);
      read(file, chunk, 0, chunkSize, null, (error, size) => {
        if (error) port.destroy(error);
        else if (size > 0) port.push(chunk.subarray(0, size));
        else if (heard) port.push(null);
        else setTimeout(() => port._read(chunkSize), retryMs);
        heard ||= size > 0;
      });
    },
    write(chunk: Buffer, _, done) {
      writeAll(file, chunk, done);
    },
    destroy(error, done) {
      close(file, () => done(error));
    },
  });
  return port;
}

/** One call takes 32 KiB at the most. */
function writeAll(file: number, bytes: Buffer, done: (error: Error | null) => void): void {
  write(file, bytes, 0, bytes.length, null, (error, size) => {
    if (error || size === bytes.length) done(error);
    else writeAll(file, bytes.subarray(size), done);
  });
}
