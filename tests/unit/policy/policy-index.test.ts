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

const operands = [
  "activity.kind == 'a'",
  "wallet.label != 'hot'",
  "eth.tx.type == 'TYPE_2'",
  'wallet.imported',
  'eth.tx.value > 0',
  'eth.tx.value <= 1',
  'eth.tx.value <= 2',
  'eth.tx.value != 3',
  'eth.tx.nonce < 1',
  'eth.tx.nonce >= 1',
  "(eth.tx.value == 1 || wallet.label == 'x')",
  "eth.tx.contract_call_args['x'] == 1",
  "eth.tx.contract_call_args['y'] != 'a'",
  "activity.params.user_id == 'a'",
  "private_key.id == 'k'",
  "approvers.any(u, u.id == 'alice')",
];
const celOperands = [
  ...operands.slice(0, -1),
  'has(private_key.id)',
  'has(activity.params.user_id) && activity.params.user_id == "a"',
  'eth.tx.data.startsWith("0x00")',
  'eth.tx.data.matches("^0x(00)?$")',
  'eth.tx.value / (eth.tx.nonce - eth.tx.nonce + 1) == 1',
  'eth.tx.value / eth.tx.nonce == 1',
  'eth.tx.calls.exists(c, c.value > eth.tx.value)',
];

/** Sets in which many have parts in common. */
const similarPolicies = fc
  .tuple(
    fc.shuffledSubarray(operands.slice(0, -1), { minLength: 3, maxLength: 3 }),
    fc.shuffledSubarray(celOperands, { minLength: 3, maxLength: 3 }),
  )
  .chain(([turnkey, cel]) => fc.array(similarPolicy({ turnkey, cel }), { minLength: 36, maxLength: 60 }));

const similarPolicy = (common: { readonly turnkey: readonly string[]; readonly cel: readonly string[] }) =>
  fc.constantFrom('cel' as const, 'turnkey' as const).chain((language) => {
    const shared = fc.subarray([...common[language]], { minLength: 2 });
    const own = fc
      .tuple(
        fc.constantFrom('eth.tx.value', 'eth.tx.nonce'),
        fc.constantFrom('<', '<=', '!=', '==', '>', '>='),
        fc.nat(30),
      )
      .map(([field, operator, limit]) => `${field} ${operator} ${limit}`);
    const conjunction = fc
      .tuple(shared, fc.array(own, { maxLength: 2 }))
      .map(([found, others]) => [...found, ...others].join(' && '));
    const quantifier = language === 'cel' ? 'exists' : 'any';
    return fc.record(
      {
        effect: fc.constantFrom('EFFECT_ALLOW', 'EFFECT_DENY', 'EFFECT_GUARD'),
        condition: conjunction,
        language: fc.constant(language),
        consensus: fc.constantFrom(
          ...['alice', 'bob', 'carol'].map((id) => `approvers.${quantifier}(u, u.id == '${id}')`),
          ...['alice', 'bob'].map((id) => `approvers.all(u, u.id == '${id}')`),
          "approvers[1].id == 'bob'",
        ),
        time: fc.constantFrom('time.now >= Timestamp("2026-01-01T00:00:00Z")', 'time.now > time.now'),
      },
      { requiredKeys: ['effect', 'condition', 'language'] },
    );
  });
const call = fc.record({ value: fc.bigInt(0n, 3n) }).map(struct);
const fullFacts = fc.record({
  activity: fc
    .record({ kind: text, user_id: fc.constantFrom(undefined, 'a', 'b') })
    .map(({ kind, user_id }) => struct({ kind, params: struct({ user_id }) })),
  wallet: fc.option(fc.record({ label: fc.constantFrom('hot', 'x'), imported: fc.boolean() }).map(struct), {
    nil: undefined,
  }),
  private_key: fc.option(fc.record({ id: fc.constantFrom('k', 'l') }).map(struct), { nil: undefined }),
  eth: fc
    .option(
      fc.record({
        type: fc.constantFrom('LEGACY', 'TYPE_2'),
        value: fc.bigInt(0n, 3n),
        nonce: fc.bigInt(0n, 2n),
        data: fc.constantFrom('0x', '0x00'),
        calls: fc.array(call, { maxLength: 2 }),
        contract_call_args: fc.constantFrom<Value>(
          new Map(),
          new Map([['x', 1n]]),
          new Map<string, Value>([
            ['x', 'text'],
            ['y', 'b'],
          ]),
        ),
      }),
      { nil: undefined, freq: 8 },
    )
    .map((tx) => struct({ tx: tx && struct(tx) })),
  time: fc.constantFrom(0n, 1_800_000_000_000_000_000n).map((now) => struct({ now })),
});

test('what policies have in common is evaluated once, and the same is decided', () => {
  const seen = { compiled: 0, screened: 0, allowed: 0, explicit: 0, pending: 0 };
  fc.assert(
    fc.property(similarPolicies, fc.array(fullFacts, { minLength: 6, maxLength: 10 }), (sources, all) => {
      const allowing = sources.map((source, index) =>
        index % 3 === 0 ? source : { ...source, effect: 'EFFECT_ALLOW' as const },
      );
      const denying = sources.map((source) => ({ ...source, effect: 'EFFECT_DENY' as const }));
      for (const given of [sources, allowing, denying, sources.filter(({ effect }) => effect === 'EFFECT_ALLOW')]) {
        const set = createPolicySet(compiled(given));
        seen.compiled += set.policies.length;
        const { EFFECT_ALLOW, EFFECT_DENY, EFFECT_GUARD } = set.index;
        for (const { places, rest } of [EFFECT_ALLOW, EFFECT_DENY, EFFECT_GUARD]) {
          const groups = [...rest, ...places.flatMap(({ byKey }) => [...byKey.values()].flatMap((bucket) => bucket()))];
          seen.screened += groups.filter(({ screen }) => screen !== null).length;
        }
        for (const facts of all) {
          const request: DecisionRequest = {
            kind: 'SIGN_TRANSACTION',
            facts: { ...facts, approvers: [user('alice')], credentials: [] },
            initiatorId: 'alice',
            rootQuorum: { threshold: 2, userIds: ['root'] },
            others: () => [{ user: user('bob'), credentials: [] }],
          };
          const { outcome, pending } = decide(set, request);
          const scanned = decideByScan(set, request);
          expect({ outcome, pending }).toEqual({ outcome: scanned.outcome, pending: scanned.pending });
          seen.allowed += Number(outcome === 'OUTCOME_ALLOW');
          seen.explicit += Number(outcome === 'OUTCOME_DENY_EXPLICIT');
          seen.pending += Number(pending);
        }
      }
    }),
    { numRuns: 120 },
  );
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(30);
});

test('nothing is kept from one decision for the next', () => {
  const sources = ['0', '1', '2', '3', '4'].map((id) => ({
    id,
    effect: 'EFFECT_ALLOW' as const,
    condition: `eth.tx.type == 'TYPE_2' && eth.tx.value > ${id}0`,
  }));
  const set = createPolicySet(sources.map(compilePolicy));
  const tx: { type: string; value: bigint } = struct({ type: 'TYPE_2', value: 5n });
  const request = {
    kind: 'SIGN_TRANSACTION',
    facts: { eth: struct({ tx }), approvers: [], credentials: [] },
    initiatorId: 'alice',
    rootQuorum: { threshold: 1, userIds: [] },
  };
  const outcomes = [15n, 0n, 25n].map((value) => {
    tx.value = value;
    return decide(set, request).outcome;
  });
  expect(outcomes).toEqual(['OUTCOME_ALLOW', 'OUTCOME_DENY_IMPLICIT', 'OUTCOME_ALLOW']);
});

test.each(['EFFECT_DENY', 'EFFECT_GUARD'] as const)('a field that should be there and is not: %s denies', (effect) => {
  const sources = ['1', '2', '3', '4', '5'].flatMap((id) => [
    { id: `to ${id}`, effect, condition: `eth.tx.to == '0x${id.repeat(40)}'` },
    { id: `value ${id}`, effect, condition: `eth.tx.value > ${id}` },
  ]);
  const outcomeOf = (found: typeof sources, tx: { [name: string]: Value }) =>
    decide(createPolicySet(found.map(compilePolicy)), {
      kind: 'SIGN_TRANSACTION',
      facts: { eth: struct({ tx: struct(tx) }), approvers: [], credentials: [] },
      initiatorId: 'alice',
      rootQuorum: { threshold: 1, userIds: [] },
    }).outcome;
  const address = `0x${'9'.repeat(40)}`;
  expect(outcomeOf(sources, { to: address, value: 0n })).toBe('OUTCOME_DENY_IMPLICIT');
  for (const [field, tx] of Object.entries({ to: { value: 0n }, value: { to: address } })) {
    const found = sources.filter(({ id }) => id.startsWith(field));
    expect(outcomeOf(found, tx)).toBe('OUTCOME_DENY_EXPLICIT');
    expect(outcomeOf(found.slice(0, 1), tx)).toBe('OUTCOME_DENY_EXPLICIT');
    const allowing = found.map((source) => ({ ...source, effect: 'EFFECT_ALLOW' as never }));
    expect(outcomeOf(allowing, tx)).toBe('OUTCOME_DENY_IMPLICIT');
  }
});

test('the index leaves out most of a thousand policies', () => {
  const sources = Array.from({ length: 1000 }, (_, index) => ({
    id: String(index),
    effect: 'EFFECT_ALLOW' as const,
    condition: `activity.kind == 'a' && eth.tx.to == '${index}' && eth.tx.value <= 5`,
  }));
  const set = createPolicySet(sources.map(compilePolicy));
  const { places, rest } = set.index.EFFECT_ALLOW;
  expect(rest).toHaveLength(0);
  expect(places.map(({ place }) => place.name)).toEqual(['eth.tx.to']);
  expect(
    places[0]?.byKey
      .get('7')?.()
      .flatMap((group) => group.policies),
  ).toHaveLength(1);
});

test.each([
  ['condition', "eth.tx.contract_call_args['to'] == '$'", 'eth.tx.contract_call_args["to"]'],
  ['condition', "eth.tx.call.args['to'] in ['$', 'other']", 'eth.tx.call.args["to"]'],
  ['condition', 'eth.tx.calls.exists(c, c.value > 5 && c.selector == "$")', 'eth.tx.calls[].selector'],
  ['condition', 'eth.tx.calls.exists(c, c.args.amount == $u || c.value > 0)', undefined],
  ['condition', 'eth.tx.calls.all(c, c.selector == "$")', undefined],
  ['consensus', "approvers.any(user, user.id == '$')", 'approvers[].id'],
  ['consensus', "approvers.filter(user, user.tags.contains('$')).count() >= 2", 'approvers[].tags[]'],
  ['consensus', "approvers.filter(user, user.tags.contains('$')).count() > 0", 'approvers[].tags[]'],
  ['consensus', "approvers.filter(user, user.tags.contains('$')).count() >= 0", undefined],
  ['consensus', "approvers.filter(user, user.tags.contains('$')).count() < 2", undefined],
  ['consensus', "credentials.filter(c, c.type == 'x').any(c, c.id == '$')", 'credentials[].id'],
])('%s: %s is found by %s', (clause, source, name) => {
  const sources = [0, 1, 2, 3, 4].map((index) => ({
    id: String(index),
    effect: 'EFFECT_ALLOW' as const,
    condition: "activity.kind == 'a'",
    [clause]: source.replace('$', String(index)),
  }));
  const { places } = createPolicySet(sources.map(compilePolicy)).index.EFFECT_ALLOW;
  const own = places.map(({ place }) => place.name).filter((found) => found !== 'activity.kind');
  expect(own).toEqual(name === undefined ? [] : [name]);
});

const address = `0x${'aB'.repeat(20)}`;
const argumentTexts = ['a', 'A', address, address.toLowerCase(), '0x01'];
const decoded = fc.constantFrom<Value>(...argumentTexts, 1n, 2, 1.5, true, new Uint8Array([1]), ['a'], null);
const literals = [...argumentTexts.map((literal) => `"${literal}"`), '1', '2', 'true', '1.5', "b'\\001'"];
const literal = fc.constantFrom(...literals);
const ids = ['alice', 'bob', 'carol'];
const predicate = (variable: string, field: string) =>
  fc
    .tuple(fc.constantFrom('==', '!='), literal)
    .map(([operator, value]) => `${variable}.${field} ${operator} ${value}`);
const placed = fc.oneof(
  fc
    .tuple(fc.constantFrom('==', '!='), literal)
    .map(([operator, value]) => `eth.tx.call.args["x"] ${operator} ${value}`),
  literal.map((value) => `${value} == eth.tx.call.args.x`),
  fc.subarray(argumentTexts, { minLength: 1 }).map((found) => `eth.tx.call.args["x"] in ${JSON.stringify(found)}`),
  fc
    .tuple(
      fc.constantFrom('exists', 'all', 'exists_one'),
      predicate('c', 'args["x"]'),
      fc.constantFrom('', ' && c.value > 1'),
    )
    .map(([macro, inner, more]) => `eth.tx.calls.${macro}(c, ${inner}${more})`),
  fc
    .tuple(predicate('c', 'args.x'), fc.constantFrom('> 0', '>= 1', '== 1', '>= 0', '< 1'))
    .map(([inner, count]) => `eth.tx.calls.filter(c, ${inner}).size() ${count}`),
);
const agreed = fc
  .tuple(fc.constantFrom(...ids), fc.constantFrom(...ids))
  .chain(([one, two]) =>
    fc.constantFrom(
      `approvers.exists(u, u.id == '${one}')`,
      `approvers.exists(u, u.id in ['${one}', '${two}'])`,
      `approvers.exists(u, u.id == '${one}') && approvers.exists(u, u.id == '${two}')`,
      `approvers.all(u, u.id == '${one}')`,
      `approvers.exists(u, u.email == '')`,
      `approvers.filter(u, 'tag ${one}' in u.tags).size() >= 2`,
      `approvers.filter(u, 'tag ${one}' in u.tags || u.id == '${two}').exists(u, u.id != '${one}')`,
    ),
  );
const placedPolicy = fc.record(
  {
    effect: fc.constantFrom('EFFECT_ALLOW', 'EFFECT_ALLOW', 'EFFECT_DENY', 'EFFECT_GUARD'),
    condition: fc.array(placed, { minLength: 1, maxLength: 2 }).map((found) => found.join(' && ')),
    consensus: agreed,
    language: fc.constant('cel' as const),
  },
  { requiredKeys: ['effect', 'language'] },
);
const argsOf = fc
  .option(decoded, { nil: undefined })
  .map((x) => struct({ args: new Map(x === undefined ? [] : [['x', x]]), value: 2n }));

test('by what is in arguments, calls and approvals the same is decided', () => {
  const seen = { allowed: 0, denied: 0, pending: 0 };
  const member = (id: string) =>
    struct({
      id,
      tags: ids.filter((other) => other !== id).map((other) => `tag ${other}`),
      email: undefined,
      alias: '',
    });
  fc.assert(
    fc.property(
      fc.array(placedPolicy, { minLength: 1, maxLength: 8 }),
      argsOf,
      fc.array(argsOf, { maxLength: 3 }),
      fc.shuffledSubarray(ids),
      fc.boolean(),
      (sources, call, calls, approving, hasTransaction) => {
        const set = createPolicySet(compiled(sources));
        const request: DecisionRequest = {
          kind: 'SIGN_TRANSACTION',
          facts: {
            eth: struct({ tx: hasTransaction ? struct({ call, calls, value: 1n }) : undefined }),
            approvers: approving.map(member),
            credentials: [],
          },
          initiatorId: 'alice',
          rootQuorum: { threshold: 1, userIds: [] },
          others: () =>
            ids.filter((id) => !approving.includes(id)).map((id) => ({ user: member(id), credentials: [] })),
        };
        const [found, all] = [decide(set, request), decideByScan(set, request)];
        expect([found.outcome, found.pending]).toEqual([all.outcome, all.pending]);
        seen.allowed += Number(found.outcome === 'OUTCOME_ALLOW');
        seen.denied += Number(found.outcome === 'OUTCOME_DENY_EXPLICIT');
        seen.pending += Number(found.pending);
      },
    ),
    { numRuns: 1500 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(80);
});
