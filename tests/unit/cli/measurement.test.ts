import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { measureEnclave } from '../../../src/cli/measurement.ts';
import { checkout } from '../../../src/cli/view.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-measured-'));
  folders.push(folder);
  return folder;
};

/** Paths that a manifest names. */
const pathsOf = (manifest: string): string[] =>
  manifest
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.slice(66));

describe('the measurement of this checkout', () => {
  const measured = measureEnclave();
  const paths = pathsOf(measured.manifest);

  test('names what the enclave runs, and nothing that it does not', () => {
    expect(measured.digest).toMatch(/^[0-9a-f]{96}$/);
    expect(paths).toEqual(
      expect.arrayContaining([
        'src/enclave/main.ts',
        'src/stamping/stamp.ts',
        'node_modules/valibot/package.json',
        'node_modules/@noble/curves/secp256k1.js',
        'node_modules/secp256k1/package.json',
        // What the packages need themselves.
        'node_modules/node-gyp-build/node-gyp-build.js',
      ]),
    );
    expect(
      paths.filter((path) => /^src\/(api|cli)\/|z3|\.d\.ts$|\.md$|node_modules\/(viem|koa|pg)\//.test(path)),
    ).toEqual([]);
  });

  test('is the same for the same release in two folders, of other times and modes', () => {
    const digests = [newFolder(), newFolder()].map((folder) => {
      for (const path of paths) {
        const copy = join(folder, path);
        mkdirSync(join(copy, '..'), { recursive: true });
        cpSync(join(checkout, path), copy);
        utimesSync(copy, 1, folders.length);
      }
      // What is no code does not count.
      writeFileSync(join(folder, 'src', 'enclave', 'NOTES.md'), folder);
      return measureEnclave(folder).digest;
    });
    expect(digests).toEqual([measured.digest, measured.digest]);
    const [folder = ''] = folders;
    appendFileSync(join(folder, 'node_modules', 'valibot', 'package.json'), '\n');
    expect(measureEnclave(folder).digest).not.toBe(measured.digest);
  });
});

describe('a small release', () => {
  const release = (files: Readonly<Record<string, string>>): string => {
    const folder = newFolder();
    for (const name of ['enclave', 'protocol', 'stamping', 'decode', 'policy']) {
      mkdirSync(join(folder, 'src', name), { recursive: true });
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  };
  const files = {
    'src/enclave/main.ts': "import { a } from 'one/sub.js';\nconst b = await import('@two/b');\n// from 'nothing'\n",
    'node_modules/one/package.json': '{"dependencies":{"three":"1"},"optionalDependencies":{"four":"1"}}',
    'node_modules/one/index.js': '',
    'node_modules/one/node_modules/three/package.json': '{}',
    'node_modules/three/package.json': '{"version":"2"}',
    'node_modules/@two/b/package.json': '{}',
    'node_modules/@two/b/b.mjs': '',
    'node_modules/unrelated/package.json': '{}',
  };

  test('has the packages that it imports, and of two versions the one that Node finds', () => {
    expect(pathsOf(measureEnclave(release(files)).manifest)).toEqual([
      'node_modules/@two/b/b.mjs',
      'node_modules/@two/b/package.json',
      'node_modules/one/index.js',
      'node_modules/one/node_modules/three/package.json',
      'node_modules/one/package.json',
      'src/enclave/main.ts',
    ]);
  });

  test.each([
    ['another byte', { 'src/enclave/main.ts': `${files['src/enclave/main.ts']} ` }],
    ['another file', { 'src/policy/x.ts': '' }],
    ['a file of a package', { 'node_modules/one/x.js': '' }],
    ['an optional package', { 'node_modules/four/package.json': '{}' }],
  ])('with %s is another', (_, more) => {
    const { digest } = measureEnclave(release(files));
    expect(measureEnclave(release({ ...files, ...more })).digest).not.toBe(digest);
  });

  test.each([
    ['beside the enclave', { 'src/enclave/node_modules/one/index.js': '' }],
    ['beside all sources', { 'src/node_modules/one/index.js': '' }],
    ['in a package that does not say that it needs it', { 'node_modules/one/node_modules/two/index.js': '' }],
    ['deep in a package', { 'node_modules/one/lib/node_modules/three/index.js': '' }],
    ['in the place of one of its files, without an ending', { 'node_modules/one/index': '' }],
  ])('with a package or file that Node would load in the place of another, %s, is another', (_, more) => {
    const { digest } = measureEnclave(release(files));
    expect(measureEnclave(release({ ...files, ...more })).digest).not.toBe(digest);
  });

  test('with code behind a link is another', () => {
    const { digest } = measureEnclave(release(files));
    const linked = release(files);
    symlinkSync(release({ 'one/index.js': '' }), join(linked, 'src', 'enclave', 'node_modules'));
    expect(measureEnclave(linked).digest).not.toBe(digest);
  });

  test('with a package that is none, nearer than the one that it needs, is refused', () => {
    const nearer = { ...files, 'node_modules/one/package.json': '{"dependencies":{"five":"1"}}' };
    const folder = release({
      ...nearer,
      'node_modules/five/package.json': '{}',
      'node_modules/one/node_modules/five/index.js': '',
    });
    expect(() => measureEnclave(folder)).toThrow('five');
  });

  test('that lacks a package is refused by its name', () => {
    const folder = release({ 'src/enclave/main.ts': "import 'absent';\n" });
    expect(() => measureEnclave(folder)).toThrow('the package absent is not installed');
  });
});
