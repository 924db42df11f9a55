/**
 * What policies ask about an organization's past: sums over windows of time, when something happened last, and to whom it
 * never signed anything. Sums and times are counters of the organization, addresses have pages of their own; both are part of
 * the same transition as the signature: no restart, batch or database gives them back. Nothing is kept that no policy asks for.
 */
import { hash } from 'node:crypto';
import { holdsForAny } from '../policy/filters.ts';
import { maxDuration } from '../policy/time.ts';
import type { Value } from '../policy/types.ts';
import type { Facts } from '../policy/values.ts';
import {
  type History,
  isAsset,
  maxDestinations,
  maxNewDestinations,
  spendingKey,
  type Window,
  windowKey,
} from '../policy/windows.ts';
import { quotas } from './activities/quotas.ts';
import { type Destinations, destinationsOf } from './destinations.ts';
import { nanoseconds } from './policy-values.ts';
import { type Spending, spendingOf } from './spending.ts';
import { type Counters, noContent, type Organization, put, type WindowEntry } from './state.ts';

/** What is asked for, or was carried out. */
export type Deed = {
  readonly kind: string;
  /** Of each thing that it signs. */
  readonly facts: readonly Facts[];
  /** The Ethereum address that signs, in lower case; empty where there is none. */
  readonly signer: string;
  /** The smart accounts that it owns: they spend for it, whether by operations, signatures or calls of their owner. */
  readonly accounts: readonly string[];
};

type Kept = Pick<Organization, 'counters' | 'destinations'>;

const minute = 60_000;
/** Entries of one sum: the windows that ask for it are told to a part in so many, never too little. */
const resolution = 300;
/** Somewhat more than policies may ask for: what binds users and sessions asks too. */
const mostWindows = 2 * quotas.windows.most;

/**
 * The fact `history`. After a restored state nobody knows what was done before: a window that reaches back beyond it has no
 * sum, whoever asks for it errs, and what happened last counts as having happened then. Addresses that were forgotten are new.
 */
export function historyFacts(
  windows: readonly Window[],
  { counters, destinations }: Kept,
  deed: Deed,
  now: number,
  epochStart: number,
): History {
  const history = new Map<string, Value>();
  const spending = windows.some(({ of }) => of === 'spent') ? spendingOf(deed.facts, ownOf(deed)) : null;
  const found = findDestinations(windows, deed);
  for (const [key, window] of keptOf(windows)) {
    const answer = answerOf(window, counters, destinations, found, now, epochStart);
    if (answer !== undefined) history.set(key, answer);
    const spends = spending && spendsOf(spending, window.what);
    if (window.of === 'spent' && spends !== null) history.set(spendingKey(window.what), spends);
  }
  return history;
}

const ownOf = ({ signer, accounts }: Deed): ReadonlySet<string> => new Set([signer, ...accounts]);

/** Windows by key, in the order in which they were asked for; more than can be kept have no answer. */
function keptOf(windows: readonly Window[]): ReadonlyMap<string, Window> {
  const byKey = new Map<string, Window>();
  for (const window of windows) {
    if (byKey.size === mostWindows) break;
    byKey.set(windowKey(window), window);
  }
  return byKey;
}

function answerOf(
  window: Window,
  { windows = {}, last = {} }: Counters,
  destinations: Organization['destinations'],
  found: Destinations | undefined,
  now: number,
  epochStart: number,
): Value | undefined {
  switch (window.of) {
    case 'spent':
    case 'activities': {
      const since = now - window.length;
      const isKnown = epochStart === 0 || epochStart <= since;
      return isKnown ? sumSince(windows[keyOf(window)] ?? [], since) : undefined;
    }
    case 'last': {
      const at = Math.max(last[keyOf(window)] ?? 0, epochStart);
      return at === 0 ? maxDuration : nanoseconds(Math.max(0, now - at));
    }
    default:
      return newAmong(window.of, found, destinations);
  }
}

/** What is counted under one name, however long the windows that ask for it are. */
function keyOf({ of, what, filter }: Window): string {
  return `${of}/${filter ? hash('sha256', what, 'base64url') : what}`;
}

/** An entry counts as a whole until the last of it has left the window. */
const sumSince = (entries: readonly WindowEntry[], since: number): bigint =>
  entries.reduce((sum, [, last, amount]) => ((last + 1) * minute > since ? sum + BigInt(amount) : sum), 0n);

type Role = 'recipients' | 'contracts';

/** Undefined where no window asks for them. */
function findDestinations(windows: readonly Window[], { facts, signer }: Deed): Destinations | undefined {
  const areAskedFor = windows.some(({ of }) => of === 'recipients' || of === 'contracts');
  return areAskedFor ? destinationsOf(facts, signer) : undefined;
}

const destinationId = (role: Role, id: string): string => `${role}/${id}`;

/** Addresses that are not kept; undefined where it cannot be told which there are, null where it cannot be told which are new. */
function newAmong(role: Role, found: Destinations | undefined, kept: Organization['destinations']): Value | undefined {
  const ids = found?.[role];
  if (!ids) return undefined;
  const added = [...ids].filter((id) => !kept.has(destinationId(role, id)));
  if (added.length > maxNewDestinations || (added.length > 0 && kept.size >= maxDestinations)) return null;
  return [...new Set(added.map((id) => id.slice(id.indexOf('/') + 1)))];
}

/** `next` with `deed`, carried out at `now`, counted as far as `windows` ask for it; what nobody asks for is forgotten. */
export function countPast(next: Organization, windows: readonly Window[], deed: Deed, now: number): Organization {
  const asksForAssets = windows.some(({ what }) => isAsset(what));
  const spending = asksForAssets ? spendingOf(deed.facts, ownOf(deed)) : null;
  const counters = countWindows(next.counters, windows, (window) => amountOf(window, deed, spending), now);
  const destinations = keepDestinations(next.destinations, findDestinations(windows, deed));
  return { ...next, counters, destinations };
}

/** Whether anything is kept of the past. */
export const keepsPast = ({ counters, destinations }: Kept): boolean =>
  counters.windows !== undefined || counters.last !== undefined || destinations.size > 0;

function keepDestinations(
  kept: Organization['destinations'],
  found: Destinations | undefined,
): Organization['destinations'] {
  if (!found) return kept.size === 0 ? kept : noContent.destinations;
  const ids = (['recipients', 'contracts'] as const).flatMap((role) =>
    [...(found[role] ?? [])].map((id) => destinationId(role, id)),
  );
  const added = ids.filter((id) => !kept.has(id)).slice(0, Math.max(0, maxDestinations - kept.size));
  return added.length === 0 ? kept : put(kept, ...added.map((id) => ({ id })));
}

/** What of a deed counts for a window; of a time, more than nothing where it happened. */
function amountOf({ of, what, filter }: Window, { kind, facts }: Deed, spending: Spending): bigint {
  if (filter) return holdsForAny(filter, facts) ? 1n : 0n;
  if (!isAsset(what)) return what === kind ? 1n : 0n;
  // What cannot be read may have been of the asset.
  const spends = spending && spendsOf(spending, what);
  return spends ?? (of === 'last' ? 1n : 0n);
}

/** Null where it cannot be told. */
const spendsOf = (spending: NonNullable<Spending>, asset: string): bigint | null => {
  const amount = spending.get(asset);
  return amount === undefined ? 0n : amount;
};

/** The counters after something was carried out at `now` of which `amount` counts for each window. */
export function countWindows(
  counters: Counters,
  windows: readonly Window[],
  amount: (window: Window) => bigint,
  now: number,
): Counters {
  const sums = new Map<string, { readonly added: bigint; readonly length: number }>();
  const last: Record<string, number> = {};
  for (const window of keptOf(windows).values()) {
    const key = keyOf(window);
    if (window.of === 'last') {
      const at = amount(window) > 0n ? now : counters.last?.[key];
      if (at !== undefined) last[key] = at;
    } else if (window.of === 'spent' || window.of === 'activities') {
      const known = sums.get(key);
      sums.set(key, {
        added: known?.added ?? amount(window),
        length: Math.max(known?.length ?? 0, window.length),
      });
    }
  }
  const next: Record<string, readonly WindowEntry[]> = {};
  for (const [key, { added, length }] of sums) next[key] = addEntry(counters.windows?.[key] ?? [], added, now, length);
  return {
    signCounts: counters.signCounts,
    ...(sums.size > 0 && { windows: next }),
    ...(Object.keys(last).length > 0 && { last }),
  };
}

function addEntry(
  entries: readonly WindowEntry[],
  amount: bigint,
  now: number,
  length: number,
): readonly WindowEntry[] {
  const kept = entries.filter(([, last]) => (last + 1) * minute > now - length);
  if (amount === 0n) return kept;
  const at = Math.floor(now / minute);
  const width = Math.max(1, Math.ceil(length / minute / resolution));
  const newest = kept.at(-1);
  if (!newest || at - newest[0] >= width) return [...kept, [at, at, String(amount)]];
  const [first, last, sum] = newest;
  return [...kept.slice(0, -1), [first, Math.max(last, at), String(BigInt(sum) + amount)]];
}
