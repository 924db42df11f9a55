/** The Linux kernel that the microVM runs: one of this machine's packages, with the few drivers that the VM's devices need. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { OperatorError } from '../operator-error.ts';

export type Kernel = {
  readonly release: string;
  /** A bzImage. */
  readonly image: string;
  /** Files of the drivers, each behind those that it needs; without those that are built in. */
  readonly modules: readonly string[];
};

/** The stream and the folder; PCI, which q35 has, brings both. */
const drivers = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p'];

/** The newest kernel below `root` that has the drivers. Throws an `OperatorError` that names the package where none has. */
export function findKernel(root = '/'): Kernel {
  const boot = join(root, 'boot');
  const releases = (existsSync(boot) ? readdirSync(boot) : [])
    .filter((name) => name.startsWith('vmlinuz-'))
    .map((name) => name.slice('vmlinuz-'.length))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  for (const release of releases) {
    const modules = modulesOf(join(root, 'lib', 'modules', release));
    if (modules) return { release, image: join(boot, `vmlinuz-${release}`), modules };
  }
  const found = releases.length > 0 ? `of ${releases.join(', ')} none has` : 'there is none with';
  throw new OperatorError(
    `COUNTERSIGN_ENCLAVE=microvm needs a Linux kernel in ${boot}: ${found} the drivers ${drivers.join(', ')} ` +
      '(Debian: apt-get install linux-image-amd64, the cloud kernel lacks 9p; Ubuntu: linux-image-generic)',
  );
}

/** undefined where a driver is missing. */
function modulesOf(folder: string): string[] | undefined {
  const listed = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  const builtIn = new Set(listed('modules.builtin').split('\n').map(moduleName));
  const needs = new Map(
    listed('modules.dep')
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [path = '', needed = ''] = line.split(':');
        return [moduleName(path), { path, needed: needed.split(' ').filter(Boolean) }] as const;
      }),
  );
  const loaded = new Set<string>();
  const add = (name: string): boolean => {
    const module = needs.get(name);
    if (!module) return builtIn.has(name);
    const complete = module.needed.map(moduleName).every(add);
    loaded.add(join(folder, module.path));
    return complete;
  };
  return drivers.every(add) ? [...loaded] : undefined;
}

const moduleName = (path: string): string =>
  basename(path)
    .replace(/\.ko(?:\.\w+)?$/, '')
    .replaceAll('-', '_');

/** What insmod(8) takes: distributions compress their modules. */
export function readModule(path: string): Buffer {
  const bytes = readFileSync(path);
  if (path.endsWith('.ko')) return bytes;
  if (path.endsWith('.zst')) return zstdDecompressSync(bytes);
  const { stdout, status } = spawnSync('xz', ['--decompress', '--stdout', path], { maxBuffer: 64 * 1024 * 1024 });
  if (path.endsWith('.xz') && status === 0) return stdout;
  throw new OperatorError(`${path} cannot be decompressed; where it ends in .xz, install xz-utils`);
}
