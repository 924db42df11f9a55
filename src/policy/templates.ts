/** Policies to start from, each with the cases that show what it does: files for `policy test`. */
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import { file, type Template } from './template-file.ts';
import { userOperationTemplates } from './user-operation-templates.ts';

const recipient = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const stranger = '0x000000000000000000000000000000000000dEaD';
const contract = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const ether = (amount: number): JsonObject => ({ $int: String(BigInt(Math.round(amount * 1000)) * 10n ** 15n) });

const signing: JsonObject = {
  type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2',
  params: { type: 'TRANSACTION_TYPE_ETHEREUM' },
};
const transaction = (tx: JsonObject, more: JsonObject = {}): JsonObject => ({
  activity: signing,
  eth: { tx: { chain_id: 1, to: recipient, value: 0, data: '0x', ...tx } },
  ...more,
});

const allowList = file(
  [
    {
      policyName: 'pay known recipients',
      effect: 'EFFECT_ALLOW',
      condition: `activity.kind == 'SIGN_TRANSACTION' && eth.tx.chain_id == 1 && eth.tx.to in ['${recipient}'] && eth.tx.data == '0x' && eth.tx.value <= 1000000000000000000`,
      consensus: "approvers.any(user, user.id == 'user-1')",
      notes: 'Up to 1 ether to addresses of the list, and no contract calls.',
    },
  ],
  [
    ['a known recipient', transaction({ value: ether(1) }), 'allow'],
    ['too much', transaction({ value: ether(1.001) }), 'implicit-deny'],
    ['somebody else', transaction({ to: stranger }), 'implicit-deny'],
    ['another chain', transaction({ chain_id: 10 }), 'implicit-deny'],
    ['a contract call', transaction({ data: '0xa9059cbb' }), 'implicit-deny'],
    ['another user', transaction({}), { outcome: 'implicit-deny', pending: true }, ['user-2']],
    ['another kind', { ...transaction({}), activity: { type: 'ACTIVITY_TYPE_ETH_SEND_TRANSACTION' } }, 'implicit-deny'],
  ],
);

const businessHours = file(
  [
    {
      policyName: 'sign in business hours',
      effect: 'EFFECT_ALLOW',
      condition: "activity.kind == 'SIGN_TRANSACTION' && eth.tx.chain_id == 1 && eth.tx.value <= 1000000000000000000",
      time: "CronSpan('0 9 * * 1-5', '8h', 'Europe/Berlin')",
      notes: 'From 9 to 17 on weekdays, by the clock of the place.',
    },
  ],
  [
    ['Monday at ten', transaction({}, { time: { now: '2027-03-01T09:00:00Z' } }), 'allow'],
    ['Monday at five', transaction({}, { time: { now: '2027-03-01T16:00:00Z' } }), 'implicit-deny'],
    ['Sunday', transaction({}, { time: { now: '2027-02-28T09:00:00Z' } }), 'implicit-deny'],
    ['in summer time', transaction({}, { time: { now: '2027-06-01T07:00:00Z' } }), 'allow'],
    ['too much', transaction({ value: ether(2) }, { time: { now: '2027-03-01T09:00:00Z' } }), 'implicit-deny'],
    ['another chain', transaction({ chain_id: 10 }, { time: { now: '2027-03-01T09:00:00Z' } }), 'implicit-deny'],
    [
      'another kind',
      {
        ...transaction({}, { time: { now: '2027-03-01T09:00:00Z' } }),
        activity: { type: 'ACTIVITY_TYPE_ETH_SEND_TRANSACTION' },
      },
      'implicit-deny',
    ],
  ],
);

const officers = "user.id in ['user-1', 'user-2', 'user-3']";
const twoOfThree = file(
  [
    {
      policyName: 'small amounts alone',
      effect: 'EFFECT_ALLOW',
      condition: 'eth.tx.chain_id == 1 && eth.tx.value <= 1000000000000000000',
      consensus: `approvers.any(user, ${officers})`,
      notes: '',
    },
    {
      policyName: 'large amounts by two of three',
      effect: 'EFFECT_ALLOW',
      condition: 'eth.tx.chain_id == 1 && eth.tx.value > 1000000000000000000',
      consensus: `approvers.filter(user, ${officers}).count() >= 2`,
      notes: '',
    },
  ],
  [
    ['a small amount', transaction({ value: ether(1) }), 'allow'],
    ['a large amount by one', transaction({ value: ether(2) }), { outcome: 'implicit-deny', pending: true }],
    ['a large amount by two', transaction({ value: ether(2) }), 'allow', ['user-1', 'user-3']],
    [
      'a large amount by one and somebody else',
      transaction({ value: ether(2) }),
      { outcome: 'implicit-deny', pending: true },
      ['user-1', 'user-4'],
    ],
    ['somebody else', transaction({}), { outcome: 'implicit-deny', pending: true }, ['user-4']],
    ['another chain', transaction({ chain_id: 10 }), 'implicit-deny'],
  ],
);

const inSession: JsonObject = { time: { now: '2027-06-01T00:00:00Z' } };
const sessionCall = (tx: JsonObject = {}, more: JsonObject = inSession): JsonObject =>
  transaction({ to: contract, data: '0xa9059cbb', selector: '0xa9059cbb', ...tx }, more);
const byKey = (...ids: readonly string[]): JsonObject => ({
  credentials: ids.map((id) => ({ id, user_id: 'user-1', type: 'CREDENTIAL_TYPE_API_KEY_P256' })),
});
const sessionCases: readonly (readonly [string, JsonObject, JsonValue, JsonObject?])[] = [
  ['the function of the contract', sessionCall(), 'allow'],
  ['another function', sessionCall({ selector: '0x095ea7b3' }), 'implicit-deny'],
  ['another contract', sessionCall({ to: stranger }), 'implicit-deny'],
  ['with ether', sessionCall({ value: 1 }), 'implicit-deny'],
  ['another chain', sessionCall({ chain_id: 10 }), 'implicit-deny'],
  ['another kind', { ...sessionCall(), activity: { type: 'ACTIVITY_TYPE_ETH_SEND_TRANSACTION' } }, 'implicit-deny'],
  ['another key', sessionCall(), 'implicit-deny', byKey('api-key-2')],
  ['no key', sessionCall(), 'implicit-deny', byKey()],
  ['too late', sessionCall({}, { time: { now: '2028-01-01T00:00:00Z' } }), 'implicit-deny'],
];
const sessionKey = file(
  [
    {
      policyName: 'session key for one contract',
      effect: 'EFFECT_ALLOW',
      language: 'cel',
      condition: `activity.kind == 'SIGN_TRANSACTION' && eth.tx.chain_id == 1 && eth.tx.to == '${contract}' && eth.tx.selector in ['0xa9059cbb'] && eth.tx.value == 0`,
      consensus: "credentials.all(key, key.id == 'api-key-1') && size(credentials) > 0",
      time: "time.now < timestamp('2027-12-31T00:00:00Z')",
      notes: 'What the key of a session may call, and until when.',
    },
  ],
  sessionCases.map(([id, facts, expect, key = byKey('api-key-1')]) => [id, facts, expect, ['user-1'], key]),
);

const root: JsonObject = { rootQuorum: { threshold: 1, userIds: ['user-1'] } };
const wants = (spent: number, now: number): JsonObject =>
  transaction(
    { value: ether(now) },
    { history: { "spent('eip155:1', '24h')": ether(spent), "spending('eip155:1')": ether(now) } },
  );
const dailyLimit = file(
  [
    {
      policyName: 'daily limit',
      effect: 'EFFECT_GUARD',
      delaySeconds: 86_400,
      language: 'cel',
      condition: "activity.action == 'SIGN' && spent('eip155:1', '24h') + spending('eip155:1') > 0.5 ether",
      notes: 'Binds the root quorum too. What nobody can read may spend anything, and is denied.',
    },
  ],
  [
    ['the first of the day', wants(0, 0.5), 'allow', ['user-1'], root],
    ['too much at once', wants(0, 0.501), 'deny', ['user-1'], root],
    ['the rest of the limit', wants(0.4, 0.1), 'allow', ['user-1'], root],
    ['more than the rest', wants(0.4, 0.2), 'deny', ['user-1'], root],
    [
      'what nobody can read',
      { activity: signing, history: { "spent('eip155:1', '24h')": 0 } },
      'deny',
      ['user-1'],
      root,
    ],
    ['something else', { activity: { type: 'ACTIVITY_TYPE_CREATE_WALLET' }, history: {} }, 'allow', ['user-1'], root],
  ],
);

const paying = (isNew: boolean): JsonObject =>
  transaction({}, { history: { 'newRecipients()': isNew ? [recipient] : [] } });
const both = ['user-1', 'user-2'];
const newRecipient = file(
  [
    {
      policyName: 'a second person for a new recipient',
      effect: 'EFFECT_GUARD',
      delaySeconds: 86_400,
      language: 'cel',
      condition: "activity.action == 'SIGN' && size(newRecipients()) > 0",
      consensus: 'size(approvers) < 2',
      notes:
        'Addresses are known once something was signed for them on the same chain, from when this policy is there.',
    },
  ],
  [
    ['a new recipient', paying(true), 'deny', ['user-1'], root],
    ['a new recipient, agreed by two', paying(true), 'allow', both, root],
    ['a known recipient', paying(false), 'allow', ['user-1'], root],
    ['what nobody can read', { activity: signing, history: {} }, 'deny', ['user-1'], root],
    ['something else', { activity: { type: 'ACTIVITY_TYPE_CREATE_WALLET' }, history: {} }, 'allow', ['user-1'], root],
  ],
);

const rawPayload = (blind: boolean): JsonObject => ({
  activity: { type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2' },
  payload: { blind },
});
const noBlindSigning = file(
  [
    {
      policyName: 'no blind signing',
      effect: 'EFFECT_GUARD',
      delaySeconds: 86_400,
      language: 'cel',
      condition: 'payload.blind || !eth.tx.calls_complete',
      notes: 'Binds the root quorum too: nobody signs what nobody can read.',
    },
  ],
  [
    ['a bare digest', rawPayload(true), 'deny', ['user-1'], root],
    ['a readable text', rawPayload(false), 'allow', ['user-1'], root],
    ['an unknown call', transaction({ calls_complete: false }), 'deny', ['user-1'], root],
    ['a known call', transaction({ calls_complete: true }), 'allow', ['user-1'], root],
    ['something else', { activity: { type: 'ACTIVITY_TYPE_CREATE_WALLET' } }, 'allow', ['user-1'], root],
  ],
);

export const templates: Readonly<Record<string, Template>> = {
  'daily-limit': {
    summary: 'a guard: so much within any 24 hours',
    change: 'the amount, the window, and the asset (`eip155:1/0x…` is a token)',
    file: dailyLimit,
  },
  'allow-list': {
    summary: 'pay known recipients, up to an amount',
    change: 'the addresses, the amount, the chain and the user',
    file: allowList,
  },
  'business-hours': {
    summary: 'sign on weekdays from 9 to 17',
    change: 'the hours, the time zone and the condition',
    file: businessHours,
  },
  'two-of-three': {
    summary: 'small amounts alone, above that two of three users',
    change: 'the users, the amount and the chain',
    file: twoOfThree,
  },
  'new-recipient': {
    summary: 'a guard: whoever is paid for the first time needs a second person',
    change: 'the number of people',
    file: newRecipient,
  },
  'session-key': {
    summary: 'an API key that may call one function of one contract until a date',
    change: 'the id of the API key, the contract, the selectors, the chain and the date',
    file: sessionKey,
  },
  'no-blind-signing': {
    summary: 'a guard: nobody signs what nobody can read',
    change: 'nothing, or the delay before it can be removed',
    file: noBlindSigning,
  },
  ...userOperationTemplates,
};
