/** Answers in words. */
import type { JsonValue } from '../../protocol/json.ts';
import type { Answer } from './ask.ts';
import type { Unknown } from './symbols.ts';
import type { PolicyFinding } from './unused.ts';
import type { Witness } from './witness.ts';

/** One line, and where there is one the witness on the next. */
export function describeAnswer(answer: Answer): string {
  switch (answer.answer) {
    case 'yes':
      return `yes\n  ${describeWitness(answer.witness)}`;
    case 'no':
      return 'no';
    case 'unknown':
      return `unknown: ${describeUnknowns(answer.because)}`;
  }
}

export function describeFinding(finding: PolicyFinding): string {
  switch (finding.verdict) {
    case 'used':
      return `${finding.policyId}: makes a difference\n  ${describeWitness(finding.witness)}`;
    case 'unknown':
      return `${finding.policyId}: unknown: ${describeUnknowns(finding.because)}`;
    default:
      return `${finding.policyId}: ${verdicts[finding.verdict]}`;
  }
}

const verdicts = {
  'never-matches': 'never matches: there is no request to which it applies',
  shadowed: 'shadowed: denies or guards stop all that it allows',
  redundant: 'redundant: without it the other policies decide the same',
  idle: 'idle: it stops only what nothing would allow',
} as const;

const describeUnknowns = (because: readonly Unknown[]): string =>
  because
    .map(({ text, reason, at }) => `\`${text}\`${at ? ` (${at.of} ${at.line}:${at.column})` : ''}: ${reason}`)
    .join('; ');

/** `SIGN_TRANSACTION, eth.tx.value 5; approved by alice`. */
export function describeWitness({ facts, approvers, rootQuorum }: Witness): string {
  const { activity, ...others } = facts;
  const { type, params } = activity as { type: string; params: JsonValue };
  const parts = [
    ...leavesOf('activity.params', params),
    ...Object.entries(others).flatMap(([name, value]) => leavesOf(name, value)),
  ];
  const people = approvers.map((approver) => {
    const { id, ...rest } = approver as { readonly id: string; readonly [name: string]: JsonValue };
    const more = Object.entries(rest).flatMap(([name, value]) => leavesOf(name, value));
    return more.length > 0 ? `${id} (${more.join(', ')})` : id;
  });
  const root = rootQuorum.userIds.length > 0 ? ', the root quorum' : '';
  return `${[type, ...parts].join(', ')}; approved by ${people.join(' and ')}${root}`;
}

function leavesOf(path: string, value: JsonValue): readonly string[] {
  if (Array.isArray(value)) return value.length > 0 ? [`${path} ${JSON.stringify(value)}`] : [];
  if (typeof value !== 'object' || value === null) return [`${path} ${value === '' ? "''" : String(value)}`];
  if (typeof value.$int === 'string') return [`${path} ${value.$int}`];
  const leaves = Object.entries(value).flatMap(([name, member]) => leavesOf(`${path}.${name}`, member));
  return leaves;
}
