/** Whether one set of 20 policies allows more than another. */
import { type AnswerTo, analyse } from '../../src/policy/analysis/analyse.ts';
import type { PolicySource } from '../../src/policy/policy-set.ts';
import { median } from '../support/statistics.ts';
import { cases } from './cases.ts';
import { addressOf } from './facts.ts';

const size = 20;

/** Those of the comparison but the open one, and a cap for each of some recipients. */
function policiesWith(topUp: number): readonly PolicySource[] {
  const compared = cases.flatMap(({ policies }) => policies).filter(({ id }) => id !== 'signing');
  const caps = Array.from({ length: size - compared.length }, (_, index): PolicySource => {
    const most = (index + 1) * 1_000_000_000 + (index === 3 ? topUp : 0);
    const condition = `activity.kind == 'SIGN_TRANSACTION' && eth.tx.to == '${addressOf(200 + index)}' && eth.tx.value <= ${most}`;
    return { id: `cap ${index}`, effect: 'EFFECT_ALLOW', condition };
  });
  return [...compared, ...caps];
}

/** CPU ms, of a comparison in which one cap is a single wei higher; each starts worker and solver anew. */
export async function timeAnalysis(rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    const found = await analyse({ ask: 'compare', before: policiesWith(0), after: policiesWith(1) });
    const { user, system } = process.cpuUsage(before);
    checkComparison(found);
    times.push((user + system) / 1000);
  }
  return median(times);
}

function checkComparison({ looser, stricter }: AnswerTo['compare']): void {
  if (looser.answer !== 'yes' || stricter.answer !== 'no') {
    throw new Error(`the analysis says ${looser.answer} and ${stricter.answer}, where it is yes and no`);
  }
}
