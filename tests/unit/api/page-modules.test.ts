import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { readModules } from '../../../src/api/http/page-modules.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function modulesOf(files: Readonly<Record<string, string>>, entry: string) {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-modules-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return readModules([join(folder, entry)], (file) =>
    file.startsWith(folder) ? file.slice(folder.length) : undefined,
  );
}

test('imports become paths, types go, and what nothing imports is left out', async () => {
  const modules = await modulesOf(
    {
      'page.js': "import { one } from './one.ts';\nimport './page.js';\nexport { two } from './two.js';\none();\n",
      'one.ts':
        "import type { Two } from './types.ts';\nexport const one = (two?: Two): string => 'from \"./three.js\"';\n",
      'two.js': "export const two = 'x';\n",
      'three.js': 'export {};\n',
    },
    'page.js',
  );
  expect([...modules.keys()].sort()).toEqual(['/one.ts', '/page.js', '/two.js']);
  expect(modules.get('/page.js')).toBe(
    "import { one } from '/one.ts';\nimport '/page.js';\nexport { two } from '/two.js';\none();\n",
  );
  expect(modules.get('/one.ts')).not.toContain('Two');
});

test("the start page's modules are all of browsers: nothing of Node, and no module without a path", async () => {
  const entry = fileURLToPath(new URL('../../../src/api/pages/page.js', import.meta.url));
  const modules = await readModules([entry], () => undefined);
  expect(modules.has('/modules/src/stamping/make-webauthn-stamp.js')).toBe(true);
  expect(modules.has('/modules/@noble/curves/secp256k1.js')).toBe(true);
  for (const [path, script] of modules) {
    expect(path).toMatch(/^\/modules\/[\w@/.-]+\.js$/);
    expect(script, path).not.toMatch(/\bBuffer\b(?=[.(])|node:/);
    const imported = [...script.matchAll(/^(?:import\b[^'";]*|export\b[^'";]*from\s*)'([^']*)'/gm)].map(
      ([, url = '']) => url,
    );
    for (const url of imported) expect(modules.has(url), `${path} imports ${url}`).toBe(true);
  }
});

test("the policies page's modules want nothing of Node but what its own Buffer has", async () => {
  const entry = fileURLToPath(new URL('../../../src/api/pages/policies.js', import.meta.url));
  const modules = await readModules([entry], () => undefined);
  expect(modules.has('/modules/src/policy/check-texts.js')).toBe(true);
  for (const [path, script] of modules) {
    expect(script, path).not.toMatch(/['"]node:|\bprocess\.env|new Function\(/);
    const used = [...script.matchAll(/\bBuffer\.(\w+)\(/g)].map(([, name]) => name);
    expect(['from', 'concat', 'compare'], path).toEqual(expect.arrayContaining(used));
  }
});
