/** The policies that all engines decide: each in the language of each engine, with requests that it allows and ones that not. */
import type { Hex } from 'viem';
import type { PolicySource } from '../../src/policy/policy-set.ts';
import { type Activity, addressOf, usdc } from './facts.ts';

type CedarValue = string | number | readonly CedarValue[];

export type Case = {
  readonly name: string;
  readonly policies: readonly PolicySource[];
  /** The same as one expression of CEL: allowed where it is true. */
  readonly cel: string;
  /** Roots and fields that `cel` reads, such as `eth.tx.to`: the CEL libraries are given no others. */
  readonly reads: readonly string[];
  readonly cedar: {
    readonly policies: string;
    /** What Cedar is told of an activity beside its kind (the action) and its wallet (the resource). */
    readonly context: (activity: Activity) => Readonly<Record<string, CedarValue>>;
  };
  /** The `index`th request that is allowed, and the `index`th that is not. */
  readonly allowed: (index: number) => Activity;
  readonly refused: (index: number) => Activity;
};

const recipients = Array.from({ length: 8 }, (_, index) => addressOf(100 + index));
const listed = Array.from({ length: 60 }, (_, index) => addressOf(1000 + index));
const spender = addressOf(7);
const treasury = 'c3f4a1d0-5f0e-4f5e-9c55-treasury';

/** Cedar has integers of 64 bits, of which its JavaScript interface passes 53: amounts in gwei, rounded up. */
const gwei = (wei: bigint): number => Number((wei + 999_999_999n) / 1_000_000_000n);
const at = <T>(items: readonly T[], index: number): T => items[index % items.length] as T;
const quoted = (quote: string, items: readonly string[]) => items.map((item) => `${quote}${item}${quote}`).join(', ');

const activity = (fields: Partial<Activity>): Activity => ({
  kind: 'SIGN_TRANSACTION',
  walletId: 'treasury-wallet',
  path: "m/44'/60'/0'/0/3",
  approvers: [{ id: 'initiator', tags: ['operators'] }],
  now: new Date('2026-03-04T10:30:00Z'),
  ...fields,
});
const transfer = (to: Hex, value: bigint, fields: Partial<Activity> = {}) =>
  activity({ transaction: { to, value }, ...fields });

const allow = (id: string, fields: Omit<PolicySource, 'id' | 'effect'>): PolicySource => ({
  id,
  effect: 'EFFECT_ALLOW',
  ...fields,
});

const cap = 5_000_000_000_000_000_000n;
const allowList: Case = {
  name: 'transfer allow-list with cap',
  policies: [
    allow('allow-list', {
      condition: `activity.kind == 'SIGN_TRANSACTION' && eth.tx.chain_id == 1 && eth.tx.to in [${quoted("'", recipients)}] && eth.tx.value <= ${cap}`,
    }),
  ],
  cel: `activity.kind == "SIGN_TRANSACTION" && eth.tx.chain_id == 1 && eth.tx.to in [${quoted('"', recipients)}] && eth.tx.value <= ${cap}`,
  reads: ['activity.kind', 'eth.tx.chain_id', 'eth.tx.to', 'eth.tx.value'],
  cedar: {
    policies: `permit(principal, action == Action::"SIGN_TRANSACTION", resource) when { context.chainId == 1 && [${quoted('"', recipients)}].contains(context.to) && context.gwei <= ${gwei(cap)} };`,
    context: ({ transaction }) => ({ chainId: 1, to: transaction?.to ?? '', gwei: gwei(transaction?.value ?? 0n) }),
  },
  allowed: (index) => transfer(at(recipients, index), cap - BigInt(index)),
  // Every other one by a single wei.
  refused: (index) => (index % 2 ? transfer(addressOf(index), 1n) : transfer(at(recipients, index), cap + 1n)),
};

const callCap = 10_000_000_000n;
const argumentsOf = 'eth.tx.contract_call_args';
const callOf = (to: Hex, amount: bigint) => activity({ tokenTransfer: { to, amount } });
const tokenTransfer: Case = {
  name: 'ERC-20 transfer cap by arguments',
  policies: [
    allow('token-transfer', {
      condition: `eth.tx.to == '${usdc}' && eth.tx.function_name == 'transfer' && ${argumentsOf}['to'] in [${quoted("'", recipients)}] && ${argumentsOf}['amount'] <= ${callCap}`,
    }),
  ],
  cel: `eth.tx.to == "${usdc}" && eth.tx.function_name == "transfer" && ${argumentsOf}["to"] in [${quoted('"', recipients)}] && ${argumentsOf}["amount"] <= ${callCap}`,
  reads: ['eth.tx.to', 'eth.tx.function_name', argumentsOf],
  cedar: {
    policies: `permit(principal, action, resource) when { context.to == "${usdc}" && context.function == "transfer" && [${quoted('"', recipients)}].contains(context.argumentTo) && context.argumentAmount <= ${callCap} };`,
    context: ({ tokenTransfer: call }) => ({
      to: usdc,
      function: 'transfer',
      argumentTo: call?.to ?? '',
      argumentAmount: Number(call?.amount),
    }),
  },
  allowed: (index) => callOf(at(recipients, index), callCap - BigInt(index)),
  refused: (index) => (index % 2 ? callOf(addressOf(index), 1n) : callOf(at(recipients, index), callCap + 1n)),
};

const permitCap = 1_000_000_000_000;
const permitOf = (permit: Activity['permit'] & object) => activity({ kind: 'SIGN_RAW_PAYLOAD', permit });
const domain = 'eth.eip_712.domain';
const message = 'eth.eip_712.message';
const permitPolicy = (quote: string) =>
  [
    `activity.kind == ${quote}SIGN_RAW_PAYLOAD${quote}`,
    `eth.eip_712.primary_type == ${quote}Permit${quote}`,
    `${domain}.name == ${quote}USD Coin${quote}`,
    `${domain}.chain_id == 1`,
    `${domain}.verifying_contract == ${quote}${usdc}${quote}`,
    `${message}[${quote}spender${quote}] == ${quote}${spender}${quote}`,
    `${message}[${quote}value${quote}] <= ${permitCap}`,
  ].join(' && ');
const permit: Case = {
  name: 'EIP-712 permit with domain checks',
  policies: [allow('permit', { condition: permitPolicy("'") })],
  cel: permitPolicy('"'),
  reads: ['activity.kind', 'eth.eip_712.primary_type', domain, message],
  cedar: {
    policies: `permit(principal, action == Action::"SIGN_RAW_PAYLOAD", resource) when { context.primaryType == "Permit" && context.name == "USD Coin" && context.chainId == 1 && context.verifyingContract == "${usdc}" && context.spender == "${spender}" && context.value <= ${permitCap} };`,
    context: ({ permit }) => ({ primaryType: 'Permit', name: 'USD Coin', verifyingContract: usdc, ...permit }),
  },
  allowed: (index) => permitOf({ chainId: 1, spender, value: permitCap - index }),
  refused: (index) => permitOf({ chainId: index % 2 ? 137 : 1, spender, value: index % 2 ? 5 : permitCap + 1 + index }),
};

const approval = (id: string, ...tags: string[]) => ({ id, tags });
const quorum: Case = {
  name: 'consensus of two tagged approvers',
  policies: [
    allow('quorum', {
      condition: `activity.kind == 'SIGN_TRANSACTION'`,
      consensus: `approvers.filter(user, user.tags.contains('${treasury}')).count() >= 2`,
    }),
  ],
  cel: `activity.kind == "SIGN_TRANSACTION" && size(approvers.filter(user, "${treasury}" in user.tags)) >= 2`,
  reads: ['activity.kind', 'approvers.id', 'approvers.tags'],
  cedar: {
    // Cedar cannot count: it is given the number.
    policies: `permit(principal, action == Action::"SIGN_TRANSACTION", resource) when { context.treasuryApprovers >= 2 };`,
    context: ({ approvers }) => ({ treasuryApprovers: approvers.filter(({ tags }) => tags.includes(treasury)).length }),
  },
  allowed: (index) =>
    transfer(addressOf(index), 1n, {
      approvers: [approval('a', 'operators'), approval('b', 'finance', treasury), approval('c', treasury)],
    }),
  refused: (index) =>
    transfer(addressOf(index), 1n, {
      approvers: [approval('a', 'operators'), approval('b', 'finance', treasury), approval('c', 'audit')],
    }),
};

const hoursText = (quote: string) =>
  `activity.kind == ${quote}SIGN_TRANSACTION${quote} && now.getDayOfWeek() >= 1 && now.getDayOfWeek() <= 5 && now.getHours() >= 8 && now.getHours() < 18`;
const hours: Case = {
  name: 'business hours',
  policies: [allow('business-hours', { condition: hoursText("'"), language: 'cel' })],
  cel: hoursText('"'),
  reads: ['activity.kind', 'now'],
  cedar: {
    // Cedar knows no weekdays: it is given weekday and hour.
    policies: `permit(principal, action == Action::"SIGN_TRANSACTION", resource) when { context.weekday >= 1 && context.weekday <= 5 && context.hour >= 8 && context.hour < 18 };`,
    context: ({ now }) => ({ weekday: now.getUTCDay(), hour: now.getUTCHours() }),
  },
  allowed: (index) => transfer(addressOf(index), 1n, { now: new Date(Date.UTC(2026, 2, 2 + (index % 5), 8 + index)) }),
  refused: (index) =>
    transfer(addressOf(index), 1n, { now: new Date(Date.UTC(2026, 2, index % 2 ? 7 : 4, index % 2 ? 10 : 18)) }),
};

const denyList: Case = {
  name: 'deny by a list of 60 contracts',
  policies: [
    allow('signing', { condition: `activity.kind == 'SIGN_TRANSACTION'` }),
    { id: 'deny-list', effect: 'EFFECT_DENY', condition: `eth.tx.to in [${quoted("'", listed)}]` },
  ],
  cel: `activity.kind == "SIGN_TRANSACTION" && !(eth.tx.to in [${quoted('"', listed)}])`,
  reads: ['activity.kind', 'eth.tx.to'],
  cedar: {
    policies: `permit(principal, action == Action::"SIGN_TRANSACTION", resource); forbid(principal, action, resource) when { [${quoted('"', listed)}].contains(context.to) };`,
    context: ({ transaction }) => ({ to: transaction?.to ?? '' }),
  },
  allowed: (index) => transfer(addressOf(index), 1n),
  refused: (index) => transfer(at(listed, 13 * index), 1n),
};

const walletText = (quote: string) =>
  `activity.kind == ${quote}SIGN_TRANSACTION${quote} && wallet.id == ${quote}treasury-wallet${quote} && wallet_account.derivation_path.startsWith(${quote}m/44'/60'/0'/0/${quote}) && eth.tx.chain_id in [1, 10, 8453]`;
const wallet: Case = {
  name: 'wallet and path',
  policies: [allow('wallet', { condition: walletText('"'), language: 'cel' })],
  cel: walletText('"'),
  reads: ['activity.kind', 'wallet.id', 'wallet_account.derivation_path', 'eth.tx.chain_id'],
  cedar: {
    policies: `permit(principal, action == Action::"SIGN_TRANSACTION", resource == Wallet::"treasury-wallet") when { context.path like "m/44'/60'/0'/0/*" && [1, 10, 8453].contains(context.chainId) };`,
    context: ({ path }) => ({ path, chainId: 1 }),
  },
  allowed: (index) => transfer(addressOf(index), 1n, { path: `m/44'/60'/0'/0/${index}` }),
  refused: (index) => transfer(addressOf(index), 1n, { path: `m/44'/60'/1'/0/${index}` }),
};

export const cases: readonly Case[] = [allowList, tokenTransfer, permit, quorum, hours, denyList, wallet];
