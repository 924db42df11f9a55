import { describe, expect, test } from 'vitest';
import { FactError } from '../../../src/policy/read-facts.ts';
import { testFile } from '../../../src/policy/test-file.ts';
import type { JsonValue } from '../../../src/protocol/json.ts';

const policies = [
  {
    id: 'cap',
    effect: 'EFFECT_ALLOW',
    condition: 'eth.tx.value <= 5 && (eth.tx.chain_id == 1 || eth.tx.chain_id == 10)',
  },
];
const given = (id: string, value: number, chain: number, expect: JsonValue) => ({
  id,
  facts: { activity: { type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2' }, eth: { tx: { value, chain_id: chain } } },
  approvers: ['alice'],
  expect,
});

test('passes what comes out as expected, and says what does not', () => {
  const { results } = testFile({
    policies,
    cases: [
      given('right', 5, 1, 'allow'),
      given('wrong', 6, 1, 'allow'),
      given('by whom', 5, 1, { outcome: 'allow', decidedBy: 'other', pending: false }),
    ],
  });
  expect(results).toEqual([
    { id: 'right', failures: [] },
    { id: 'wrong', failures: ['outcome: expected "allow", got "implicit-deny"'] },
    { id: 'by whom', failures: ['decidedBy: expected "other", got "cap"'] },
  ]);
});

test('a mistake in a case fails it', () => {
  const wrong = { ...given('wrong', 5, 1, 'error'), facts: { eth: { tx: { value: 'x' } } } };
  const { results } = testFile({ policies, cases: [wrong] });
  expect(results).toEqual([{ id: 'wrong', failures: [expect.stringContaining('eth.tx.value')] }]);
});

test('says what no case made true, or false', () => {
  const { coverage } = testFile({ policies, cases: [given('a', 5, 1, 'allow'), given('b', 6, 1, 'implicit-deny')] });
  expect(coverage).toMatchObject({
    covered: 7,
    all: 10,
    uncovered: [
      { policyId: 'cap', clause: 'condition', line: 1, column: 22, never: [false] },
      { text: 'eth.tx.chain_id == 1', never: [false] },
      { text: 'eth.tx.chain_id == 10', never: [true] },
    ],
  });
  expect(
    testFile({
      policies,
      cases: [given('a', 5, 1, 'allow'), given('b', 6, 10, 'implicit-deny'), given('c', 0, 2, 'implicit-deny')],
    }).coverage,
  ).toEqual({
    covered: 10,
    all: 10,
    uncovered: [],
  });
});

describe('refuses', () => {
  test.each<[JsonValue, string]>([
    [{ policies, cases: [] }, 'cases'],
    [{ policies }, 'cases'],
    [{ policies, cases: [{ id: 'a' }] }, 'cases[0].expect'],
    [{ policies, cases: [{ expect: 'yes' }] }, 'cases[0].expect'],
    [{ policies, cases: [{ expect: {} }] }, 'cases[0].expect'],
    [{ policies, cases: [{ expect: { outcom: 'allow' } }] }, 'cases[0].expect.outcom'],
    [{ policies, cases: [{ expect: { pending: 'no' } }] }, 'cases[0].expect.pending'],
    [[], 'file'],
  ])('%j', (file, path) => {
    expect(() => testFile(file)).toThrow(FactError);
    expect(() => testFile(file)).toThrow(path);
  });
});
