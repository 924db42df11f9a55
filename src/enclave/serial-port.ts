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
      // One call takes 32 KiB at the most.
      write(file, chunk, 0, chunk.length, null, (error, size) => {
        if (error || size === chunk.length) done(error);
        else port._write(chunk.subarray(size), 'buffer', done);
      });
    },
    destroy(error, done) {
      close(file, () => done(error));
    },
  });
  return port;
}
