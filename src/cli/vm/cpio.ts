/**
 * Archives in the format "newc" of cpio(5), which the Linux kernel unpacks as initramfs. The same entries give the same bytes:
 * sorted, owned by root, of no time. They are not compressed, for what a compressor writes depends on its version.
 */
import { readFileSync } from 'node:fs';

export type Entry = {
  /** Without a slash at its start. */
  readonly path: string;
} & (
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly target: string }
  /** `from`: a file that is read when its turn comes. */
  | { readonly kind: 'file'; readonly content: Uint8Array | { readonly from: string }; readonly executable?: boolean }
);

/** The kernel takes archives one after another, each from a multiple of this on. */
const blockSize = 512;

/** The archive in parts. Folders above an entry are added; throws for two entries of one path. */
export function* cpio(entries: readonly Entry[]): Generator<Uint8Array> {
  const sorted = withFolders(entries).sort((a, b) => (a.path < b.path ? -1 : 1));
  let size = 0;
  const parts = function* (path: string, mode: number, content: Uint8Array, inode: number) {
    const head = header(path, mode, content.length, inode);
    size += head.length + content.length + padding(content.length);
    yield head;
    yield content;
    yield Buffer.alloc(padding(content.length));
  };
  for (const [index, entry] of sorted.entries()) {
    if (entry.path === sorted[index + 1]?.path) throw new Error(`two entries for ${entry.path}`);
    yield* parts(entry.path, modeOf(entry), contentOf(entry), index + 1);
  }
  yield* parts('TRAILER!!!', 0, Buffer.alloc(0), 0);
  yield Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}

function withFolders(entries: readonly Entry[]): Entry[] {
  const folders = new Map<string, Entry>();
  for (const { path } of entries) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/');
      folders.set(folder, { path: folder, kind: 'folder' });
    }
  }
  for (const { path, kind } of entries) if (kind === 'folder') folders.delete(path);
  return [...folders.values(), ...entries];
}

function modeOf(entry: Entry): number {
  if (entry.kind === 'folder') return 0o040755;
  if (entry.kind === 'link') return 0o120777;
  return entry.executable ? 0o100755 : 0o100644;
}

function contentOf(entry: Entry): Uint8Array {
  if (entry.kind === 'folder') return Buffer.alloc(0);
  if (entry.kind === 'link') return Buffer.from(entry.target);
  return entry.content instanceof Uint8Array ? entry.content : readFileSync(entry.content.from);
}

/** Magic, 13 numbers of 8 hex digits, the name with a zero behind it; padded to a multiple of 4. */
function header(path: string, mode: number, size: number, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const [uid, gid, links, time, checksum] = [0, 0, 1, 0, 0];
  const numbers = [inode, mode, uid, gid, links, time, size, 0, 0, 0, 0, name.length, checksum];
  const fixed = Buffer.from(`070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([fixed, name, Buffer.alloc(padding(fixed.length + name.length))]);
}

const padding = (length: number): number => (4 - (length % 4)) % 4;
