import { describe, expect, test } from 'vitest';
import { decideByScan } from '../../../src/policy/decide-policies.ts';
import { type BlamedPart, explain, firstUnmet } from '../../../src/policy/explain.ts';
import { explainFile } from '../../../src/policy/explain-file.ts';
import { compilePolicy, createPolicySet, type PolicySource } from '../../../src/policy/policy-set.ts';
import { readFacts } from '../../../src/policy/read-facts.ts';
import { conditionSchema } from '../../../src/policy/schema/condition.ts';
import { consensusSchema } from '../../../src/policy/schema/consensus.ts';
import { timeSchema } from '../../../src/policy/schema/time.ts';
import type { JsonObject } from '../../../src/protocol/json.ts';

const call = (value: number, to = `0x${'11'.repeat(20)}`) => ({ to, value, depth: 0, data: '0x', selector: '' });
const tx = { chain_id: 1, to: `0x${'22'.repeat(20)}`, value: 500, data: '0x', calls: [call(1), call(9), call(3)] };
const base: JsonObject = {
  activity: {
    type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2',
    kind: 'SIGN_TRANSACTION',
    action: 'SIGN',
    resource: 'PRIVATE_KEY',
    params: {},
  },
  eth: { tx },
  approvers: [{ id: 'alice' }],
  credentials: [],
  time: { now: '2027-01-02T00:00:00Z' },
};
const schema = { ...conditionSchema, ...consensusSchema, ...timeSchema };

function explained(sources: readonly Omit<PolicySource, 'id'>[], facts: JsonObject = base) {
  const set = createPolicySet(sources.map((source, index) => compilePolicy({ id: `p${index}`, ...source })));
  const request = {
    kind: 'SIGN_TRANSACTION',
    facts: readFacts(schema, facts, 'facts').facts,
    initiatorId: 'alice',
    rootQuorum: { threshold: 1, userIds: [] },
  };
  return explain(set, request, decideByScan(set, request), (id) => `name of ${id}`);
}

const blamed = (source: Omit<PolicySource, 'id' | 'effect'>, facts = base): readonly BlamedPart[] =>
  explained([{ effect: 'EFFECT_ALLOW', ...source }], facts).policies[0]?.clauses[0]?.blamed ?? [];
const texts = (condition: string, language: 'turnkey' | 'cel' = 'cel') =>
  blamed({ condition, language }).map(({ text, value, elements, seen, items }) => [
    text,
    value,
    ...(elements.length > 0 ? [elements] : []),
    ...seen.map((one) => one.value),
    ...(items === undefined ? [] : [`${items} items`]),
  ]);

describe('what is blamed', () => {
  test.each<[string, unknown[]]>([
    ['eth.tx.value <= 100', [['eth.tx.value <= 100', false, 500]]],
    ['eth.tx.value <= 100 && eth.tx.chain_id == 1', [['eth.tx.value <= 100', false, 500]]],
    [
      'eth.tx.chain_id == 2 || eth.tx.value > 900',
      [
        ['eth.tx.chain_id == 2', false, 1],
        ['eth.tx.value > 900', false, 500],
      ],
    ],
    ['eth.tx.chain_id == 1 || eth.tx.value > 900', [['eth.tx.chain_id == 1', true, 1]]],
    ['!(eth.tx.value > 100)', [['eth.tx.value > 100', true, 500]]],
    ['eth.tx.chain_id in [5, 6]', [['eth.tx.chain_id in [5, 6]', false, 1]]],
    ['eth.tx.calls.all(c, c.value < 5)', [['c.value < 5', false, [1], 9]]],
    ['eth.tx.calls.exists(c, c.value == 3)', [['c.value == 3', true, [2], 3]]],
    ['eth.tx.calls.exists(c, c.value > 10)', [['eth.tx.calls.exists(c, c.value > 10)', false, '3 items']]],
    ['eth.tx.calls.all(c, c.value > 0)', [['eth.tx.calls.all(c, c.value > 0)', true, '3 items']]],
    [
      'eth.tx.calls.all(c, eth.tx.calls.exists(d, d.value == c.value + 2))',
      [['eth.tx.calls.exists(d, d.value == c.value + 2)', false, [1], '3 items']],
    ],
    ['eth.tx.value > 100 ? eth.tx.chain_id == 2 : true', [['eth.tx.chain_id == 2', false, 1]]],
    ['eth.tx.value > 100 ? false : true', [['eth.tx.value > 100', true, 500]]],
    ['eth.tx.value + eth.tx.chain_id * 2 < 5', [['eth.tx.value + eth.tx.chain_id * 2 < 5', false, 502, 500, 2, 1]]],
    ['has(eth.eip_712)', [['has(eth.eip_712)', false]]],
    ['false', [['false', false]]],
  ])('%s', (condition, expected) => {
    expect(texts(condition)).toEqual(expected);
  });

  test('all false operands in both languages, although CEL stops at the first', () => {
    const condition = 'eth.tx.value > 900 && eth.tx.chain_id == 2';
    expect(texts(condition, 'turnkey')).toHaveLength(2);
    expect(texts(condition, 'cel')).toEqual([['eth.tx.value > 900', false, 500]]);
  });

  test('the place of an error, and what it was about', () => {
    expect(blamed({ condition: "eth.tx.chain_id == 1 && eth.tx.data[0..10] == '0x00'" })).toMatchObject([
      {
        text: 'eth.tx.data[0..10]',
        line: 1,
        column: 25,
        error: { code: 'index-out-of-range' },
        seen: [{ text: 'eth.tx.data', value: '0x' }],
      },
    ]);
    expect(blamed({ condition: "solana.tx.transfers[0].to == 'x'" })).toMatchObject([
      { error: { code: 'namespace-absent' } },
    ]);
    expect(blamed({ condition: "eth.tx.calls.exists(c, c.data.substring(5) == 'x')", language: 'cel' })).toMatchObject([
      { elements: [0], error: { code: 'index-out-of-range' } },
    ]);
  });

  test('addresses with their capitals, long values cut, big ones exact', () => {
    const facts = {
      ...base,
      eth: {
        tx: {
          ...tx,
          to: '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48',
          value: { $int: '9'.repeat(30) },
          data: `0x${'ab'.repeat(5000)}`,
        },
      },
    };
    const condition = `eth.tx.to == '0x${'00'.repeat(20)}' && eth.tx.value < 5 && eth.tx.data == '0x'`;
    const [to, value, data] = blamed({ condition }, facts).map(({ seen }) => seen[0]?.value);
    expect(to).toBe('0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48');
    expect(value).toEqual({ $int: '9'.repeat(30) });
    expect(data).toHaveLength(1001);
  });

  test('nothing of what costs too much to trace', () => {
    const nested = 'eth.tx.calls.all(a, eth.tx.calls.all(b, a.value + b.value < 1000))';
    const many = Array.from(
      { length: 8 },
      () => ({ effect: 'EFFECT_DENY', condition: nested, language: 'cel' }) as const,
    );
    const { policies } = explained(many);
    expect(policies.map(({ outcome }) => outcome)).toEqual(many.map(() => 'OUTCOME_DENY_EXPLICIT'));
    expect(policies[0]?.clauses).toHaveLength(1);
    expect(policies.at(-1)?.clauses).toEqual([]);
  });
});

describe('in words', () => {
  test('what decided comes first, by the names that people gave', () => {
    const { text } = explained([
      { effect: 'EFFECT_DENY', condition: 'eth.tx.value > 900' },
      { effect: 'EFFECT_ALLOW', condition: 'eth.tx.value <= 100' },
      { effect: 'EFFECT_GUARD', condition: 'eth.tx.value > 100', consensus: 'approvers.count() < 2' },
    ]);
    expect(text).toBe(
      [
        'denied: guard p2 denies this',
        'guard name of p2 (p2) denies this',
        '  condition 1:1 `eth.tx.value > 100` was true (eth.tx.value = 500)',
        '  consensus 1:1 `approvers.count() < 2` was true (approvers.count() = 1)',
        'policy name of p1 (p1) did not match',
        '  condition 1:1 `eth.tx.value <= 100` was false (eth.tx.value = 500)',
        'deny name of p0 (p0) does not apply',
        '  condition 1:1 `eth.tx.value > 900` was false (eth.tx.value = 500)',
      ].join('\n'),
    );
  });

  test('only what failed, of what did not apply', () => {
    const { text, policies } = explained([
      {
        effect: 'EFFECT_ALLOW',
        condition: 'eth.tx.value == 500',
        time: "time.now < Timestamp('2027-01-01T00:00:00Z')",
      },
    ]);
    expect(text).toContain('is not active now');
    expect(text).not.toContain('condition');
    expect(firstUnmet(policies)).toMatchObject([
      { policyId: 'p0', clause: 'time', value: false, seen: [{ text: 'time.now', value: '2027-01-02T00:00:00Z' }] },
    ]);
  });
});

test('cases of a file', () => {
  const { approvers, credentials, ...facts } = base as Record<string, JsonObject>;
  const cases = [
    {
      id: 'one',
      policies: [{ id: 'cap', effect: 'EFFECT_ALLOW', condition: 'eth.tx.value < 5' }],
      facts,
      approvers: ['alice'],
    },
    { id: 'two', policies: [{ id: 'bad', effect: 'EFFECT_ALLOW', condition: 'eth.tx.valeu < 5' }], facts },
    { id: 'three', policies: [], facts: { eth: { tx: { value: 'many' } } } },
    { id: 'four', policies: [], facts: { nonsense: 1 } },
  ];
  const [one, two, three, four] = explainFile({ cases } as never).map(({ text }) => text);
  expect(one).toContain('policy cap did not match');
  expect(two).toContain('policy bad cannot be created: invalid policy condition: 1:8');
  expect(three).toContain('the case is wrong: cases[2].facts.eth.tx.value');
  expect(four).toContain('ignored: cases[3].facts.nonsense');
});
