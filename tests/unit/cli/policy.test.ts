import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policy, policyHelp } from '../../../src/cli/policy.ts';
import { readSettings } from '../../../src/cli/settings.ts';

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

describe('tools', () => {
  const policies = [
    { policyName: 'cap', effect: 'EFFECT_ALLOW', condition: 'eth.tx.chain_id==1&&eth.tx.value<=5' },
    { policyName: 'open', effect: 'EFFECT_ALLOW', condition: "activity.action == 'SIGN'" },
  ];
  const facts = {
    activity: { type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2' },
    eth: { tx: { chain_id: 1, value: 6 } },
  };

  test('check: what is right, with warnings; what is wrong, with its place and a code', async () => {
    const { stdout } = await countersign('policy', 'check', file('right.json', JSON.stringify(policies)));
    expect(stdout).toContain("cap: ok: condition in Turnkey's language of at most");
    expect(stdout).toContain('warning signs-anything: condition 1:1');
    const wrong = file('wrong.json', JSON.stringify({ effect: 'EFFECT_DENY', condition: 'eth.tx.valeu > 1' }));
    await expect(countersign('policy', 'check', wrong)).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('did you mean `value`?'),
    });
    const senseless = file('senseless.json', JSON.stringify({ condition: 'true' }));
    await expect(countersign('policy', 'check', senseless)).rejects.toMatchObject({
      stderr: expect.stringContaining('senseless.json.effect: expected one of'),
    });
  });

  test('format: the same policies in the canonical form', async () => {
    const commented = [{ ...policies[0], language: 'cel', consensus: 'true // always' }];
    const { stdout, stderr } = await countersign('policy', 'format', file('f.json', JSON.stringify(commented)));
    expect(JSON.parse(stdout)).toEqual([
      { ...commented[0], condition: 'eth.tx.chain_id == 1 && eth.tx.value <= 5', consensus: 'true' },
    ]);
    expect(stderr).toContain('cap: the comments of consensus are dropped');
    await expect(
      countersign('policy', 'format', file('g.json', '[{"effect":"EFFECT_DENY","condition":"("}]')),
    ).rejects.toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('condition 1:2') });
  });

  test('test: cases beside a file of policies', async () => {
    file('cap.json', JSON.stringify({ policies: policies.slice(0, 1) }));
    const cases = [{ id: 'too much', facts, approvers: ['a'], expect: 'implicit-deny' }];
    const path = file('cap.test.json', JSON.stringify({ policies: 'cap.json', cases }));
    const { stdout } = await countersign('policy', 'test', path);
    expect(stdout).toContain('ok   too much\n\n1 of 1 cases passed\n3 of 6 values');
    expect(stdout).toContain('cap condition 1:21 never true `eth.tx.value<=5`');
    const failing = [{ ...cases[0], expect: 'allow' }];
    await expect(
      countersign(
        'policy',
        'test',
        file('fail.json', JSON.stringify({ policies, cases: failing.map((each) => ({ ...each, facts: {} })) })),
      ),
    ).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('FAIL too much') });
  });

  test('explain: in words', async () => {
    const cases = [{ id: 'too much', policies: [{ id: 'cap', ...policies[0] }], facts, approvers: ['a'] }];
    const { stdout } = await countersign('policy', 'explain', file('explain.json', JSON.stringify({ cases })));
    expect(stdout).toContain('too much: denied: no policy allows this\npolicy cap did not match');
    expect(stdout).toContain('(eth.tx.value = 6)');
  });

  test('new: a file that passes its own tests', async () => {
    const { stdout, stderr } = await countersign('policy', 'new', '--template', 'allow-list');
    expect(stderr).toContain('put yours in place of: the addresses');
    const tested = await countersign('policy', 'test', file('new.json', stdout));
    expect(tested.stdout).toMatch(/(\d+) of \1 cases passed/);
    await expect(countersign('policy', 'new', '--template', 'constructor')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('allow-list'),
    });
  });

  test('facts: every root, and what is in it', async () => {
    const { stdout } = await countersign('policy', 'facts');
    expect(stdout).toMatch(/^ {2}eth\.tx\.value +uint +wei$/m);
    expect(stdout).toMatch(/^ {2}approvers\[\]\.created_at .*\(CEL\)$/m);
    expect(stdout).toMatch(/^ {2}time\.now +timestamp/m);
    await expect(countersign('policy', 'facts', 'nonsense')).rejects.toMatchObject({ code: 1 });
  });

  test.each(['check', 'decide', 'explain', 'format', 'new', 'replay', 'test'])(
    '%s says how it is used',
    async (name) => {
      expect(await policyHelp([name])).toContain(`usage: countersign policy ${name}`);
      await expect(policy(readSettings({}), [name])).rejects.toThrow(`usage: countersign policy ${name}`);
      expect(await policyHelp(['--help'])).toContain(`  ${name} `);
    },
  );
});
