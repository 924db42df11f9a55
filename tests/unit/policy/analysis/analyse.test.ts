import { expect, test } from 'vitest';
import { analyse, type Question } from '../../../../src/policy/analysis/analyse.ts';
import type { Answer } from '../../../../src/policy/analysis/ask.ts';
import { can as canBeDone, compileQuestion } from '../../../../src/policy/analysis/can.ts';
import { compare as comparePolicies } from '../../../../src/policy/analysis/compare.ts';
import { encodeClause } from '../../../../src/policy/analysis/encode.ts';
import { limitsFor } from '../../../../src/policy/analysis/limits.ts';
import { pose } from '../../../../src/policy/analysis/problem.ts';
import type { Witness } from '../../../../src/policy/analysis/witness.ts';
import { decideFile } from '../../../../src/policy/decide-file.ts';
import { PolicyError } from '../../../../src/policy/errors.ts';
import { compilePolicy, type PolicySource } from '../../../../src/policy/policy-set.ts';
import type { JsonValue } from '../../../../src/protocol/json.ts';
import { turnkeyCorpus } from '../turnkey-corpus.ts';

const usdc = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const payee = `0x${'11'.repeat(20)}`;

type Given = Partial<PolicySource>;
const allow = (condition: string, more: Given = {}): PolicySource => ({
  id: 'p',
  effect: 'EFFECT_ALLOW',
  condition,
  ...more,
});
const deny = (condition: string): PolicySource => ({ ...allow(condition), effect: 'EFFECT_DENY' });
const guard = (condition: string, more: Given): PolicySource => ({ ...allow(condition, more), effect: 'EFFECT_GUARD' });

const compare = (before: readonly PolicySource[], after: readonly PolicySource[], timeLimit = 10_000) =>
  comparePolicies(before.map(compilePolicy), after.map(compilePolicy), timeLimit);
const can = (policies: readonly PolicySource[], what: string, unless = 'false') =>
  canBeDone(policies.map(compilePolicy), compileQuestion(what), compileQuestion(unless), 10_000);
const isPossible = async (what: string) => (await can([allow('true')], what)).policies;

/** As `policy decide` decides it. */
function decided(policies: readonly PolicySource[], witness: Witness): string | undefined {
  const file = { cases: [{ id: 'witness', policies, ...witness }] };
  return decideFile(JSON.parse(JSON.stringify(file)) as JsonValue)[0]?.outcome;
}

function witnessOf(answer: Answer): Witness {
  if (answer.answer !== 'yes') throw new Error(`the answer is ${answer.answer}`);
  return answer.witness;
}

test('a higher cap is looser, and the witness lies between', async () => {
  const cap = (amount: number) => [
    allow(`activity.kind == 'SIGN_TRANSACTION' && eth.tx.to == '${payee}' && eth.tx.value <= ${amount}`),
  ];
  const { looser, stricter } = await compare(cap(100), cap(101));
  expect(witnessOf(looser).facts).toMatchObject({
    activity: { type: expect.stringMatching(/^ACTIVITY_TYPE_SIGN_TRANSACTION/) },
    eth: { tx: { to: payee, value: { $int: '101' } } },
  });
  expect(stricter).toEqual({ answer: 'no' });
  expect(decided(cap(101), witnessOf(looser))).toBe('allow');
  expect(decided(cap(100), witnessOf(looser))).toBe('implicit-deny');
});

test('the two languages mean the same', async () => {
  const inTurnkey = allow(`eth.tx.to in ['${usdc}', '${payee}'] && eth.tx.data[0..10] == '0xa9059cbb'`);
  const inCel = allow(`(eth.tx.to == '${payee}' || eth.tx.to == '${usdc}') && eth.tx.data.startsWith('0xa9059cbb')`, {
    language: 'cel',
  });
  const same = { looser: { answer: 'no' }, stricter: { answer: 'no' } };
  expect(await compare([inTurnkey], [inCel])).toEqual(same);
});

test('a deny denies by its error, and not where the namespace is absent', async () => {
  const before = [allow(`activity.action == 'SIGN'`), deny(`eth.tx.contract_call_args['amount'] > 5`)];
  const { stricter } = await compare(before, [
    ...before,
    deny(`has(eth.tx) && !('amount' in eth.tx.contract_call_args)`),
  ]);
  expect(stricter.answer).toBe('no');
  const small = `eth.tx.contract_call_args['amount'] <= 5`;
  expect((await can(before, `activity.action == 'SIGN' && has(eth.tx)`, small)).policies.answer).toBe('no');
  expect((await can(before, `activity.action == 'SIGN'`, 'has(eth.tx)')).policies.answer).toBe('yes');
});

test('nobody signs without two approvals, except the root quorum, which guards bind', async () => {
  const two = { consensus: 'approvers.count() >= 2' };
  const signs = `activity.kind == 'SIGN_TRANSACTION'`;
  const open = await can([allow(signs, two), allow(`activity.resource == 'WALLET'`)], signs, two.consensus);
  expect(open.policies).toEqual({ answer: 'no' });
  expect(witnessOf(open.rootQuorum).rootQuorum.userIds).toHaveLength(1);
  const bound = [allow(signs, two), guard(signs, { consensus: 'approvers.count() < 2' })];
  const answers = await can(bound, signs, two.consensus);
  expect([answers.policies.answer, answers.rootQuorum.answer]).toEqual(['no', 'no']);
  const leak = await can([allow(signs, two), allow(`activity.action == 'SIGN'`)], signs, two.consensus);
  expect(witnessOf(leak.policies).approvers).toHaveLength(1);
});

test('users manage their own credentials whatever the policies are', async () => {
  const own = await can([], `activity.kind == 'CREATE_API_KEYS'`);
  const { facts, approvers } = witnessOf(own.policies);
  expect(facts.activity).toMatchObject({ params: { user_id: (approvers[0] as { id: string }).id } });
  expect((await can([], `activity.kind == 'CREATE_USERS'`)).policies.answer).toBe('no');
  expect((await can([deny('true')], `activity.kind == 'CREATE_API_KEYS'`)).policies.answer).toBe('no');
});

test('what functions of the clock leave open is found within the week', async () => {
  const during = (hours: string) =>
    allow(`activity.action == 'SIGN'`, { time: `CronSpan('0 9 * * 1-5', '${hours}', 'UTC')` });
  const { looser } = await compare([during('8h')], [during('9h')]);
  expect(witnessOf(looser).facts.now).toMatch(/T17:\d\d:00Z$/);
});

test('the past is what it may be: a longer window never holds less', async () => {
  expect((await isPossible(`spent('eip155:1', '24h') > spent('eip155:1', '7d')`)).answer).toBe('no');
  const witness = witnessOf(await isPossible(`spent('eip155:1', '24h') + spending('eip155:1') > 1 ether`));
  expect(Object.keys(witness.facts.history as object)).toHaveLength(2);
});

test('facts fit together', { timeout: 120_000 }, async () => {
  const impossible = [
    `activity.kind == 'CREATE_WALLET' && has(eth.tx)`,
    `has(eth.tx) && has(eth.eip_712)`,
    `activity.kind == 'SIGN_TRANSACTION' && activity.resource != 'PRIVATE_KEY'`,
    `activity.type == 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2' && activity.kind != 'SIGN_TRANSACTION'`,
    `activity.kind == 'SIGN_TRANSACTIONS'`,
    `activity.kind.startsWith('SIGN') && activity.action != 'SIGN'`,
    `eth.tx.selector == '0xa9059cbb' && !eth.tx.data.startsWith('0xa9059cbb')`,
    `wallet.id != wallet_account.wallet_id`,
    `approvers[1].id != credentials[1].user_id`,
    `eth.tx.value - eth.tx.gas < eth.tx.value - eth.tx.value && eth.tx.gas == eth.tx.value`,
    `now.getDayOfWeek() == 7`,
    `now < timestamp('2020-01-01T00:00:00Z')`,
  ];
  for (const what of impossible) expect([what, (await isPossible(what)).answer]).toEqual([what, 'no']);
});

const pattern = `eth.tx.data.matches('^0xa9059cbb[0-9a-f]{128}$')`;

test('what is not encoded is named, and never said to be impossible', async () => {
  expect(await isPossible(`has(eth.tx) && ${pattern}`)).toEqual({
    answer: 'unknown',
    because: [
      {
        text: pattern,
        reason: expect.any(String),
        at: { of: 'what is done', line: 1, column: 16, start: 15, end: 15 + pattern.length },
      },
    ],
  });
});

test('what is not encoded does not stand in the way where it is the same on both sides', async () => {
  const odd = allow(pattern, { language: 'cel' });
  const { looser, stricter } = await compare([odd], [odd, allow('eth.tx.value == 5')]);
  expect([looser.answer, stricter.answer]).toEqual(['yes', 'no']);
});

test('what takes too long is not answered', async () => {
  const product = '115792089237316195423570985008687907853269984665640564039457584007913129639747';
  const factors = `eth.tx.value * eth.tx.gas == ${product} && eth.tx.value > 1 && eth.tx.gas > 1`;
  const { looser, stricter } = await compare([], [allow(factors, { language: 'cel' })], 300);
  // The solver may give up by itself before its time is over.
  const text = expect.stringMatching(/^(?:time limit|solver)$/);
  expect(looser).toMatchObject({ answer: 'unknown', because: [{ text }] });
  expect(stricter.answer).toBe('no');
});

test('in a worker: findings are told as they are made, and mistakes by name', async () => {
  const told: string[] = [];
  const policies = [allow(`wallet.id == 'a'`), allow(`wallet.id in ['a', 'b']`, { id: 'q' })];
  const onFinding = ({ policyId }: { readonly policyId: string }) => told.push(policyId);
  const found = await analyse({ ask: 'unused', policies }, { timeLimit: 10_000, onFinding });
  expect(found.map(({ verdict }) => verdict)).toEqual(['redundant', 'used']);
  expect(told).toEqual(['p', 'q']);
  const wrong: Question = { ask: 'can', policies: [], what: 'eth.tx.valu > 1', unless: 'false' };
  await expect(analyse(wrong)).rejects.toThrow('field does not exist: valu');
  await expect(analyse({ ask: 'unused', policies: [allow('nonsense')] })).rejects.toThrow('nonsense');
});

test('every published expression is encoded, nearly all of them wholly', () => {
  const valid = turnkeyCorpus.filter((entry) => entry.valid);
  const outcomes = valid.map(({ expression }) => {
    try {
      const question = compileQuestion(expression);
      const { symbols } = pose(limitsFor([question]), (shared) => encodeClause(shared, question, ''));
      return symbols.unknowns.size > 0 ? 'in part' : 'wholly';
    } catch (error) {
      // Some show what a part of an expression is, and are no conditions.
      if (error instanceof PolicyError) return 'no condition';
      throw error;
    }
  });
  const count = (outcome: string) => outcomes.filter((each) => each === outcome).length;
  expect(count('no condition')).toBeLessThan(10);
  expect(count('in part') / valid.length).toBeLessThan(0.03);
});
