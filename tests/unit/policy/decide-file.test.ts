import { describe, expect, test } from 'vitest';
import { type CaseResult, decideFile } from '../../../src/policy/decide-file.ts';
import { FactError } from '../../../src/policy/read-facts.ts';
import type { JsonValue } from '../../../src/protocol/json.ts';

type Json = { [name: string]: JsonValue };
const allow = (clauses: Json = {}): Json => ({ effect: 'EFFECT_ALLOW', ...clauses });
const deny = (clauses: Json = {}): Json => ({ effect: 'EFFECT_DENY', ...clauses });
const guard = (clauses: Json = {}): Json => ({ effect: 'EFFECT_GUARD', ...clauses });

const signing = (tx: Json = {}): Json => ({
  activity: { type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2', params: { type: 'TRANSACTION_TYPE_ETHEREUM' } },
  eth: { tx: { to: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48', data: '0x', value: 5, chain_id: 1, ...tx } },
  wallet: { id: 'w' },
});

function decide(policies: Json[], facts: Json = signing(), more: Json = {}): CaseResult {
  const [result] = decideFile({ cases: [{ id: 'case', policies, facts, approvers: [{ id: 'alice' }], ...more }] });
  if (!result) throw new Error('no result');
  return result;
}

const outcome = (...given: Parameters<typeof decide>) => decide(...given).outcome;
const outcomes = (...given: Parameters<typeof decide>) =>
  decide(...given).policyOutcomes.map((found) => (found as Json).outcome);

const root = { rootQuorum: { threshold: 1, userIds: ['alice'] } };
const slice = "eth.tx.data[34..74] == '00'";

describe('order of decision', () => {
  test.each<[string, Json[], Json, CaseResult['outcome'], string | null]>([
    ['nothing', [], {}, 'implicit-deny', null],
    ['an allow of everything', [allow()], {}, 'allow', '0'],
    ['empty clauses are absent', [allow({ condition: '', consensus: '', time: '' })], {}, 'allow', '0'],
    ['deny beats allow', [allow(), deny()], {}, 'deny', '1'],
    ['whatever the order', [deny(), allow()], {}, 'deny', '0'],
    ['root beats deny', [deny()], root, 'allow', 'root-quorum'],
    ['guard beats root', [guard()], root, 'deny', '0'],
    ['a guard that does not apply', [guard({ condition: 'eth.tx.value > 5' })], root, 'allow', 'root-quorum'],
    ['allow of another', [allow({ consensus: "approvers.any(u, u.id == 'bob')" })], {}, 'implicit-deny', null],
    ['a deny of others', [allow(), deny({ consensus: "approvers.any(u, u.id == 'bob')" })], {}, 'allow', '0'],
  ])('%s', (_name, policies, more, expected, decidedBy) => {
    expect(decide(policies, signing(), more)).toMatchObject({ outcome: expected, decidedBy });
  });

  test('kinds of the root quorum cannot be allowed by policies', () => {
    const facts = { activity: { type: 'ACTIVITY_TYPE_UPDATE_ROOT_QUORUM' } };
    expect(outcome([allow()], facts)).toBe('implicit-deny');
    expect(outcome([allow()], facts, root)).toBe('allow');
  });

  test('users manage their own credentials unless a policy denies it', () => {
    const facts = (user: string): Json => ({
      activity: { type: 'ACTIVITY_TYPE_CREATE_API_KEYS_V2', params: { user_id: user } },
    });
    expect(decide([], facts('alice'))).toMatchObject({ outcome: 'allow', decidedBy: 'own-credentials' });
    expect(outcome([], facts('bob'))).toBe('implicit-deny');
    expect(outcome([deny({ condition: "activity.resource == 'CREDENTIAL'" })], facts('alice'))).toBe('deny');
  });

  test('an inactive time skips the policy, denies too', () => {
    const time = "CronSpan('0 9 * * 1-5', '8h', 'America/New_York')";
    const at = (now: string) => ({ ...signing(), time: { now } });
    expect(outcome([allow({ time })], at('2026-01-05T14:00:00Z'))).toBe('allow');
    expect(outcomes([allow({ time })], at('2026-01-05T22:00:00Z'))).toEqual(['OUTCOME_TIME_INACTIVE']);
    expect(outcome([allow(), deny({ time })], at('2026-01-05T22:00:00Z'))).toBe('allow');
  });
});

describe('errors', () => {
  test.each<[string, Json[], Json, CaseResult['outcome']]>([
    ['never allow', [allow({ condition: slice })], {}, 'error'],
    ['do not stop another allow', [allow({ condition: slice }), allow()], {}, 'allow'],
    ['make a deny deny', [allow(), deny({ condition: slice })], {}, 'deny'],
    ['make a guard deny, root or not', [guard({ condition: slice })], root, 'deny'],
    [
      'leave a deny of an absent namespace out',
      [allow(), deny({ condition: "solana.tx.transfers[0].to == 'x'" })],
      {},
      'allow',
    ],
    ['leave a guard of an absent namespace out', [guard({ condition: 'tempo.tx.gas_limit > 1' })], root, 'allow'],
    [
      'an absent namespace beside a true side',
      [allow({ condition: "wallet.id == 'w' || private_key.id == 'x'" })],
      {},
      'error',
    ],
    ['no short circuit', [allow({ condition: `wallet.id == 'w' || ${slice}` })], {}, 'error'],
    ['no short circuit in a deny', [allow(), deny({ condition: `wallet.id == 'x' && ${slice}` })], {}, 'deny'],
    ['CEL absorbs', [allow({ condition: `wallet.id == "w" || eth.tx.contract_call_args["x"] == 1` })], {}, 'allow'],
    ['parameters of other activities', [allow({ condition: "activity.params.hash_function == 'x'" })], {}, 'error'],
    ['a missing argument', [allow({ condition: "eth.tx.contract_call_args['x'] == 1" })], {}, 'error'],
  ])('%s', (_name, policies, more, expected) => {
    expect(outcome(policies, signing(), more)).toBe(expected);
  });
});

describe('traps of the published language', () => {
  const solana = (transfers: Json[]): Json => ({ solana: { tx: { transfers, instructions: [] } } });

  test('an index after a count of zero is an error, not false', () => {
    const policy = allow({ condition: "solana.tx.transfers.count() == 1 && solana.tx.transfers[0].to == 'x'" });
    expect(outcome([policy], solana([]))).toBe('error');
    expect(outcome([policy], solana([{ to: 'x' }]))).toBe('allow');
  });

  test('`all` of nothing holds, `any` does not', () => {
    expect(outcome([allow({ condition: "solana.tx.transfers.all(t, t.to == 'x')" })], solana([]))).toBe('allow');
    expect(outcome([allow({ condition: "solana.tx.transfers.any(t, t.to == 'x')" })], solana([]))).toBe(
      'implicit-deny',
    );
  });

  test('some texts compare without regard to case, an account address does not', () => {
    const address = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
    const facts = { ...signing(), wallet_account: { address } };
    expect(outcome([allow({ condition: `eth.tx.to == '${address.toLowerCase()}'` })], facts)).toBe('allow');
    expect(outcome([allow({ condition: `eth.tx.to in ['${address.toUpperCase()}']` })], facts)).toBe('allow');
    expect(outcome([allow({ condition: `wallet_account.address == '${address}'` })], facts)).toBe('allow');
    expect(outcome([allow({ condition: `wallet_account.address == '${address.toLowerCase()}'` })], facts)).toBe(
      'implicit-deny',
    );
    const folded = `CaseInsensitiveString(wallet_account.address) == CaseInsensitiveString('${address.toLowerCase()}')`;
    expect(outcome([allow({ condition: folded })], facts)).toBe('allow');
  });

  test('a type is exact, a kind has all versions', () => {
    expect(outcome([allow({ condition: "activity.type == 'ACTIVITY_TYPE_SIGN_TRANSACTION'" })])).toBe('implicit-deny');
    expect(outcome([allow({ condition: "activity.kind == 'SIGN_TRANSACTION'" })])).toBe('allow');
    expect(outcome([allow({ condition: "activity.resource == 'PRIVATE_KEY' && activity.action == 'SIGN'" })])).toBe(
      'allow',
    );
  });

  test('a raw payload has no transaction', () => {
    const facts = {
      activity: { type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', params: { encoding: 'PAYLOAD_ENCODING_HEXADECIMAL' } },
    };
    expect(outcome([allow(), deny({ condition: 'eth.tx.value > 1' })], facts)).toBe('allow');
  });

  test('members of a message have the type that they have in JSON, and no case', () => {
    const facts = {
      eth: { eip_712: { primary_type: 'P', message: { value: '5', list: [{ token: '0xAB' }, { token: '0xcd' }] } } },
    };
    expect(outcome([allow({ condition: "eth.eip_712.message['value'] == '5'" })], facts)).toBe('allow');
    expect(outcome([allow({ condition: "eth.eip_712.message['value'] < 6" })], facts)).toBe('error');
    expect(outcome([allow({ condition: "eth.eip_712.message['list'][0]['token'] == '0xab'" })], facts)).toBe('allow');
    expect(outcome([allow({ condition: "eth.eip_712.message['list'].all(t, t['token'] == '0xab')" })], facts)).toBe(
      'implicit-deny',
    );
    expect(outcome([allow({ condition: "eth.eip_712.domain.version == ''" })], facts)).toBe('allow');
  });

  test('integers are exact at any size, tuples are lists', () => {
    const most = 2n ** 256n - 1n;
    const facts = signing({
      value: { $int: String(most) },
      contract_call_args: { call: ['0xaa', { $int: String(most) }] },
    });
    expect(outcome([allow({ condition: `eth.tx.value == ${most}` })], facts)).toBe('allow');
    expect(outcome([allow({ condition: `eth.tx.value == ${most - 1n}` })], facts)).toBe('implicit-deny');
    expect(outcome([allow({ condition: `eth.tx.contract_call_args['call'][1] == ${most}` })], facts)).toBe('allow');
  });
});

describe('pending', () => {
  const pending = (consensus: string, more: Json = {}, policies: Json[] = []) =>
    decide([allow({ consensus }), ...policies], signing(), more).pending;

  test.each<[string, boolean]>([
    ['approvers.count() >= 2', true],
    ["approvers.any(u, u.id == 'alice') && approvers.any(u, u.id == 'bob')", true],
    ["approvers.filter(u, u.tags.contains('ops')).count() >= 2", true],
    ["credentials.any(c, c.type == 'CREDENTIAL_TYPE_WEBAUTHN_AUTHENTICATOR')", true],
    ['approvers.count() == 2', true],
    ['approvers.count() < 1', false],
    ["approvers.all(u, u.id == 'bob')", false],
    ["!approvers.any(u, u.id == 'alice')", false],
    ["!approvers.any(u, u.tags.contains('x')) && approvers.count() >= 2", true],
    ['false', false],
  ])('%s: %s', (consensus, expected) => {
    expect(pending(consensus)).toBe(expected);
  });

  test('counts users, each once', () => {
    const twice = { approvers: [{ id: 'alice' }, { id: 'alice' }] };
    expect(decide([allow({ consensus: 'approvers.count() >= 2' })], signing(), twice)).toMatchObject({
      outcome: 'implicit-deny',
      pending: true,
      policyOutcomes: [{ outcome: 'OUTCOME_REQUIRES_CONSENSUS' }],
    });
    const two = { approvers: [{ id: 'alice' }, { id: 'bob' }] };
    expect(outcome([allow({ consensus: 'approvers.count() >= 2' })], signing(), two)).toBe('allow');
    const half = { ...twice, rootQuorum: { threshold: 2, userIds: ['alice', 'bob'] } };
    expect(decide([], signing(), half)).toMatchObject({ outcome: 'implicit-deny', pending: true });
    expect(outcome([], signing(), { ...half, ...two })).toBe('allow');
  });

  test('not where the condition fails, or a deny applies', () => {
    expect(decide([allow({ condition: 'false', consensus: 'approvers.count() >= 2' })]).pending).toBe(false);
    expect(pending('approvers.count() >= 2', {}, [deny()])).toBe(false);
  });

  test('a guard can ask for a second approval', () => {
    const policies = [guard({ condition: 'eth.tx.value > 1', consensus: 'approvers.count() < 2' })];
    expect(decide(policies, signing(), root)).toMatchObject({ outcome: 'deny', pending: true });
    expect(decide([...policies, guard()], signing(), root)).toMatchObject({ outcome: 'deny', pending: false });
    expect(outcome(policies, signing(), { ...root, approvers: [{ id: 'alice' }, { id: 'bob' }] })).toBe('allow');
  });
});

describe('cases that are wrong', () => {
  test('a policy that cannot be created', () => {
    const result = decide([allow(), deny({ condition: 'eth.tx.gasPrice > 1' })]);
    expect(result).toMatchObject({ outcome: 'rejected-at-creation', trace: null, decidedBy: null });
    expect(result.policyOutcomes[1]).toMatchObject({
      policyId: '1',
      outcome: 'OUTCOME_REJECTED',
      error: { clause: 'condition', line: 1, column: 8, message: expect.stringContaining('gas_price') },
    });
    expect(outcome([allow({ condition: "approvers.any(u, u.id == 'a')" })])).toBe('rejected-at-creation');
    expect(outcome([allow({ consensus: 'eth.tx.value > 1' })])).toBe('rejected-at-creation');
    expect(outcome([allow({ condition: 'eth.tx.value' })])).toBe('rejected-at-creation');
  });

  test.each<[string, Json, string]>([
    ['effect', { policies: [{ effect: 'ALLOW' }] }, 'cases[0].policies[0].effect'],
    ['policies', { policies: 'x' }, 'cases[0].policies'],
    ['integer', { policies: [], facts: { eth: { tx: { value: 1.5 } } } }, 'cases[0].facts.eth.tx.value'],
    ['unsafe integer', { policies: [], facts: { eth: { tx: { value: 2 ** 60 } } } }, 'cases[0].facts.eth.tx.value'],
    ['list', { policies: [], facts: { solana: { tx: { transfers: [1] } } } }, 'cases[0].facts.solana.tx.transfers[0]'],
    ['quorum', { policies: [], rootQuorum: { threshold: 0, userIds: [] } }, 'cases[0].rootQuorum.threshold'],
    ['approver', { policies: [], approvers: [{ id: 5 }] }, 'cases[0].approvers[0].id'],
  ])('%s', (_name, fields, path) => {
    const [result] = decideFile({ cases: [{ id: 'x', ...fields }] });
    expect(result).toMatchObject({ id: 'x', outcome: 'error', error: expect.stringContaining(path) });
  });

  test('a file without cases', () => {
    for (const file of [null, [], {}, { cases: {} }]) expect(() => decideFile(file)).toThrow(FactError);
  });

  test('names of Object.prototype are nothing special', () => {
    expect(
      outcome(
        [allow({ condition: "eth.tx.contract_call_args['constructor'] == 1" })],
        signing({ contract_call_args: {} }),
      ),
    ).toBe('error');
    expect(outcome([allow({ condition: 'eth.tx.constructor == 1' })])).toBe('rejected-at-creation');
  });

  test('facts that nothing can name are listed', () => {
    expect(decide([], { ...signing(), nonsense: 1 }).ignored).toEqual(['cases[0].facts.nonsense']);
  });
});

describe('the past', () => {
  const condition =
    "spent('eip155:1', '24h') + spending('eip155:1') > 5 || sinceLast('SIGN_TRANSACTION') < duration('2h') || " +
    "newRecipients() == ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8'] || activities(eth.tx.value > 3, '1h') > 1";
  const past = {
    "spent('eip155:1', '1440m')": 4,
    "spending( 'eip155:1' )": { $int: '1' },
    "sinceLast('SIGN_TRANSACTION')": '2h',
    'newRecipients()': [],
    "activities((eth.tx.value) > 3, '60m')": 1,
  };
  const outcomeOf = (history?: JsonValue) => {
    const policies = [{ effect: 'EFFECT_DENY', language: 'cel', condition }, { effect: 'EFFECT_ALLOW' }];
    const facts = {
      activity: { type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2' },
      ...(history !== undefined && { history }),
    };
    const [result] = decideFile({ policies, cases: [{ id: 'past', facts }] });
    return result?.error ?? result?.outcome;
  };

  test('is what a case says of it, by the calls', () => {
    expect(outcomeOf(past)).toBe('allow');
    expect(outcomeOf({ ...past, "spending( 'eip155:1' )": 2 })).toBe('deny');
    expect(outcomeOf({ ...past, "sinceLast('SIGN_TRANSACTION')": '119m' })).toBe('deny');
    expect(outcomeOf({ ...past, 'newRecipients()': ['0x70997970c51812dc3a010c7d01b50e0d17dc79c8'] })).toBe('deny');
    expect(outcomeOf({ ...past, "activities((eth.tx.value) > 3, '60m')": 2 })).toBe('deny');
  });

  test('that a case does not tell is an error, which denies', () => {
    expect(outcomeOf()).toBe('deny');
    expect(outcomeOf({})).toBe('deny');
  });

  test.each<[object, string]>([
    [{ "spent('ether', '24h')": 1 }, 'expected the name to be'],
    [{ "spent('eip155:1', '24h') + 1": 1 }, 'expected the name to be'],
    [{ ')': 1 }, 'expected the name to be'],
    [{ "spent('eip155:1', '24h')": -1 }, 'not negative'],
    [{ "sinceLast('SIGN_TRANSACTION')": 5 }, 'expected a string'],
    [{ 'newRecipients()': null }, 'expected what it answers'],
    [{ 'newRecipients()': 'x' }, 'expected an array'],
  ])('%j is refused', (history, message) => {
    expect(outcomeOf(history as JsonValue)).toContain(message);
  });
});
