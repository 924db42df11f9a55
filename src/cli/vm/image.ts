/** The kernel and the memory image that QEMU starts. They are made anew at each start: that is quicker than knowing whether they are current. */
import { chmodSync, closeSync, copyFileSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../operator-error.ts';
import { findTools } from '../tools.ts';
import { cpio, type Entry } from './cpio.ts';
import { initramfs } from './initramfs.ts';
import { findKernel } from './kernel.ts';

export type Image = {
  readonly kernel: string;
  readonly initramfs: string;
  /** Of the kernel. */
  readonly release: string;
  /** Of the enclave's code in it, in hex. */
  readonly measurement: string;
};

/** Makes the image in `folder`. Throws an `OperatorError` where the machine lacks what it takes. */
export function makeImage(folder: string): Image {
  const source = findKernel();
  const { boot, application, measurement } = initramfs(source, needBusybox());
  const [kernel, memory] = [join(folder, 'kernel'), join(folder, 'initramfs')];
  copyFileSync(source.image, `${kernel}.new`);
  // Whoever gets them opened may read them.
  chmodSync(`${kernel}.new`, 0o644);
  renameSync(`${kernel}.new`, kernel);
  writeArchives(memory, boot, application);
  return { kernel, initramfs: memory, release: source.release, measurement };
}

export function needBusybox(): string {
  const { busybox } = findTools();
  if (busybox) return busybox;
  throw new OperatorError(
    'COUNTERSIGN_ENCLAVE=microvm needs busybox for its first program; install it (Debian: apt-get install busybox-static)',
  );
}

/** One archive behind the other. A file that a running machine has open stays as it is. */
export function writeArchives(path: string, ...archives: (readonly Entry[])[]): void {
  const file = openSync(`${path}.new`, 'w', 0o644);
  for (const entries of archives) for (const part of cpio(entries)) writeAll(file, part);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
