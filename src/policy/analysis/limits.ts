/** How far the solver looks into lists, and what it knows of texts that can be only few. */
import { activityClass, activityKinds } from '../schema/activities.ts';
import { type ExpressionText, type Need, needsOf } from './list-needs.ts';
import type { Limits } from './symbols.ts';

/** Items of a list that are looked at at the most: each is encoded for itself. */
const mostItems = 24;
const mostApprovers = 48;
/** What no more is needed of is looked at so far, so that witnesses look like requests. */
const fewest = 3;

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

/** Everybody approves with one credential: what is needed of the ones is needed of the others. */
const together: ReadonlySet<string> = new Set(['approvers', 'credentials']);

export function limitsFor(expressions: readonly ExpressionText[]): Limits {
  const needs = needsOf(expressions);
  const needOf = (placeClass: string): Need => needs.get(placeClass) ?? { items: 0, certain: together.has(placeClass) };
  return {
    choices,
    itemsOf(placeClass) {
      const isAboutPeople = together.has(placeClass);
      const [most, all] = isAboutPeople
        ? [mostApprovers, [...together].map(needOf)]
        : [mostItems, [needOf(placeClass)]];
      // Who started it is the first of those who approve.
      const needed = all.reduce((sum, { items }) => sum + items, isAboutPeople ? 1 : 0);
      const certain = all.every((need) => need.certain) && needed <= most;
      return { items: Math.min(most, Math.max(fewest, needed)), certain };
    },
  };
}
