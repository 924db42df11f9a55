import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
const countersign = (...args: string[]) => run(process.execPath, [main, ...args]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('prints one line for each case, in their order', async () => {
  const cases = ['true', 'false', 'nonsense'].map((condition) => ({
    id: condition,
    policies: [{ effect: 'EFFECT_ALLOW', condition }],
    facts: {},
    approvers: [{ id: 'a' }],
  }));
  const { stdout } = await countersign('policy', 'decide', file('cases.json', JSON.stringify({ cases })));
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['true', 'allow'],
    ['false', 'implicit-deny'],
    ['nonsense', 'rejected-at-creation'],
  ]);
  for (const line of lines) {
    expect(Object.keys(line)).toEqual(['id', 'outcome', 'pending', 'decidedBy', 'policyOutcomes', 'trace']);
  }
});

describe('says what is wrong with', () => {
  test.each([
    ['no file', () => '/nonexistent/cases.json', 'cannot read'],
    ['no JSON', () => file('half.json', '{"cases":['), 'is not JSON'],
    ['no cases', () => file('none.json', '{}'), 'cases: expected an array'],
  ])('%s', async (_name, path, message) => {
    await expect(countersign('policy', 'decide', path())).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });

  test('the arguments', async () => {
    await expect(countersign('policy')).rejects.toMatchObject({
      stderr: expect.stringContaining('usage: countersign policy'),
    });
    const { stdout } = await countersign('policy', 'decide', '--help');
    expect(stdout).toContain('usage: countersign policy decide FILE');
  });
});
