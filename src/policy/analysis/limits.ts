/** How far the solver looks into lists, and what it knows of texts that can be only few. */
import type { Clause } from '../policy-set.ts';
import { activityClass, activityKinds } from '../schema/activities.ts';
import type { Expression } from '../syntax.ts';
import { children } from '../tree-builder.ts';
import type { Limits } from './symbols.ts';

/** Items of other lists than those of approvals. */
const usual = 3;
const mostApprovers = 8;

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];
const versions = ['', ...Array.from({ length: 11 }, (_, index) => `_V${index + 2}`)];

/** Of a kind: with prefix, in every version that there may be. */
export const typesOf = (kind: string): readonly string[] =>
  versions.map((version) => `ACTIVITY_TYPE_${kind}${version}`);

const choices: Limits['choices'] = new Map([
  ['activity.type', activityKinds.flatMap(typesOf)],
  ['activity.kind', activityKinds],
  ['activity.resource', unique(activityKinds.map((kind) => activityClass(kind)?.resource ?? ''))],
  ['activity.action', unique(activityKinds.map((kind) => activityClass(kind)?.action ?? ''))],
]);

/** As many approvers as some clause counts, and one more; or as it looks for one by one. */
export function limitsFor(clauses: readonly Pick<Clause, 'checked'>[]): Limits {
  const needed = clauses.map(({ checked }) => {
    const nodes = descendants(checked.tree);
    const about = nodes.some(
      (node) => node.kind === 'name' && (node.name === 'approvers' || node.name === 'credentials'),
    );
    const macros = nodes.filter(({ kind }) => kind === 'macro').length;
    return about ? Math.max(macros, 1 + Math.max(0, ...nodes.map(countOf))) : 0;
  });
  const approvers = Math.min(mostApprovers, Math.max(usual, ...needed));
  return {
    choices,
    itemsOf: (placeClass) => (placeClass === 'approvers' || placeClass === 'credentials' ? approvers : usual),
  };
}

const descendants = (node: Expression): readonly Expression[] => [node, ...children(node).flatMap(descendants)];

/** Larger numbers are no numbers of approvers. */
const countOf = (node: Expression): number =>
  node.kind === 'literal' && typeof node.literal.value === 'bigint' && node.literal.value < 20n
    ? Number(node.literal.value)
    : 0;
