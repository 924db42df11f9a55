import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { measureEnclave } from '../../../src/cli/measurement.ts';
import { checkout } from '../../../src/cli/view.ts';
import { cpio, type Entry } from '../../../src/cli/vm/cpio.ts';
import { initramfs } from '../../../src/cli/vm/initramfs.ts';
import { findKernel } from '../../../src/cli/vm/kernel.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-image-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const digest = (entries: readonly Entry[]): string => {
  const hash = createHash('sha256');
  for (const part of cpio(entries)) hash.update(part);
  return hash.digest('hex');
};

describe.skipIf(process.platform !== 'linux')('the image of this checkout (skipped but on Linux)', () => {
  const kernel = { release: '6.1', image: '/boot/vmlinuz-6.1', modules: [join(folder, 'a-driver.ko')] };
  writeFileSync(join(folder, 'a-driver.ko'), 'driver');
  const build = (root: string) => initramfs(kernel, '/bin/sh', {}, root);
  const measured = measureEnclave();
  const paths = measured.manifest.split('\n').flatMap((line) => (/^[0-9a-f]{64} /.test(line) ? line.slice(66) : []));

  test('is the same, built in two folders at different times', () => {
    const [first, second] = ['one', 'two'].map((name, index) => {
      const root = join(folder, name);
      for (const path of paths) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        cpSync(join(checkout, path), join(root, path));
        utimesSync(join(root, path), index, index);
      }
      return build(root);
    });
    expect(first?.measurement).toBe(measured.digest);
    expect(second?.measurement).toBe(measured.digest);
    expect(digest(second?.application ?? [])).toBe(digest(first?.application ?? []));
    expect(digest(second?.boot ?? [])).toBe(digest(first?.boot ?? []));
    appendFileSync(join(folder, 'two', 'src/enclave/main.ts'), '\nexport const more = 1;\n');
    const changed = build(join(folder, 'two')).application;
    expect(changed.find(({ path }) => path.endsWith('src/enclave/main.ts'))).not.toEqual(
      first?.application.find(({ path }) => path.endsWith('src/enclave/main.ts')),
    );
  });

  test('holds the measured code and what runs it, and nothing else', () => {
    const { boot, application } = build(checkout);
    const code = application.map(({ path }) => path.replace('rootfs/countersign/', ''));
    expect(code).toEqual(expect.arrayContaining(paths));
    const others = code.filter((path) => !paths.includes(path) && !/^rootfs\/(?:usr\/)?lib(?:64)?\//.test(path));
    expect(others.sort()).toEqual([
      'node',
      'package.json',
      'plain.mjs',
      'rootfs/bin/busybox',
      'rootfs/dev',
      'rootfs/enclave',
      'rootfs/proc',
      'rootfs/start',
      'rootfs/tmp',
    ]);
    expect(boot.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['init', 'bin/busybox', 'modules/00-a-driver.ko']),
    );
  });
});

describe('the kernel', () => {
  const machine = (release: string, files: Readonly<Record<string, string>>) => {
    const root = mkdtempSync(join(folder, 'machine-'));
    mkdirSync(join(root, 'boot'));
    writeFileSync(join(root, 'boot', `vmlinuz-${release}`), '');
    mkdirSync(join(root, 'lib', 'modules', release), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'lib', 'modules', release, name), text);
    return root;
  };

  test('has its drivers in an order in which each finds what it needs', () => {
    const root = machine('6.1', {
      'modules.builtin': 'kernel/drivers/virtio/virtio_pci.ko\n',
      'modules.dep': [
        'kernel/9p.ko.xz: kernel/9pnet.ko.xz kernel/netfs.ko.xz',
        'kernel/9pnet.ko.xz:',
        'kernel/netfs.ko.xz:',
        'kernel/9pnet_virtio.ko.xz: kernel/9pnet.ko.xz kernel/virtio.ko.xz kernel/virtio_ring.ko.xz',
        'kernel/virtio-console.ko.xz: kernel/virtio.ko.xz kernel/virtio_ring.ko.xz',
        'kernel/virtio.ko.xz: kernel/virtio_ring.ko.xz',
        'kernel/virtio_ring.ko.xz:',
        '',
      ].join('\n'),
    });
    const order = findKernel(root).modules.map((path) => path.replace(/^.*kernel\//, '').replace('.ko.xz', ''));
    expect(order).toEqual(['virtio_ring', 'virtio', 'virtio-console', '9pnet', '9pnet_virtio', 'netfs', '9p']);
  });

  test('that lacks a driver is none, and the error names the package', () => {
    const root = machine('6.1-cloud', { 'modules.builtin': 'virtio_pci.ko\nvirtio_console.ko\n' });
    expect(() => findKernel(root)).toThrow(/of 6\.1-cloud none has the drivers .*linux-image-amd64/);
    expect(() => findKernel(folder)).toThrow('there is none with the drivers');
  });
});
