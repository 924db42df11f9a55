import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DecisionRequest, decide, decideByScan } from '../../../src/policy/decide-policies.ts';
import { compilePolicy, createPolicySet, type PolicySource } from '../../../src/policy/policy-set.ts';
import type { Value } from '../../../src/policy/types.ts';

const struct = (fields: { [name: string]: Value | undefined }) => Object.assign(Object.create(null), fields);

const texts = ['a', 'b', 'c'];
const comparison = fc.oneof(
  fc.constantFrom('activity.kind', 'wallet.id', 'eth.tx.to', 'private_key.id').chain((field) =>
    fc.oneof(
      fc.constantFrom(...texts).map((text) => `${field} == '${text}'`),
      fc
        .subarray(texts, { minLength: 1 })
        .map((found) => `${field} in [${found.map((text) => `'${text}'`).join(', ')}]`),
      fc.constantFrom(...texts).map((text) => `'${text}' != ${field}`),
    ),
  ),
  fc.constantFrom(1, 2, 3).map((value) => `eth.tx.value == ${value}`),
  fc.constantFrom(
    "eth.tx.data[0..2] == '0x'",
    'eth.tx.value > 1',
    "eth.tx.contract_call_args['x'] == 1",
    'wallet.imported',
    'wallet.imported == true',
    "activity.params.user_id == 'a'",
    'true',
  ),
);
const condition = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    comparison,
    fc
      .tuple(tie('node'), fc.constantFrom('&&', '||'), tie('node'))
      .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    tie('node').map((node) => `!(${node})`),
  ),
})).node;

const policy: fc.Arbitrary<Omit<PolicySource, 'id'>> = fc.record(
  {
    effect: fc.constantFrom('EFFECT_ALLOW', 'EFFECT_DENY', 'EFFECT_GUARD'),
    condition,
    consensus: fc.constantFrom(
      "approvers.any(u, u.id == 'alice')",
      'approvers.count() >= 2',
      "approvers[1].id == 'bob'",
    ),
    language: fc.constantFrom('cel', 'turnkey'),
  },
  { requiredKeys: ['effect'] },
);

const text = fc.constantFrom(...texts);
const facts = fc.record({
  activity: fc.record({ kind: text }).map(({ kind }) => struct({ kind, params: struct({ user_id: undefined }) })),
  wallet: fc.option(fc.record({ id: text, imported: fc.boolean() }).map(struct), { nil: undefined }),
  private_key: fc.option(fc.record({ id: text }).map(struct), { nil: undefined }),
  eth: fc
    .option(
      fc.record({
        to: text,
        value: fc.bigInt(0n, 3n),
        data: fc.constantFrom('', '0x00'),
        contract_call_args: fc.constantFrom(new Map(), new Map([['x', 1n]])),
      }),
      { nil: undefined },
    )
    .map((tx) => struct({ tx: tx && struct(tx) })),
});

/** CEL has none of Turnkey's slices, and some of its literals must be addresses. */
function compiled(sources: readonly Omit<PolicySource, 'id'>[]) {
  return sources.flatMap((source, index) => {
    try {
      return [compilePolicy({ ...source, id: String(index) })];
    } catch {
      return [];
    }
  });
}

const user = (id: string) => struct({ id, tags: [], email: '', alias: '' });

test('the index decides as going through all policies does', () => {
  let decided = { compiled: 0, allowed: 0, denied: 0 };
  fc.assert(
    fc.property(
      fc.array(policy, { maxLength: 8 }),
      facts,
      fc.integer({ min: 0, max: 2 }),
      (sources, given, threshold) => {
        const set = createPolicySet(compiled(sources));
        const request: DecisionRequest = {
          kind: 'SIGN_TRANSACTION',
          facts: { ...given, approvers: [user('alice')], credentials: [] },
          initiatorId: 'alice',
          rootQuorum: { threshold, userIds: ['alice', 'bob'] },
          others: () => [{ user: user('bob'), credentials: [] }],
        };
        const { outcome, pending, decidedBy } = decide(set, request);
        const scanned = decideByScan(set, request);
        expect({ outcome, pending, kind: typeof decidedBy }).toEqual({
          outcome: scanned.outcome,
          pending: scanned.pending,
          kind: typeof scanned.decidedBy,
        });
        decided = {
          compiled: decided.compiled + set.policies.length,
          allowed: decided.allowed + Number(outcome === 'OUTCOME_ALLOW'),
          denied: decided.denied + Number(outcome !== 'OUTCOME_ALLOW'),
        };
      },
    ),
    { numRuns: 3000 },
  );
  for (const count of Object.values(decided)) expect(count).toBeGreaterThan(300);
});

test('the index leaves out most of a thousand policies', () => {
  const sources = Array.from({ length: 1000 }, (_, index) => ({
    id: String(index),
    effect: 'EFFECT_ALLOW' as const,
    condition: `activity.kind == 'a' && eth.tx.to == '${index}' && eth.tx.value <= 5`,
  }));
  const set = createPolicySet(sources.map(compilePolicy));
  const { fields, rest } = set.index.EFFECT_ALLOW;
  expect(rest).toHaveLength(0);
  expect(fields.map(({ path }) => path.join('.'))).toEqual(['eth.tx.to']);
  expect(fields[0]?.byValue.get('7')).toHaveLength(1);
});
