/** Requests so few that all can be decided, and random policies about them. */
import fc from 'fast-check';
import { type DecisionRequest, decideByScan } from '../../../../src/policy/decide-policies.ts';
import { compilePolicy, createPolicySet, type Policy, type PolicySource } from '../../../../src/policy/policy-set.ts';
import type { Value } from '../../../../src/policy/types.ts';

type Fields = { readonly [name: string]: Value | undefined };
const struct = (fields: Fields) => Object.assign(Object.create(null), fields) as Fields;

const addresses = ['a', 'b', 'c'].map((digit) => `0x${digit.repeat(40)}`);
const [first, second] = addresses;

/** Binds the root quorum too: nothing outside of the small world is allowed. */
const world: readonly PolicySource[] = [
  {
    id: 'world',
    effect: 'EFFECT_GUARD',
    condition: `!(activity.kind == 'SIGN_TRANSACTION' && (!has(eth.tx) || (eth.tx.value <= 2 && eth.tx.nonce <= 2 && eth.tx.to in ['${addresses.join("', '")}'])))`,
    language: 'cel',
  },
  {
    id: 'people',
    effect: 'EFFECT_GUARD',
    consensus: `!approvers.all(u, u.id in ['alice', 'bob'] && size(u.tags) <= 1 && u.tags.all(t, t == 'admins'))`,
    language: 'cel',
  },
];

const numbers = [0n, 1n, 2n];
/** As far as comparisons with 'w' tell. */
const wallets: readonly (Fields | undefined)[] = [undefined, struct({ id: 'w' }), struct({ id: 'v' })];
const people = ['alice', 'bob'].flatMap((id) => [[], ['admins']].map((tags) => struct({ id, tags })));
const teams = [
  ...people.map((one) => [one]),
  ...people.flatMap((one) => people.filter(({ id }) => id !== one.id).map((other) => [one, other])),
];
/** What a decoded argument can be, as far as comparisons with 0, 1 and 'a' tell; undefined: it is not there. */
const argument: readonly (Value | undefined)[] = [undefined, 0n, 1n, 2n, 'a', 'b', true, [], new Map()];

const transactions: readonly (Fields | undefined)[] = [
  undefined,
  ...numbers.flatMap((value) =>
    numbers.flatMap((nonce) =>
      addresses.flatMap((to) =>
        argument.map((x) =>
          struct({ value, nonce, to, contract_call_args: new Map(x === undefined ? [] : [['x', x]]) }),
        ),
      ),
    ),
  ),
];

export const everyRequest: readonly DecisionRequest[] = transactions.flatMap((tx) =>
  wallets.flatMap((wallet) =>
    teams.flatMap((approvers) =>
      [false, true].map((isRoot) => ({
        kind: 'SIGN_TRANSACTION',
        facts: {
          activity: struct({ kind: 'SIGN_TRANSACTION', resource: 'PRIVATE_KEY', action: 'SIGN', params: struct({}) }),
          eth: struct({ tx }),
          wallet,
          approvers,
          credentials: [],
        },
        initiatorId: approvers[0]?.id as string,
        rootQuorum: { threshold: 1, userIds: isRoot ? [approvers[0]?.id as string] : [] },
      })),
    ),
  ),
);

const operator = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
const field = fc.constantFrom('eth.tx.value', 'eth.tx.nonce');
const digit = fc.integer({ min: 0, max: 2 });

const shared = fc.oneof(
  fc.tuple(field, operator, digit).map((parts) => parts.join(' ')),
  fc.tuple(field, operator, field).map((parts) => parts.join(' ')),
  fc.subarray(addresses, { minLength: 1 }).map((some) => `eth.tx.to in ['${some.join("', '")}']`),
  fc.constantFrom(`eth.tx.to == '${first}'`, `eth.tx.to != '${second?.replaceAll('b', 'B')}'`),
  fc.constantFrom(`activity.kind == 'SIGN_TRANSACTION'`, `activity.resource == 'PRIVATE_KEY'`, `wallet.id == 'w'`),
  fc.tuple(fc.constantFrom('==', '<=', '!='), digit).map(([op, n]) => `eth.tx.contract_call_args['x'] ${op} ${n % 2}`),
  fc.constant(`eth.tx.contract_call_args['x'] == 'a'`),
);
const onlyCel = fc.oneof(
  fc
    .tuple(field, fc.constantFrom('+', '-', '*', '/', '%'), field, operator, digit)
    .map(([a, op, b, compared, n]) => `${a} ${op} ${b} ${compared} ${n}`),
  fc.constantFrom('has(eth.tx)', 'eth.tx.value == 1 ? eth.tx.nonce > 1 : eth.tx.nonce < 2'),
  fc.constantFrom(`'x' in eth.tx.contract_call_args`, `[1, 2].exists(n, n == int(eth.tx.value))`),
);

const combined = (leaf: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.tuple(tie('node'), fc.constantFrom('&&', '||'), tie('node')).map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie('node').map((node) => `!(${node})`),
    ),
  })).node;

const condition = fc.oneof(
  fc.record({ language: fc.constant('turnkey' as const), condition: combined(shared) }),
  fc.record({ language: fc.constant('cel' as const), condition: combined(fc.oneof(shared, onlyCel)) }),
);

const approvalsInTurnkey = fc.constantFrom(
  'approvers.count() >= 2',
  `approvers.any(u, u.id == 'alice')`,
  `approvers.all(u, u.tags.contains('admins'))`,
  `approvers.filter(u, u.tags.contains('admins')).count() >= 1`,
  `approvers[1].id == 'bob'`,
);
const approvalsInCel = fc.constantFrom(
  'size(approvers) == 1',
  `approvers.exists_one(u, 'admins' in u.tags)`,
  `approvers.filter(u, u.id != 'alice').all(u, size(u.tags) > 0)`,
  `approvers[1].tags[0] == 'admins'`,
);
const ofTurnkey = combined(approvalsInTurnkey);
const ofCel = combined(approvalsInCel);

/** About requests and who approved them. */
export const randomExpression: fc.Arbitrary<string> = fc.oneof(
  combined(fc.oneof(shared, approvalsInTurnkey)),
  combined(fc.oneof(shared, onlyCel, approvalsInCel)),
);

const policy: fc.Arbitrary<PolicySource> = fc
  .tuple(
    fc.constantFrom('EFFECT_ALLOW', 'EFFECT_ALLOW', 'EFFECT_DENY', 'EFFECT_GUARD'),
    condition,
    fc.option(fc.tuple(ofTurnkey, ofCel), { nil: undefined }),
  )
  .map(([effect, given, consensus]) => ({
    id: '',
    effect: effect as PolicySource['effect'],
    ...given,
    ...(consensus && { consensus: consensus[given.language === 'cel' ? 1 : 0] }),
  }));

export const randomSources: fc.Arbitrary<readonly PolicySource[]> = fc
  .array(policy, { minLength: 1, maxLength: 4 })
  .map((policies) => policies.map((each, index) => ({ ...each, id: String(index) })));

/** Within the small world. */
export const inWorld = (sources: readonly PolicySource[]): readonly Policy[] =>
  [...world, ...sources].map(compilePolicy);

export function decider(policies: readonly Policy[]): (request: DecisionRequest) => boolean {
  const set = createPolicySet(policies);
  return (request) => decideByScan(set, request).outcome === 'OUTCOME_ALLOW';
}
