/** Policies to start from for user operations of smart accounts (ERC-4337). */
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import { file, type Template } from './template-file.ts';

const contract = '0x5FbDB2315678afecb367f032d93F642f64180aa3';
const token = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const paymaster = '0x3333333333333333333333333333333333333333';
const stranger = '0x000000000000000000000000000000000000dEaD';

const call = (more: JsonObject = {}): JsonObject => ({ to: contract, selector: '0x40c10f19', ...more });
const operation = (more: JsonObject = {}): JsonObject => ({
  activity: { type: 'ACTIVITY_TYPE_SIGN_USER_OPERATION' },
  userop: {
    chain_id: 8453,
    opaque: false,
    is_admin: false,
    try_mode: false,
    deploys: false,
    nonce_mode: 'plain',
    paymaster,
    paymaster_signs_later: false,
    total_value: 0,
    max_cost: 1_000_000,
    calls: [call()],
    transfers: [],
    ...more,
  },
});

const inSession: JsonObject = { time: { now: '2027-06-01T00:00:00Z' } };
const byKey = (...ids: readonly string[]): JsonObject => ({
  credentials: ids.map((id) => ({ id, user_id: 'user-1', type: 'CREDENTIAL_TYPE_API_KEY_P256' })),
});
const mint = (more: JsonObject = {}): JsonObject => ({ ...operation(more), ...inSession });
const sessionCases: readonly (readonly [string, JsonObject, JsonValue, JsonObject?])[] = [
  ['the function of the contract', mint(), 'allow'],
  ['twice in a batch', mint({ calls: [call(), call()] }), 'allow'],
  ['another contract in the batch', mint({ calls: [call(), call({ to: stranger })] }), 'implicit-deny'],
  ['another function', mint({ calls: [call({ selector: '0x095ea7b3' })] }), 'implicit-deny'],
  ['no call', mint({ calls: [] }), 'implicit-deny'],
  ['what nobody can read', mint({ opaque: true }), 'implicit-deny'],
  ['a call to the account itself', mint({ is_admin: true }), 'implicit-deny'],
  ['calls that may fail', mint({ try_mode: true }), 'implicit-deny'],
  ['with a factory', mint({ deploys: true }), 'implicit-deny'],
  ['a nonce that installs code', mint({ nonce_mode: 'enable' }), 'implicit-deny'],
  ['with ether', mint({ total_value: 1 }), 'implicit-deny'],
  ['too dear', mint({ max_cost: { $int: '10000000000000001' } }), 'implicit-deny'],
  ['another chain', mint({ chain_id: 1 }), 'implicit-deny'],
  ['another paymaster', mint({ paymaster: stranger }), 'implicit-deny'],
  ['paid by the account', mint({ paymaster: '' }), 'implicit-deny'],
  ['another kind', { ...mint(), activity: { type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2' } }, 'implicit-deny'],
  ['another key', mint(), 'implicit-deny', byKey('api-key-2')],
  ['no key', mint(), 'implicit-deny', byKey()],
  ['too late', { ...mint(), time: { now: '2028-01-01T00:00:00Z' } }, 'implicit-deny'],
];
const sessionKey = file(
  [
    {
      policyName: 'session key for one contract, through a smart account',
      effect: 'EFFECT_ALLOW',
      language: 'cel',
      condition:
        "activity.kind in ['SIGN_USER_OPERATION', 'SIGN_USER_OPERATION_INTENT'] && userop.chain_id == 8453 && !userop.opaque && " +
        "!userop.is_admin && !userop.try_mode && !userop.deploys && userop.nonce_mode == 'plain' && size(userop.calls) > 0 && " +
        `userop.calls.all(c, c.to == '${contract}' && c.selector in ['0x40c10f19']) && userop.total_value == 0 && ` +
        `userop.paymaster == '${paymaster}' && userop.max_cost <= 0.01 ether`,
      consensus: "credentials.all(key, key.id == 'api-key-1') && size(credentials) > 0",
      time: "time.now < timestamp('2027-12-31T00:00:00Z')",
      notes: 'What the key of a session may have the account call, who pays, how much at the most, and until when.',
    },
  ],
  sessionCases.map(([id, facts, expect, key = byKey('api-key-1')]) => [id, facts, expect, ['user-1'], key]),
);

const root: JsonObject = { rootQuorum: { threshold: 1, userIds: ['user-1'] } };
const something: JsonObject = { activity: { type: 'ACTIVITY_TYPE_CREATE_WALLET' } };
const moves = (kind: string, to: string): JsonObject => ({
  transfers: [{ standard: 'ERC-20', kind, token, from: stranger, to, amount: 1, id: 0, depth: 0 }],
});
const sponsored = file(
  [
    {
      policyName: 'sponsored by a listed paymaster',
      effect: 'EFFECT_GUARD',
      delaySeconds: 86_400,
      language: 'cel',
      condition:
        `!(userop.paymaster in ['${paymaster}']) || userop.paymaster_signs_later || ` +
        "userop.transfers.exists(t, t.kind != 'transfer' && t.to == userop.paymaster)",
      notes: 'Binds the root quorum too. The account pays no fees, and lets no paymaster take its tokens.',
    },
  ],
  [
    ['by the listed one', operation(), 'allow', ['user-1'], root],
    ['by another', operation({ paymaster: stranger }), 'deny', ['user-1'], root],
    ['paid by the account', operation({ paymaster: '' }), 'deny', ['user-1'], root],
    ['a sponsor that signs later', operation({ paymaster_signs_later: true }), 'deny', ['user-1'], root],
    ['an approval for the paymaster', operation(moves('approval', paymaster)), 'deny', ['user-1'], root],
    ['an approval for another', operation(moves('approval', stranger)), 'allow', ['user-1'], root],
    ['a payment to the paymaster', operation(moves('transfer', paymaster)), 'allow', ['user-1'], root],
    ['something else', something, 'allow', ['user-1'], root],
  ],
);

const authorization = (address: string, chainId: number): JsonObject => ({
  activity: { type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2' },
  eth: { eip_7702_authorization: { address, chain_id: chainId, nonce: 0 } },
});
const authorizationBytes = (encoding: string): JsonObject => ({
  activity: { type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2' },
  payload: { blind: false, kind: 'authorization', encoding },
});
const typedData = (kind: string): JsonObject => ({
  activity: { type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2' },
  eth: { eip_712: { known: { kind } } },
});
const delegate = '0xe6Cae83BdE06E4c305530e199D7217f42808555B';
const noOpaque = file(
  [
    {
      policyName: 'no opaque operations',
      effect: 'EFFECT_GUARD',
      delaySeconds: 86_400,
      language: 'cel',
      condition:
        "userop.opaque || userop.is_admin || userop.try_mode || !(userop.nonce_mode in ['plain', 'validator'])",
      notes:
        'Binds the root quorum too: what is signed for a smart account is all that it does, and not about the account.',
    },
    {
      policyName: 'no blind digests',
      effect: 'EFFECT_GUARD',
      delaySeconds: 86_400,
      language: 'cel',
      condition:
        "payload.blind || payload.kind == 'authorization' && payload.encoding != 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION'",
      notes: 'The hash of an operation could be among them; authorizations have an encoding in which they are read.',
    },
    {
      policyName: 'known code alone',
      effect: 'EFFECT_GUARD',
      delaySeconds: 86_400,
      language: 'cel',
      condition: `eth.eip_7702_authorization.chain_id == 0 || eth.eip_7702_authorization.address != '${delegate}'`,
      notes: 'The code of an account (EIP-7702) is the most that a key can sign.',
    },
    {
      policyName: 'no code from beside an operation',
      effect: 'EFFECT_GUARD',
      delaySeconds: 86_400,
      language: 'cel',
      condition: "eth.eip_712.known.kind in ['kernel_enable', 'nexus_module_enable']",
      notes: 'With such a signature next to it an operation installs code that its own hash does not bind.',
    },
  ],
  [
    ['a readable operation', operation(), 'allow', ['user-1'], root],
    ['one that nobody can read', operation({ opaque: true }), 'deny', ['user-1'], root],
    ['one that is about the account', operation({ is_admin: true }), 'deny', ['user-1'], root],
    ['one whose calls may fail', operation({ try_mode: true }), 'deny', ['user-1'], root],
    ['one that installs code', operation({ nonce_mode: 'enable' }), 'deny', ['user-1'], root],
    [
      'a bare digest',
      { activity: { type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2' }, payload: { blind: true } },
      'deny',
      ['user-1'],
      root,
    ],
    ['an authorization as bytes', authorizationBytes('PAYLOAD_ENCODING_HEXADECIMAL'), 'deny', ['user-1'], root],
    ['one as such', authorizationBytes('PAYLOAD_ENCODING_EIP7702_AUTHORIZATION'), 'allow', ['user-1'], root],
    ['the known code', authorization(delegate, 8453), 'allow', ['user-1'], root],
    ['other code', authorization(stranger, 8453), 'deny', ['user-1'], root],
    ['the known code on every chain', authorization(delegate, 0), 'deny', ['user-1'], root],
    ['consent to code in an account', typedData('kernel_enable'), 'deny', ['user-1'], root],
    ['other typed data', typedData('permit'), 'allow', ['user-1'], root],
    ['something else', something, 'allow', ['user-1'], root],
  ],
);

export const userOperationTemplates: Readonly<Record<string, Template>> = {
  'smart-account-session-key': {
    summary: 'an API key that may have a smart account call one function of one contract, sponsored, until a date',
    change: 'the id of the API key, the contract, the selectors, the paymaster, the cost, the chain and the date',
    file: sessionKey,
  },
  'listed-paymaster': {
    summary: 'a guard: user operations are sponsored by a listed paymaster, which cannot take tokens',
    change: 'the paymasters',
    file: sponsored,
  },
  'no-opaque-operations': {
    summary: 'a guard: for smart accounts nobody signs what nobody can read, nor changes of the account or its code',
    change: 'the delegate, or the delay before it can be removed',
    file: noOpaque,
  },
};
