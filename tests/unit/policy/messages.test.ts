/** What authors of policies are told, with the facts of real policies. */
import { describe, expect, test } from 'vitest';
import { checkText } from '../../../src/policy/compile-text.ts';
import { PolicyError, renderProblem } from '../../../src/policy/errors.ts';
import { conditionSchema } from '../../../src/policy/schema/condition.ts';
import { consensusSchema } from '../../../src/policy/schema/consensus.ts';
import type { Language } from '../../../src/policy/syntax.ts';
import type { Schema } from '../../../src/policy/types.ts';

type Told = { readonly language: Language; readonly text: string };

function told(source: string, language?: Language, schema: Schema = conditionSchema): Told {
  try {
    const checked = checkText(source, { ...(language && { language }), schema, expected: { kind: 'bool' } });
    throw new Error(`accepted as ${checked.language}`);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const text = error.problems.map((problem) => renderProblem(source, problem)).join('\n');
    return { language: error.language, text };
  }
}

describe('what names only CEL has is taken for CEL', () => {
  test.each([
    ["spent('ETH', '24h') > 1 ether", '`spent` takes an asset'],
    ['payload.blin || eth.tx.value > 1', 'did you mean `blind`'],
    ['eth.tx.calls_complet && eth.tx.calls_complete', 'did you mean `calls_complete`'],
    ["request.orign == 'https://a.example'", 'did you mean `origin`'],
    ['payload.blind == 1', 'no `==` between bool and int'],
    ['size(eth.tx.transfers) > "1"', 'between int and string'],
  ])('%s', (source, expected) => {
    const { language, text } = told(source);
    expect([language, text.includes(expected)], text).toEqual(['cel', true]);
  });

  test('and what it has in common with Turnkey is not', () => {
    expect(told('eth.tx.valu > 1')).toMatchObject({ language: 'turnkey', text: expect.stringContaining('`value`') });
    expect(told('payload.blind', 'turnkey').text).toContain('expected: language `cel`, which has it');
    expect(told("eth.tx.selector == '0xa9059cbb'", 'turnkey').text).toContain('expected: language `cel`');
  });
});

test.each([
  ["eth.tx.chain_id == '1'", 'did you mean `1`?'],
  ["eth.tx.chain_id in ['1', '10']", 'list'],
  ["eth.tx.value <= '<AMOUNT>'", 'a number without quotes'],
  ["kind == 'SIGN_TRANSACTION'", 'did you mean `activity.kind`?'],
  ["to == '0x0'", 'did you mean `eth.tx.to`?'],
  ["wallet.name == 'x'", 'id, imported, exported, label'],
  ["spent('eip155:1', '24h') > 1", 'knows nothing of the past'],
])("Turnkey's language: %s", (source, expected) => {
  expect(told(source, 'turnkey').text).toContain(expected);
});

test.each([
  ['google.protobuf.Int64Value{value: 1} == 1', 'there are no messages to build here'],
  ["Tx{to: '0x'} == eth.tx", 'there are no messages to build here'],
  ['eth.tx.value > 1 eth', 'did you mean `ether`?'],
  ['eth.tx.value > 1.5 usd', 'did you mean `usdc`?'],
  ['eth.tx.value > 1.0000001 usdc', '`usdc` has fewer decimals'],
  ['eth.tx.value > 1.5', 'no `>` between uint and double'],
  ['eth.tx.value > 1.5 wei', '`wei` has fewer decimals'],
  ['eth.tx.value == 200000000000000000000000000000000000000000000000000000000000000 ether', 'out of range'],
  ['eth.tx.transfers.any(t, t.amount > 1 usdc)', 'did you mean `exists`?'],
  ["eth.tx.data.CaseInsensitiveString() == 'x'", 'did you mean `lowerAscii`?'],
])('CEL: %s', (source, expected) => {
  expect(told(source, 'cel').text).toContain(expected);
});

test.each([['approvers.count() >= 2', 'did you mean `size`?']])('CEL, who agreed: %s', (source, expected) => {
  expect(told(source, 'cel', consensusSchema).text).toContain(expected);
});

test.each([
  ['eth.tx.value <= 1.5 ether', 'eth.tx.value <= 1500000000000000000'],
  ['eth.tx.max_fee_per_gas <= 30 gwei', 'eth.tx.max_fee_per_gas <= 30000000000'],
  ['eth.tx.transfers.all(t, t.amount <= 12 usdc)', 'eth.tx.transfers.all(t, t.amount <= 12000000)'],
  ["spent('eip155:1', '24h') <= 0.25 ether", "spent('eip155:1', '24h') <= 250000000000000000"],
])('%s is a number', (source, same) => {
  const tree = (text: string) => checkText(text, { schema: conditionSchema, expected: { kind: 'bool' } });
  expect(tree(source).language).toBe('cel');
  expect(tree(same)).toBeDefined();
});
