/** Sets of 1,000 policies: such as the index tells apart, and such as it cannot. */
import { type DecisionRequest, decide, decideByScan } from '../../src/policy/decide-policies.ts';
import { compilePolicy, createPolicySet, type PolicySet, type PolicySource } from '../../src/policy/policy-set.ts';
import { type Activity, addressOf, requestOf } from './facts.ts';
import { medianTime, type Timing } from './time.ts';

const size = 1000;
const variants = 64;
const otherKinds = ['SIGN_RAW_PAYLOAD', 'CREATE_WALLET_ACCOUNTS', 'EXPORT_WALLET', 'CREATE_USERS', 'UPDATE_POLICY'];

const activity = (fields: Partial<Activity>): Activity => ({
  kind: 'SIGN_TRANSACTION',
  walletId: 'wallet',
  path: "m/44'/60'/0'/0/0",
  approvers: [{ id: 'initiator', tags: ['operators'] }],
  now: new Date('2026-03-04T10:30:00Z'),
  ...fields,
});

/** Microseconds of a decision; half of the requests are allowed, a tenth of the policies deny. */
export function timeIndexed(timing: Timing): number {
  const policies = Array.from({ length: size }, (_, index): PolicySource => {
    const id = `policy ${index}`;
    if (index % 10 === 0) return { id, effect: 'EFFECT_DENY', condition: `eth.tx.to == '${addressOf(5000 + index)}'` };
    const kind = index % 10 > 7 ? otherKinds[index % otherKinds.length] : 'SIGN_TRANSACTION';
    const condition =
      kind === 'SIGN_TRANSACTION'
        ? `activity.kind == '${kind}' && eth.tx.to == '${addressOf(index)}' && eth.tx.value <= ${index}000000`
        : `activity.kind == '${kind}' && wallet.id == 'wallet ${index}'`;
    return { id, effect: 'EFFECT_ALLOW', condition };
  });
  const activities = Array.from({ length: variants }, (_, index) => {
    const policy = ((index * 37) % 99) * 10 + 1 + (index % 7);
    if (index % 8 === 7)
      return activity({ kind: otherKinds[index % otherKinds.length] as string, walletId: 'wallet 8' });
    const value = BigInt(policy) * 1_000_000n + (index % 2 ? 1n : 0n);
    return activity({ transaction: { to: addressOf(policy), value } });
  });
  return timeSet(createPolicySet(policies.map(compilePolicy)), activities.map(requestOf), timing);
}

/** What 1,000 policies of one kind ask for, each in its own words: what is sent, called and decoded, and who has approved. */
const clauses: readonly ((index: number) => Pick<PolicySource, 'condition' | 'consensus' | 'language'>)[] = [
  (index) => ({ condition: `eth.tx.value > ${index}000000 && eth.tx.value <= ${index}000001` }),
  (index) => ({ condition: `eth.tx.value <= ${index}000000 && eth.tx.max_fee_per_gas <= 2${index}000` }),
  (index) => ({ condition: `(eth.tx.gas <= 2${index} || eth.tx.data.startsWith("0xabcd${index}"))`, language: 'cel' }),
  (index) => ({ condition: `wallet.label != 'hot' && eth.tx.value < ${index}` }),
  (index) => ({ condition: `eth.tx.call.args["to"] == "${addressOf(5000 + index)}"`, language: 'cel' }),
  (index) => ({ condition: `eth.tx.calls.exists(c, c.to == "${addressOf(5000 + index)}")`, language: 'cel' }),
  (index) => ({ condition: `eth.tx.calls.all(c, c.value > ${index + 1}00000000000u)`, language: 'cel' }),
  (index) => ({ consensus: `approvers.any(user, user.id == 'user ${index}')` }),
  (index) => ({ consensus: `approvers.filter(user, user.tags.contains('tag ${index}')).count() >= 2` }),
];

/** Microseconds of a decision that no policy allows, so that none can be skipped for another that does. */
export function timeSameType(timing: Timing): number {
  const policies = Array.from({ length: size }, (_, index): PolicySource => {
    const clause = (clauses[index % clauses.length] as (typeof clauses)[number])(index);
    const condition = [`activity.kind == 'SIGN_TRANSACTION'`, clause.condition].filter(Boolean).join(' && ');
    return { id: `policy ${index}`, effect: 'EFFECT_ALLOW', ...clause, condition };
  });
  const activities = Array.from({ length: variants }, (_, index) => {
    const [to, value] = [addressOf(index), BigInt(index) * 10_000_000n + 5n];
    return activity(index % 2 ? { transaction: { to, value } } : { tokenTransfer: { to, amount: value } });
  });
  return timeSet(createPolicySet(policies.map(compilePolicy)), activities.map(requestOf), timing);
}

function timeSet(set: PolicySet, requests: readonly DecisionRequest[], timing: Timing): number {
  for (const request of requests) checkDecision(set, request);
  return medianTime((index) => decide(set, requests[index] as DecisionRequest), variants, timing) / 1000;
}

/** The index must not change what is decided. */
export function checkDecision(set: PolicySet, request: DecisionRequest): void {
  const [found, all] = [decide(set, request), decideByScan(set, request)];
  if (found.outcome !== all.outcome || found.pending !== all.pending) {
    throw new Error(`the index decides ${found.outcome} where every policy together decides ${all.outcome}`);
  }
}
