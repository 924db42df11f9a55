import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
type Run = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** As a shell runs it. */
const countersign = (...args: string[]): Promise<Run> =>
  new Promise((resolve) => {
    execFile(process.execPath, [main, 'policy', ...args], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
const analyse = (...args: string[]): Promise<Run> => countersign('analyse', ...args, '--limit', '60');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'analyse-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const cap = (amount: number) => ({
  policyName: 'pay',
  effect: 'EFFECT_ALLOW',
  condition: `activity.kind == 'SIGN_TRANSACTION' && eth.tx.value <= ${amount}`,
  consensus: 'approvers.count() >= 2',
});

test('compare: what more is allowed is a case for decide, and the exit code says so', {
  timeout: 200_000,
}, async () => {
  const [before, after] = [file('before.json', [cap(5)]), file('after.json', { policies: [cap(6)] })];
  const text = await analyse('compare', before, after);
  expect(text.code).toBe(2);
  expect(text.stdout).toMatch(
    /after\.json allows what .*before\.json does not: yes\n {2}ACTIVITY_TYPE_SIGN_TRANSACTION/,
  );
  expect(text.stdout).toContain('eth.tx.value 6; approved by ');
  expect(text.stdout.trimEnd()).toMatch(/before\.json allows what .*after\.json does not: no$/);

  const { code, stdout } = await analyse('compare', before, after, '--json');
  const { looser, stricter } = JSON.parse(stdout);
  expect([code, looser.answer, stricter]).toEqual([2, 'yes', { answer: 'no' }]);
  const cases = [5, 6].map((amount) => ({ id: String(amount), policies: [cap(amount)], ...looser.witness }));
  const decided = await countersign('decide', file('cases.json', { cases }));
  expect(decided.stdout).toMatch(/"id":"5","outcome":"implicit-deny".*\n.*"id":"6","outcome":"allow"/);

  expect(await analyse('compare', after, before)).toMatchObject({ code: 0 });
});

test('can: by the policies and by the root quorum, or unknown with the place', { timeout: 200_000 }, async () => {
  const policies = file('can.json', { policies: [cap(5)] });
  const signs = ['--do', "activity.kind == 'SIGN_TRANSACTION'"];
  const bound = await analyse('can', policies, ...signs, '--without', 'approvers.count() >= 2');
  expect(bound.code).toBe(0);
  expect(bound.stdout).toMatch(/^by the policies: no\nby the root quorum: yes\n/);
  const free = await analyse('can', policies, ...signs, '--without', 'approvers.count() >= 3');
  expect(free.code).toBe(2);
  expect(free.stdout).toMatch(/^by the policies: yes\n.*approved by \S+ and \S+\n/);
  const odd = "eth.tx.data.matches('^0x([0-9a-f]{2})*$')";
  const unknown = await analyse('can', policies, ...signs, '--without', odd);
  expect(unknown.code).toBe(3);
  expect(unknown.stdout).toContain(`by the policies: unknown: \`${odd}\` (what it is done without 1:1): `);
});

test('unused: a line for each policy as it is found', { timeout: 200_000 }, async () => {
  const policies = [cap(5), { ...cap(4), policyName: 'less' }, { effect: 'EFFECT_DENY', condition: 'false' }];
  const { code, stdout } = await analyse('unused', file('unused.json', policies));
  expect(code).toBe(2);
  expect(stdout).toMatch(/^pay: makes a difference\n.*\nless: redundant: .*\n2: never matches: /);
  const all = await analyse('unused', file('used.json', cap(5)), '--json');
  expect(all).toMatchObject({ code: 0, stderr: expect.stringContaining('1 of 1\n') });
  expect(JSON.parse(all.stdout).policies).toMatchObject([{ policyId: 'pay', verdict: 'used' }]);
});

test('says what is wrong with the question', { timeout: 200_000 }, async () => {
  const policies = file('right.json', [cap(5)]);
  const wrong = file('wrong.json', [{ ...cap(5), condition: 'eth.tx.valeu > 1' }]);
  const refused: readonly (readonly [readonly string[], string])[] = [
    [['compare', policies, wrong], 'did you mean `value`?'],
    [['compare', policies], 'usage: countersign policy analyse'],
    [['can', policies], 'usage: countersign policy analyse'],
    [['can', policies, '--do', 'eth.tx.valeu > 1'], 'field does not exist: valeu'],
    [['unused', join(folder, 'absent.json')], 'cannot read'],
    [['unused', policies, '--does', 'x'], '--does'],
  ];
  for (const [args, message] of refused) {
    const { code, stdout, stderr } = await countersign('analyse', ...args);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(message)]);
  }
  expect(await countersign('analyse', 'unused', policies, '--limit', '0')).toMatchObject({ code: 1 });
  expect((await countersign('analyse', '--help')).stdout).toContain('Exits with 0 where');
});
