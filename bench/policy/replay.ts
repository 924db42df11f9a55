/** Replay of a draft set over an organization's past. */
import { compilePolicy, createPolicySet, type PolicySource } from '../../src/policy/policy-set.ts';
import { replay } from '../../src/policy/replay.ts';
import { median } from '../support/statistics.ts';
import { cases } from './cases.ts';
import { type Activity, addressOf, requestOf } from './facts.ts';
import { checkDecision } from './large-sets.ts';
import { cpuMs } from './time.ts';

export type Replay = { readonly ms: number; readonly allowed: number };

/**
 * Milliseconds of deciding `count` activities by the set of now and by the draft, and how many the draft allows; their facts
 * are there before.
 */
export function timeReplay(count: number, rounds: number): Replay {
  const before = createPolicySet(compared().map(compilePolicy));
  const after = createPolicySet(draft().map(compilePolicy));
  const requests = Array.from({ length: count }, (_, index) => requestOf(pastActivity(index)));
  for (const request of requests.slice(0, 1000)) checkDecision(after, request);
  let allowed = 0;
  const times = Array.from({ length: rounds }, () => {
    allowed = 0;
    const start = cpuMs();
    for (const request of requests) {
      if (replay(before, after, [request]).after.decision.outcome === 'OUTCOME_ALLOW') allowed++;
    }
    return cpuMs() - start;
  });
  return { ms: median(times), allowed };
}

/** Those of the comparison but the open ones. */
const compared = (): readonly PolicySource[] =>
  cases.flatMap(({ policies }) => policies).filter(({ id }) => id !== 'signing');

/** 20 policies: those, and a cap for each of a dozen recipients. */
function draft(): readonly PolicySource[] {
  const given = compared();
  const caps = Array.from({ length: 20 - given.length }, (_, index): PolicySource => {
    const condition = `activity.kind == 'SIGN_TRANSACTION' && eth.tx.to == '${addressOf(200 + index)}' && eth.tx.value <= ${index + 1}000000000`;
    return { id: `cap ${index}`, effect: 'EFFECT_ALLOW', condition };
  });
  return [...given, ...caps];
}

/** Outside business hours and by another wallet, so that the narrow policies decide. */
function pastActivity(index: number): Activity {
  const given = cases[index % cases.length] as (typeof cases)[number];
  const made = index % 3 ? given.allowed(index % 1000) : given.refused(index % 1000);
  if (index % 4) return made;
  const fields = { walletId: 'hot-wallet', now: new Date('2026-03-07T22:00:00Z') };
  return { ...made, ...fields };
}
