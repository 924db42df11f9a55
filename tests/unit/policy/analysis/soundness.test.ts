import fc from 'fast-check';
import { expect, test } from 'vitest';
import { can, compileQuestion, type QuestionText } from '../../../../src/policy/analysis/can.ts';
import { compilePolicy } from '../../../../src/policy/policy-set.ts';
import type { Value } from '../../../../src/policy/types.ts';

/** Of a wide choice of functions: where requests are found at random for which an expression is true, "no" would be wrong. */

type Fields = { readonly [name: string]: Value | undefined };
const struct = (fields: Fields) => Object.assign(Object.create(null), fields) as Fields;

const texts = fc.constantFrom(
  '',
  '0x',
  '0xa9059cbb',
  '0xa9059cbb00',
  '0x095ea7b3ff',
  'SIGN',
  'main',
  'Main',
  'main net',
);
const digit = fc.integer({ min: -2, max: 12 });
const quoted = texts.map((text) => `'${text}'`);
const operator = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');

const textFact = fc.constantFrom(
  'eth.tx.data',
  'wallet.label',
  'wallet_account.name',
  'activity.kind',
  'activity.type',
);
const numberFact = fc.constantFrom(
  'size(eth.tx.data)',
  'size(wallet.tags)',
  'size(approvers)',
  'size(eth.tx.calls)',
  'payload.length',
  'now.getHours()',
  'now.getMinutes()',
  'now.getDayOfWeek()',
  `now.getHours('Europe/Berlin')`,
  'int(wallet.label == "main" ? 3 : 5)',
);
const expression: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(textFact, fc.constantFrom('==', '!='), quoted).map((parts) => parts.join(' ')),
    fc
      .tuple(textFact, fc.constantFrom('startsWith', 'endsWith', 'contains'), quoted)
      .map(([a, f, b]) => `${a}.${f}(${b})`),
    fc
      .tuple(textFact, fc.nat(4), fc.nat(12), quoted)
      .map(([a, from, to, b]) => `${a}.substring(${from}, ${to}) == ${b}`),
    fc.tuple(numberFact, operator, digit).map((parts) => parts.join(' ')),
    fc
      .tuple(numberFact, fc.constantFrom('+', '-', '*', '/', '%'), digit, operator, digit)
      .map(([a, op, n, than, m]) => `${a} ${op} (${n}) ${than} ${m}`),
    fc.constantFrom(
      'has(eth.tx)',
      'has(eth.eip_712)',
      'has(activity.params.user_id)',
      'has(request.origin) && request.origin == "https://a.example"',
      `request.origin.matches('^https://')`.replace('request.origin', 'wallet.label'),
      `'t' in wallet.tags`,
      `wallet.tags.exists(t, t.startsWith('s'))`,
      `wallet.tags == ['t']`,
      `eth.tx.to == '0x${'aB'.repeat(20).toLowerCase()}'`,
      `wallet_account.address == eth.tx.from`,
      `string(eth.tx.to) in [wallet_account.address, wallet.label]`,
      'eth.tx.value > 1 ether && eth.tx.value < 2 ether',
      'eth.tx.value - eth.tx.gas > 5',
      'eth.tx.calls.all(c, c.value < eth.tx.value)',
      'eth.tx.calls.map(c, c.to).exists(to, to == eth.tx.to)',
      `eth.tx.contract_call_args['amount'] >= 5`,
      `eth.tx.contract_call_args['path'][1] == 'b'`,
      `'b' in eth.tx.contract_call_args['path']`,
      `eth.tx.contract_call_args['order']['amount'] == 5`,
      `eth.tx.contract_call_args['to'] == eth.tx.to`,
      `credentials.all(c, c.user_verified)`,
      `credentials.exists(c, c.user_id == 'alice' && c.age > duration('1h'))`,
      `approvers.exists(u, u.created_at < now - duration('24h'))`,
      `now > timestamp('2026-06-01T00:00:00Z') && now.getDayOfMonth() == 3`,
      `spent('eip155:1', '24h') + spending('eip155:1') <= 100`,
      `spent('eip155:1', '24h') > spent('eip155:1', '7d')`,
      `activities('SIGN_TRANSACTION', '1h') < 3`,
      `secret.static_properties['env'] == 'prod'`,
      `bytes(wallet.label) == b'main'`,
    ),
    fc.tuple(tie('node'), fc.constantFrom('&&', '||'), tie('node')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('node').map((node) => `!(${node})`),
    fc.tuple(tie('node'), tie('node'), tie('node')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
})).node;

const kind = fc.constantFrom('SIGN_TRANSACTION', 'SIGN_RAW_PAYLOAD', 'CREATE_WALLET');
const address = fc.constantFrom('', `0x${'ab'.repeat(20)}`, `0x${'cd'.repeat(20)}`);
const amount = fc.oneof(fc.bigInt(0n, 12n), fc.constant(1_500_000_000_000_000_000n));
const argument = fc.constantFrom<Value>(
  5n,
  4n,
  'b',
  true,
  ['a', 'b'],
  new Map([['amount', 5n]]),
  `0x${'AB'.repeat(20)}`,
);
const person = fc.constantFrom('alice', 'bob', 'carol');
const start = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;
const now = fc.bigInt(0n, 400n * 24n * 60n).map((minutes) => start + minutes * 60_000_000_000n);

const transaction = fc
  .record({
    to: address,
    from: fc.constant(`0x${'ab'.repeat(20)}`),
    data: fc.constantFrom('0x', '0xa9059cbb', '0xa9059cbb00', '0x095ea7b3ff'),
    value: amount,
    gas: amount,
    calls: fc.array(fc.record({ to: address, value: amount }).map(struct), { maxLength: 3 }),
    contract_call_args: fc
      .dictionary(fc.constantFrom('amount', 'path', 'order', 'to'), argument)
      .map((args) => new Map(Object.entries(args))),
  })
  .map(struct);

/** As the enclave has them: what belongs together is there together. */
const facts = fc
  .record({
    kind,
    version: fc.constantFrom('', '_V2'),
    tx: transaction,
    label: texts,
    account: fc.constantFrom(`0x${'ab'.repeat(20)}`, `0x${'aB'.repeat(20)}`),
    tags: fc.uniqueArray(fc.constantFrom('t', 's', 'st'), { maxLength: 3 }),
    now,
    approvers: fc.uniqueArray(fc.tuple(person, fc.bigInt(0n, 100n)), {
      minLength: 1,
      maxLength: 3,
      selector: ([id]) => id,
    }),
    verified: fc.boolean(),
    sums: fc.tuple(fc.bigInt(0n, 90n), fc.bigInt(0n, 90n)),
    length: fc.nat(12),
  })
  .map(({ kind: name, version, tx, label, account, tags, now: at, approvers, verified, sums: [day, more], length }) => {
    const signs = name !== 'CREATE_WALLET';
    const [resource, action] = signs ? ['PRIVATE_KEY', 'SIGN'] : ['WALLET', 'CREATE'];
    return {
      activity: struct({ kind: name, type: `ACTIVITY_TYPE_${name}${version}`, resource, action, params: struct({}) }),
      eth: struct({ tx: name === 'SIGN_TRANSACTION' ? tx : undefined, eip_712: undefined }),
      payload: name === 'SIGN_RAW_PAYLOAD' ? struct({ length: BigInt(length) }) : undefined,
      wallet: signs ? struct({ id: 'w', label, tags }) : undefined,
      wallet_account: signs ? struct({ address: account, name: label, wallet_id: 'w' }) : undefined,
      organization: struct({ id: 'o', name: 'o', parent_id: '' }),
      request: struct({ origin: verified ? 'https://a.example' : undefined }),
      now: at,
      time: struct({ now: at }),
      history: new Map([
        ["spent('eip155:1', '24h')", day],
        ["spent('eip155:1', '168h')", day + more],
        ["spending('eip155:1')", more],
        ["activities('SIGN_TRANSACTION', '1h')", day],
      ]),
      approvers: approvers.map(([id, hours]) =>
        struct({ id, tags, email: '', alias: id, created_at: at - hours * 3_600_000_000_000n }),
      ),
      credentials: approvers.map(([id, hours]) =>
        struct({ id: `key of ${id}`, user_id: id, user_verified: verified, age: hours * 3_600_000_000_000n }),
      ),
    };
  });

const isTrue = ({ program }: QuestionText, given: { readonly [root: string]: Value | undefined }): boolean => {
  try {
    return program(given) === true;
  } catch {
    return false;
  }
};

const anything = [compilePolicy({ id: 'all', effect: 'EFFECT_ALLOW' })];
const nothing = compileQuestion('false');

test('what is true of some request at random is not said to be impossible', { timeout: 300_000 }, async () => {
  const answers = { yes: 0, no: 0, unknown: 0 };
  const some = fc.sample(facts, { numRuns: 1500 });
  const property = fc.asyncProperty(expression, async (source) => {
    const question = compileQuestion(source);
    const { policies } = await can(anything, question, nothing, 2000);
    answers[policies.answer]++;
    if (policies.answer === 'no') expect(some.find((given) => isTrue(question, given))).toBeUndefined();
    if (policies.answer === 'unknown') {
      expect(policies.because.length).toBeGreaterThan(0);
      expect(policies.because.map(({ text }) => text)).not.toContain('witness');
    }
  });
  await fc.assert(property, { numRuns: 30 });
  expect(answers.yes).toBeGreaterThan(8);
});

const many = fc.constantFrom(
  'size(eth.tx.calls) == 5',
  'size(eth.tx.calls) >= 2',
  'size(eth.tx.calls) < size(eth.tx.transfers)',
  'eth.tx.calls.exists(c, c.value == 1)',
  'eth.tx.calls.exists(c, c.value == 2 && c.to == eth.tx.to)',
  'eth.tx.calls.all(c, c.value <= 3)',
  'eth.tx.calls.exists_one(c, c.value == 3)',
  'eth.tx.calls.filter(c, c.value > 1).size() == 4',
  'eth.tx.calls.filter(c, c.value > 0).exists(d, d.depth == 1)',
  'eth.tx.calls.map(c, c.value).exists(v, v == 0)',
  'eth.tx.calls.map(c, c.args).exists(a, "x" in a)',
  'eth.tx.calls[3].value == 2',
  'eth.tx.calls.all(c, eth.tx.calls.exists(d, d.value > c.value))',
  'eth.tx.calls.exists(c, c.depth == 1 && eth.tx.calls.all(d, d.value <= c.value))',
  'eth.tx.calls.map(c, eth.tx.calls.filter(d, d.value < c.value)).exists(l, size(l) == 4)',
  'eth.tx.transfers.exists(t, t.amount == 2)',
  'size(eth.tx.transfers) > 0',
  `eth.tx.contract_call_args['list'].exists(x, x == 2)`,
  `eth.tx.contract_call_args['list'][4] == 1`,
  `size(eth.tx.contract_call_args['list']) == 5`,
);
const aboutMany: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.constantFrom('', '!'), many), { minLength: 2, maxLength: 6 })
  .map((parts) => parts.map(([negation, part]) => `${negation}(${part})`).join(' && '))
  .filter(isAffordable);

/** Loops in loops take more steps than a policy may, if there are many. */
function isAffordable(source: string): boolean {
  try {
    compileQuestion(source);
    return true;
  } catch {
    return false;
  }
}

const depth = fc.bigInt(0n, 1n);
const small = fc.bigInt(0n, 3n);
const longLists = fc
  .record({
    to: address,
    calls: fc.array(
      fc.record({ to: address, value: small, depth, args: fc.constant(new Map([['x', 1n]])) }).map(struct),
      { maxLength: 7 },
    ),
    transfers: fc.array(fc.record({ amount: small, depth }).map(struct), { maxLength: 7 }),
    contract_call_args: fc.array(small, { maxLength: 6 }).map((list) => new Map([['list', list]])),
  })
  .map((tx) => ({ activity: struct({ kind: 'SIGN_TRANSACTION' }), eth: struct({ tx: struct(tx) }) }));

const asks = async (source: string) => (await can(anything, compileQuestion(source), nothing, 2000)).policies.answer;

test('lists that are longer than what is looked at are no reason for a "no"', { timeout: 300_000 }, async () => {
  const answers = { yes: 0, no: 0, unknown: 0 };
  const some = fc.sample(longLists, { numRuns: 3000 });
  const property = fc.asyncProperty(aboutMany, async (source) => {
    const answer = await asks(source);
    answers[answer]++;
    const question = compileQuestion(source);
    if (answer === 'no') expect(some.find((given) => isTrue(question, given))).toBeUndefined();
  });
  await fc.assert(property, { numRuns: 10, seed: 2 });
  expect(answers.yes).toBeGreaterThan(2);
  await fc.assert(property, { numRuns: 10 });
});

test.each([
  'size(eth.tx.calls) == 9 && eth.tx.calls.filter(c, c.value > 1).size() > 9',
  'size(eth.tx.calls) == 5 && !eth.tx.calls.exists(c, c.value <= 3) && eth.tx.calls.all(c, c.value < 3)',
  'eth.tx.calls.filter(c, c.value > 1).size() == 4 && eth.tx.calls.all(c, c.value == 1)',
  'eth.tx.calls.exists(c, c.value == 2 && c.to == eth.tx.to) && !eth.tx.calls.exists(c, c.value == 2)',
  `eth.tx.contract_call_args['list'][0] == 1 && eth.tx.contract_call_args['list'].exists(x, x == 2) && eth.tx.contract_call_args['list'].all(x, x == 1)`,
  `approvers.exists(u, u.id == 'a' && 't' in u.tags) && !approvers.exists(u, u.tags.exists(t, t.startsWith('t')))`,
])('"no" for lists of every length: %s', async (source) => {
  expect(await asks(source)).toBe('no');
});

test('where it takes more elements than are looked at, nothing is said', async () => {
  expect(await asks('size(eth.tx.calls) == 200')).toBe('unknown');
  expect(await asks('size(eth.tx.calls) > 0 && eth.tx.calls.all(c, eth.tx.calls.exists(d, d.value > c.value))')).toBe(
    'unknown',
  );
  expect(
    await asks(
      'eth.tx.calls.map(c, eth.tx.calls.filter(d, d.value < c.value)).exists(l, size(l) > 0 && size(eth.tx.calls) == 30)',
    ),
  ).toBe('unknown');
});
