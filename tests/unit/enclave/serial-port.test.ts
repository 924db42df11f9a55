/** A pipe that leads back to itself stands for the device: it blocks, and takes and gives what it likes, as the device does. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSerialPort } from '../../../src/enclave/serial-port.ts';
import { openChannel } from '../../../src/protocol/frames.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-port-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(process.platform === 'win32')('carries frames of any size, in order', async () => {
  const path = join(folder, 'device');
  spawnSync('/bin/sh', ['-c', 'mkfifo "$0"', path]);
  const port = openSerialPort(path);
  const received: number[] = [];
  const sizes = [0, 1, 70_000, 3, 1_000_000];
  await new Promise<void>((resolve, reject) => {
    const channel = openChannel<Uint8Array, Uint8Array>(
      port,
      (bytes) => {
        received.push(bytes.length);
        if (received.length === sizes.length) resolve();
      },
      reject,
    );
    for (const size of sizes) channel.send(new Uint8Array(size));
  });
  expect(received).toEqual(sizes);
  // The read that waits must end, or this process would not.
  const other = openSync(path, 'r+');
  writeSync(other, 'x');
  closeSync(other);
  port.destroy();
});

test('waits for the other side to come, and ends when it has gone', async () => {
  const path = join(folder, 'late');
  writeFileSync(path, '');
  const port = openSerialPort(path);
  const texts: string[] = [];
  port.on('data', (bytes: Buffer) => texts.push(bytes.toString()));
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(port.readableEnded).toBe(false);
  writeFileSync(path, 'hello');
  await new Promise((resolve) => port.on('end', resolve));
  expect(texts.join('')).toBe('hello');
});
