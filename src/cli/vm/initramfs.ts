/**
 * What the microVM's memory is filled with at its start, as two archives like those of a Nitro image: `boot` starts the machine,
 * `application` is the enclave as it is measured, with Node and the libraries of this machine that Node is linked to.
 */
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, join } from 'node:path';
import { measureEnclave } from '../measurement.ts';
import { OperatorError } from '../operator-error.ts';
import { checkout } from '../view.ts';
import type { Entry } from './cpio.ts';
import { guestFlags, guestFolder, guestProgram } from './guest.ts';
import { type Kernel, readModule } from './kernel.ts';

export type Initramfs = {
  readonly boot: readonly Entry[];
  readonly application: readonly Entry[];
  /** Of the code in `application`, in hex. */
  readonly measurement: string;
};

/** Files that an image for Nitro has besides, by their path in it. */
export type Additions = Readonly<Record<string, string>>;

/** `root`: the folder with `src` and `node_modules`. */
export function initramfs(kernel: Kernel, busybox: string, additions: Additions = {}, root = checkout): Initramfs {
  const shell = program(busybox, 'bin/busybox');
  const modules = kernel.modules.map((path, index): Entry => {
    const name = `${String(index).padStart(2, '0')}-${basename(path).replace(/\.ko.*$/, '')}.ko`;
    return { path: `modules/${name}`, kind: 'file', content: readModule(path) };
  });
  const { entries, measurement } = code(root);
  const application: Entry[] = [
    { path: 'start', kind: 'file', content: script('start.sh', guestFlags), executable: true },
    ...['dev', 'proc', 'tmp', guestFolder.slice(1)].map((path): Entry => ({ path, kind: 'folder' })),
    ...shell,
    ...program(realpathSync(process.execPath), `${guestProgram.slice(1)}/node`).filter(
      ({ path }) => !shell.some((entry) => entry.path === path),
    ),
    ...entries,
    { path: `${guestProgram.slice(1)}/plain.mjs`, kind: 'file', content: script('plain.mjs', []) },
    ...Object.entries(additions).map(
      ([path, from]): Entry => ({ path, kind: 'file', content: { from }, executable: true }),
    ),
  ];
  return {
    boot: [
      { path: 'init', kind: 'file', content: script('init.sh', []), executable: true },
      { path: 'dev', kind: 'folder' },
      ...shell,
      ...modules,
    ],
    application: application.map((entry) => ({ ...entry, path: `rootfs/${entry.path}` })),
    measurement,
  };
}

/** A program of this machine and the libraries that it is linked to, at their own paths. */
function program(from: string, path: string): Entry[] {
  const file = (to: string, of: string): Entry => ({ path: to, kind: 'file', content: { from: of }, executable: true });
  return [file(path, from), ...librariesOf(from).map((library) => file(library.slice(1), library))];
}

/** ldd(1): `libm.so.6 => /lib/libm.so.6 (0x…)` or `/lib64/ld.so (0x…)`; of a static program it knows none. */
function librariesOf(path: string): string[] {
  const { stdout, error } = spawnSync('ldd', [path], { encoding: 'utf8' });
  if (error) throw new OperatorError('ldd(1) is missing, which says what Node is linked to; install libc-bin');
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1] as string);
}

/** The files of the manifest, as they were when they were measured, without their types. */
function code(root: string): { entries: Entry[]; measurement: string } {
  const { digest, manifest } = measureEnclave(root);
  const lines = manifest.split('\n').filter((line) => line && !line.startsWith('#'));
  const files = lines.map((line): Entry => {
    const [digestOfFile, path] = [line.slice(0, 64), line.slice(66)];
    const content = readFileSync(join(root, path));
    if (hash('sha256', content, 'hex') !== digestOfFile)
      throw new OperatorError(`${path} was changed while it was read`);
    const source = path.endsWith('.ts') ? Buffer.from(withoutTypes(content.toString())) : content;
    return { path: `${guestProgram.slice(1)}/${path}`, kind: 'file', content: source };
  });
  const type: Entry = {
    path: `${guestProgram.slice(1)}/package.json`,
    kind: 'file',
    content: Buffer.from('{"type":"module"}\n'),
  };
  return { entries: [type, ...files], measurement: digest };
}

/** Node warns that this is experimental, once; its version is pinned. */
function withoutTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

const script = (name: string, flags: readonly string[]): Buffer =>
  Buffer.from(readFileSync(join(import.meta.dirname, name), 'utf8').replace('FLAGS', flags.join(' ')));
