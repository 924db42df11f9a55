import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cpio, type Entry } from '../../../src/cli/vm/cpio.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-cpio-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

writeFileSync(join(folder, 'from'), 'of a file');
const entries: readonly Entry[] = [
  { path: 'b/c/file', kind: 'file', content: Buffer.from('text') },
  { path: 'b/empty', kind: 'folder' },
  { path: 'a', kind: 'file', content: { from: join(folder, 'from') }, executable: true },
  { path: 'b/link', kind: 'link', target: 'c/file' },
];
const archive = (of: readonly Entry[]) => Buffer.concat([...cpio(of)]);
const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => statSync(path, { throwIfNoEntry: false }));

describe('an archive', () => {
  test('does not depend on the order of its entries', () => {
    expect(archive(entries.toReversed())).toEqual(archive(entries));
  });

  test('holds nothing of its origin but names, modes and contents', () => {
    const other = join(folder, 'elsewhere');
    writeFileSync(other, 'of a file', { mode: 0o777 });
    const moved = entries.map((entry) =>
      entry.path === 'a' ? ({ ...entry, content: { from: other } } as Entry) : entry,
    );
    expect(archive(moved)).toEqual(archive(entries));
    expect(archive(entries).length % 512).toBe(0);
  });

  test('with two entries of one path is none', () => {
    expect(() => archive([...entries, { path: 'a', kind: 'folder' }])).toThrow('two entries for a');
  });

  test.skipIf(!busybox)(`is unpacked by cpio(1)${busybox ? '' : ' (skipped: there is no busybox)'}`, () => {
    const { status } = spawnSync(busybox as string, ['cpio', '-idm'], { cwd: folder, input: archive(entries) });
    expect(status).toBe(0);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('of a file');
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(folder, 'b', 'link'), 'utf8')).toBe('text');
    expect(readlinkSync(join(folder, 'b', 'link'))).toBe('c/file');
    expect(statSync(join(folder, 'b', 'empty')).isDirectory()).toBe(true);
    expect(statSync(join(folder, 'b', 'c', 'file'))).toMatchObject({ mtimeMs: 0 });
  });
});
