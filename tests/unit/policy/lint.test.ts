import { describe, expect, test } from 'vitest';
import { checkTexts, type PolicyTexts } from '../../../src/policy/check-texts.ts';
import { templates } from '../../../src/policy/templates.ts';
import { testFile } from '../../../src/policy/test-file.ts';
import { turnkeyCorpus } from './turnkey-corpus.ts';

function rules(texts: PolicyTexts): readonly string[] {
  const { valid, warnings, clauses } = checkTexts(texts);
  expect(clauses.flatMap(({ problems }) => problems)).toEqual([]);
  expect(valid).toBe(true);
  return warnings.map(({ rule }) => rule);
}

const bounded = 'eth.tx.chain_id == 1 && eth.tx.value == 0';
const [allow, deny] = ['EFFECT_ALLOW', 'EFFECT_DENY'] as const;
const lower = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const checksummed = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';

describe('warns', () => {
  test.each<[string, PolicyTexts, readonly string[]]>([
    ['one transfer stands for all', { condition: "solana.tx.transfers.any(t, t.to == 'x')" }, ['any-for-all']],
    [
      'so in CEL',
      { condition: `${bounded} && eth.tx.calls_complete && eth.tx.calls.exists(c, c.value == 0)`, language: 'cel' },
      ['any-for-all'],
    ],
    [
      'a deny that asks of all',
      { effect: deny, condition: "solana.tx.transfers.all(t, t.to == 'x')" },
      ['all-for-any'],
    ],
    ['behind a negation', { condition: "!solana.tx.transfers.all(t, t.to != 'x')" }, ['all-for-any']],
    ['all of none', { condition: "solana.tx.transfers.all(t, t.to == 'x')" }, ['empty-all']],
    ['all of none in a deny', { effect: deny, condition: "!solana.tx.transfers.all(t, t.to == 'x')" }, ['empty-all']],
    ['no amount', { condition: "eth.tx.chain_id == 1 && eth.tx.to == '0x00'" }, ['unbounded-value']],
    ['no chain', { condition: "eth.tx.value == 0 && eth.tx.to == '0x00'" }, ['missing-chain-id']],
    [
      'calls of an operation that may be more',
      { condition: "userop.chain_id == 1 && userop.calls.any(c, c.to == '0x00')" },
      ['incomplete-calls', 'any-for-all'],
    ],
    [
      'all of the calls of an operation, of which there may be none',
      { condition: "userop.chain_id == 1 && !userop.opaque && userop.calls.all(c, c.to == '0x00')" },
      ['empty-all'],
    ],
    [
      'an operation on any chain, of any amount',
      { condition: '!userop.is_admin' },
      ['unbounded-value', 'missing-chain-id'],
    ],
    ['no chain of typed data', { condition: "eth.eip_712.domain.name == 'USD Coin'" }, ['missing-chain-id']],
    [
      'calls that are not all',
      { condition: `${bounded} && eth.tx.calls.all(c, c.value == 0)`, language: 'cel' },
      ['incomplete-calls'],
    ],
    ['a wrong capital', { condition: `wallet_account.address == '${lower}'` }, ['case-sensitive-address']],
    [
      'one of a list',
      { effect: deny, condition: `wallet_account.address in ['${checksummed}', '${lower}']` },
      ['case-sensitive-address'],
    ],
    ['the other kinds', { effect: deny, condition: "activity.kind == 'SIGN_RAW_PAYLOAD'" }, ['other-signing-kinds']],
    [
      'the other types',
      { effect: 'EFFECT_GUARD', condition: "activity.type == 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2'" },
      ['other-signing-kinds'],
    ],
    ['raw payloads', { effect: deny, condition: 'eth.tx.value > 5' }, ['other-signing-kinds']],
    ['signing at will', { condition: "activity.action == 'SIGN'" }, ['signs-anything']],
    ['no condition', { consensus: "approvers.any(u, u.id == 'x')" }, ['signs-anything']],
  ])('%s', (_name, texts, expected) => {
    expect(rules(texts)).toEqual(expected);
  });
});

describe('is silent about', () => {
  test.each<[string, PolicyTexts]>([
    ['any in a deny', { effect: deny, condition: "solana.tx.transfers.any(t, t.to == 'x')" }],
    [
      'a list that is counted',
      { condition: "solana.tx.transfers.count() > 0 && solana.tx.transfers.all(t, t.to == 'x')" },
    ],
    ['approvers', { condition: bounded, consensus: "approvers.any(u, u.id == 'x') && approvers.all(u, u.id != 'y')" }],
    ['all bounded', { condition: bounded, effect: allow }],
    ['right capitals', { effect: deny, condition: `wallet_account.address == '${checksummed}'` }],
    ['other fields', { condition: `${bounded} && eth.tx.to == '${lower}'` }],
    [
      'all kinds',
      { effect: deny, condition: "activity.kind in ['SIGN_RAW_PAYLOAD', 'SIGN_RAW_PAYLOADS', 'SIGN_TRANSACTION']" },
    ],
    ['other activities', { condition: "activity.resource == 'WALLET'" }],
    [
      'typed data only',
      { condition: "activity.action == 'SIGN' && activity.params.encoding == 'PAYLOAD_ENCODING_EIP712'" },
    ],
  ])('%s', (_name, texts) => {
    expect(rules(texts)).toEqual([]);
  });
});

test('says what to write, with the place', () => {
  const { warnings } = checkTexts({ effect: deny, condition: `true ||\n wallet_account.address == '${lower}'` });
  expect(warnings).toMatchObject([
    { clause: 'condition', line: 2, column: 28, suggestion: `'${checksummed}'`, text: expect.stringContaining('^^^') },
  ]);
});

test('every expression of the corpus can be linted', () => {
  for (const { expression } of turnkeyCorpus) {
    for (const effect of [allow, deny]) {
      for (const clause of ['condition', 'consensus', 'time']) {
        expect(() => checkTexts({ effect, [clause]: expression })).not.toThrow();
      }
    }
  }
});

describe('templates', () => {
  test.each(Object.entries(templates))('%s: right, without a hole, and doing what its cases say', (_name, { file }) => {
    for (const texts of file.policies as readonly PolicyTexts[]) expect(rules(texts)).toEqual([]);
    const { results, coverage } = testFile(file);
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    expect(coverage.uncovered.length).toBeLessThan(2);
  });
});
