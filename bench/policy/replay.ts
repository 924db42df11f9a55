/** Replay of a draft set over an organization's past. */
import { decide } from '../../src/policy/decide-policies.ts';
import { compilePolicy, createPolicySet, type PolicySource } from '../../src/policy/policy-set.ts';
import { median } from '../support/statistics.ts';
import { cases } from './cases.ts';
import { type Activity, addressOf, requestOf } from './facts.ts';
import { checkDecision } from './large-sets.ts';

export type Replay = { readonly ms: number; readonly allowed: number };

/** Milliseconds of deciding `count` activities by the draft, and how many it allows; their facts are there before. */
export function timeReplay(count: number, rounds: number): Replay {
  const set = createPolicySet(draft().map(compilePolicy));
  const requests = Array.from({ length: count }, (_, index) => requestOf(pastActivity(index)));
  for (const request of requests.slice(0, 1000)) checkDecision(set, request);
  let allowed = 0;
  const times = Array.from({ length: rounds }, () => {
    allowed = 0;
    const start = performance.now();
    for (const request of requests) if (decide(set, request).outcome === 'OUTCOME_ALLOW') allowed++;
    return performance.now() - start;
  });
  return { ms: median(times), allowed };
}

/** 20 policies: those of the comparison but the open ones, and a cap for each of a dozen recipients. */
function draft(): readonly PolicySource[] {
  const compared = cases.flatMap(({ policies }) => policies).filter(({ id }) => id !== 'signing');
  const caps = Array.from({ length: 20 - compared.length }, (_, index): PolicySource => {
    const condition = `activity.kind == 'SIGN_TRANSACTION' && eth.tx.to == '${addressOf(200 + index)}' && eth.tx.value <= ${index + 1}000000000`;
    return { id: `cap ${index}`, effect: 'EFFECT_ALLOW', condition };
  });
  return [...compared, ...caps];
}

/** Outside business hours and by another wallet, so that the narrow policies decide. */
function pastActivity(index: number): Activity {
  const given = cases[index % cases.length] as (typeof cases)[number];
  const made = index % 3 ? given.allowed(index % 1000) : given.refused(index % 1000);
  if (index % 4) return made;
  const fields = { walletId: 'hot-wallet', now: new Date('2026-03-07T22:00:00Z') };
  return { ...made, ...fields };
}
