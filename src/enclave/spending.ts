/**
 * What an organization has spent and done within windows of time that its policies ask about. The sums are counters of
 * the organization, part of the same transition as the signature: no restart, batch or database gives them back.
 */

import type { Facts } from '../policy/values.ts';
import { spendingKey, type Window, windowKey } from '../policy/windows.ts';
import type { Counters, WindowEntry } from './state.ts';

/** Amounts in the smallest unit by asset; null where it cannot be told what a signature gives away. */
export type Spending = ReadonlyMap<string, bigint> | null;

type Transfer = { readonly token: string; readonly from: string; readonly amount: bigint };
type Calls = {
  readonly chain_id: bigint;
  readonly from: string;
  readonly calls_complete: boolean;
  readonly transfers: readonly Transfer[];
};
type TypedData = {
  readonly domain: { readonly chain_id: bigint };
  readonly known: { readonly kind: string; readonly calls_complete: boolean; readonly transfers: readonly Transfer[] };
};
type Signed = {
  readonly eth?: { readonly tx?: Calls; readonly eip_712?: TypedData; readonly eip_7702_authorization?: unknown };
  readonly payload?: { readonly kind: string; readonly tx?: Calls };
};

/** Kinds of payloads that give nothing away, whatever they say. */
const harmless: ReadonlySet<string> = new Set(['personal_message', 'text', 'siwe']);

/** What all that an activity signs would spend: transfers from the signer, and what it allows others to take. Gas is not counted. */
export function spendingOf(facts: readonly Facts[], signer: string): Spending {
  const sums = new Map<string, bigint>();
  for (const each of facts) {
    const transfers = transfersOf(each as Signed);
    if (transfers === null) return null;
    for (const { asset, from, amount } of transfers) {
      if (from === signer) sums.set(asset, (sums.get(asset) ?? 0n) + amount);
    }
  }
  return sums;
}

type Named = Transfer & { readonly asset: string };

function transfersOf({ eth, payload }: Signed): readonly Named[] | null {
  if (eth?.tx) return ofCalls(eth.tx);
  if (eth?.eip_712) {
    const { domain, known } = eth.eip_712;
    return known.kind === 'unknown' || !known.calls_complete ? null : named(known.transfers, domain.chain_id);
  }
  if (!payload) return eth?.eip_7702_authorization ? null : [];
  if (payload.tx) return ofCalls(payload.tx);
  return harmless.has(payload.kind) ? [] : null;
}

const ofCalls = ({ calls_complete, transfers, chain_id }: Calls): readonly Named[] | null =>
  calls_complete ? named(transfers, chain_id) : null;

const named = (transfers: readonly Transfer[], chain: bigint): readonly Named[] =>
  transfers.map((transfer) => ({
    ...transfer,
    asset: transfer.token === '' ? `eip155:${chain}` : `eip155:${chain}/${transfer.token}`,
  }));

const minute = 60_000;
/** Entries of one sum: the windows that ask for it are told to a part in so many, never too little. */
const resolution = 300;

/**
 * The fact `history`: sums of what was carried out within the windows, and what is asked for now. After a restored state
 * nobody knows what was spent before: a window that reaches back beyond it has no sum, and whoever asks for it errs.
 */
export function historyFacts(
  windows: readonly Window[],
  { windows: kept = {} }: Counters,
  spending: Spending,
  now: number,
  epochStart: number,
): ReadonlyMap<string, bigint> {
  const history = new Map<string, bigint>();
  for (const window of windows) {
    const since = now - window.length;
    const known = epochStart === 0 || epochStart <= since;
    if (known) history.set(windowKey(window), sumSince(kept[keyOf(window)] ?? [], since));
    if (window.of === 'spent' && spending) history.set(spendingKey(window.what), spending.get(window.what) ?? 0n);
  }
  return history;
}

const keyOf = ({ of, what }: Pick<Window, 'of' | 'what'>): string => `${of}/${what}`;

/** An entry counts as a whole until the last of it has left the window. */
const sumSince = (entries: readonly WindowEntry[], since: number): bigint =>
  entries.reduce((sum, [, last, amount]) => ((last + 1) * minute > since ? sum + BigInt(amount) : sum), 0n);

/** The counters after an activity of `kind` that spent `spending` was carried out at `now`. */
export function countWindows(
  counters: Counters,
  windows: readonly Window[],
  kind: string,
  spending: Spending,
  now: number,
): Counters {
  const longest = new Map<string, number>();
  for (const window of windows) {
    longest.set(keyOf(window), Math.max(longest.get(keyOf(window)) ?? 0, window.length));
  }
  const next: Record<string, readonly WindowEntry[]> = {};
  for (const [key, length] of longest) {
    const [of, what] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];
    const added = of === 'activities' ? BigInt(what === kind ? 1 : 0) : (spending?.get(what) ?? 0n);
    next[key] = addEntry(counters.windows?.[key] ?? [], added, now, length);
  }
  return { ...counters, windows: next };
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
