/**
 * How long a list has to be looked at so that nothing can be overlooked. Take a list of any length for which an expression
 * comes out in some way: of the elements those are enough that make each of its questions about the list come out as it does,
 * such as one for which an `exists` is true, or the first two for `[1]`, or three where a size is compared with 2. Without the
 * others every question has the same answer. That does not hold for questions that are asked anew for each element of another
 * list, and of sizes that are compared with what is no constant.
 */

import { parts } from '../blame.ts';
import type { Checked } from '../check.ts';
import type { Plan } from '../plan.ts';
import { historyKey } from '../windows.ts';
import { historyPlace, placeClass } from './symbols.ts';

export type ExpressionText = { readonly source: string; readonly checked: Checked };

export type Need = {
  readonly items: number;
  /** So many are enough. */
  readonly certain: boolean;
};

/** A place, and the variables that say of which elements around it. */
type Origin = { readonly place: string; readonly slots: ReadonlySet<number> };

/** What macros' variables stand for: a place, or what `map` made of several. */
type Variable = { readonly origins: readonly Origin[]; readonly name: string };

type Questions = Map<string, Map<string, number>>;
type Search = ExpressionText & { readonly variables: readonly Variable[]; readonly questions: Questions };

const noSlots: ReadonlySet<number> = new Set();
const anyNumber = Number.POSITIVE_INFINITY;
/** Elements for a question of which nobody knows how many it takes. */
const guess = 2;

/** By class of place; nothing is known of others. */
export function needsOf(expressions: readonly ExpressionText[]): ReadonlyMap<string, Need> {
  const questions: Questions = new Map();
  for (const { source, checked } of expressions) visit(checked.plan, { source, checked, variables: [], questions });
  return new Map(
    Array.from(questions, ([place, asked]) => {
      const counts = [...asked.values()];
      const certain = counts.every(Number.isFinite);
      const items = counts.reduce((sum, count) => sum + (Number.isFinite(count) ? count : guess), 0);
      return [place, { items, certain }] as const;
    }),
  );
}

/** Notes a question about a list of which so many elements decide, and that depends on these variables. */
function note(search: Search, plan: Plan, list: Plan, count: number, slots: ReadonlySet<number>): void {
  const { checked, variables, questions } = search;
  for (const { place, slots: own } of listsOf(list, search)) {
    const asked = questions.get(place) ?? new Map<string, number>();
    questions.set(place, asked);
    const key = [checked.language, textOf(search, plan), ...variables.map(({ name }) => name)].join('\n');
    const isOwn = [...slots].every((slot) => own.has(slot));
    asked.set(key, Math.max(asked.get(key) ?? 0, isOwn ? count : anyNumber));
  }
}

const textOf = ({ source }: Search, { source: { span } }: Plan): string => source.slice(span.start, span.end);

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const sizes: ReadonlySet<string> = new Set(['size', 'count']);
const isSize = (plan: Plan): plan is Plan & { op: 'apply' } => plan.op === 'apply' && sizes.has(plan.name);

function visit(plan: Plan, search: Search): void {
  if (plan.op === 'loop') visitLoop(plan, search);
  else if (plan.op === 'apply') visitApplication(plan, search);
  else for (const part of parts(plan)) visit(part, search);
}

function visitLoop(plan: Plan & { op: 'loop' }, search: Search): void {
  visit(plan.range, search);
  const inner = within(plan, search);
  const free = new Set<number>();
  for (const part of [plan.predicate, plan.transform]) {
    if (!part) continue;
    visit(part, inner);
    for (const slot of slotsOf(part)) free.add(slot);
  }
  free.delete(plan.slot);
  note(search, plan, plan.range, plan.macro === 'exists_one' ? 2 : 1, free);
}

function visitApplication(plan: Plan & { op: 'apply' }, search: Search): void {
  const [first, second] = plan.arguments;
  const bound = [first, second].map(constantOf).find((value) => value !== undefined);
  const isBounded = comparisons.has(plan.name) && bound !== undefined;
  for (const argument of plan.arguments) {
    if (isBounded && isSize(argument)) visitSize(argument, Math.max(0, Number(bound) + 1), search);
    else visit(argument, search);
  }
  if (isSize(plan)) visitSize(plan, anyNumber, search);
  if (!first || !second) return;
  if (plan.name === 'in') note(search, plan, second, 2, slotsOf(first));
  const index = constantOf(second);
  if (plan.name === 'index' && index !== undefined) note(search, plan, first, Number(index) + 1, noSlots);
}

function visitSize({ arguments: [list] }: Plan & { op: 'apply' }, count: number, search: Search): void {
  if (!list) return;
  visit(list, search);
  note(search, list, list, count, slotsOf(list));
}

const constantOf = (plan: Plan | undefined): bigint | undefined =>
  plan?.op === 'constant' && typeof plan.value === 'bigint' ? plan.value : undefined;

/** Where the elements of a loop's range are one by one. */
function within(plan: Plan & { op: 'loop' }, search: Search): Search {
  const origins = elementsOf(plan.range, search).map(({ place, slots }) => ({
    place,
    slots: new Set([...slots, plan.slot]),
  }));
  const variables = [...search.variables];
  variables[plan.slot] = { origins, name: textOf(search, plan.range) };
  return { ...search, variables };
}

/** The elements of a list: places in it, or what `map` makes of them. */
function elementsOf(list: Plan, search: Search): readonly Origin[] {
  if (list.op !== 'loop') return originsOf(list, search).map(({ place, slots }) => ({ place: `${place}[*]`, slots }));
  return list.transform ? originsOf(list.transform, within(list, search)) : elementsOf(list.range, search);
}

/** The lists that the elements of a list come from. */
const listsOf = (list: Plan, search: Search): readonly Origin[] =>
  list.op === 'loop' ? listsOf(list.range, search) : originsOf(list, search);

function originsOf(plan: Plan, search: Search): readonly Origin[] {
  const below = (object: Plan, step: string): readonly Origin[] =>
    originsOf(object, search).map(({ place, slots }) => ({ place: placeClass(place + step), slots }));
  switch (plan.op) {
    case 'path':
      return [{ place: plan.steps.map(({ field }) => field).join('.'), slots: noSlots }];
    case 'variable':
      return search.variables[plan.slot]?.origins ?? [];
    case 'field':
      return below(plan.object, `.${plan.step.field}`);
    case 'loop':
      return listsOf(plan, search);
    case 'conditional':
      return [plan.whenTrue, plan.whenFalse].flatMap((branch) => originsOf(branch, search));
    case 'apply': {
      const key = plan.source.kind === 'call' ? historyKey(plan.source) : undefined;
      if (key !== undefined) return [{ place: historyPlace(key), slots: noSlots }];
      const [container, index] = plan.arguments;
      if (!container) return [];
      if (plan.name === 'convert') return originsOf(container, search);
      if (plan.name === 'select' && plan.source.kind === 'member') {
        return below(container, `[${JSON.stringify(plan.source.field)}]`);
      }
      if (plan.name !== 'index' || index?.op !== 'constant') return [];
      if (typeof index.value === 'string') return below(container, `[${JSON.stringify(index.value)}]`);
      return elementsOf(container, search);
    }
    default:
      return [];
  }
}

/** The variables that a plan reads, its own apart. */
function slotsOf(plan: Plan): ReadonlySet<number> {
  if (plan.op === 'variable') return new Set([plan.slot]);
  const found = new Set(parts(plan).flatMap((part) => [...slotsOf(part)]));
  if (plan.op !== 'loop') return found;
  found.delete(plan.slot);
  return new Set([...found, ...slotsOf(plan.range)]);
}
