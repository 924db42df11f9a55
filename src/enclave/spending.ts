/** What a signature gives away, as far as the bytes that are signed tell. */
import type { Facts } from '../policy/values.ts';

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
  readonly userop?: Omit<Calls, 'from'>;
};

/** Kinds of payloads that give nothing away, whatever they say. */
const harmless: ReadonlySet<string> = new Set(['personal_message', 'text', 'siwe']);

/** What all that an activity signs would spend: transfers from `own` addresses, and what it allows others to take. Gas is not counted. */
export function spendingOf(facts: readonly Facts[], own: ReadonlySet<string>): Spending {
  const sums = new Map<string, bigint>();
  for (const each of facts) {
    const transfers = transfersOf(each as Signed);
    if (transfers === null) return null;
    for (const { asset, from, amount } of transfers) {
      if (own.has(from)) sums.set(asset, (sums.get(asset) ?? 0n) + amount);
    }
  }
  return sums;
}

type Named = Transfer & { readonly asset: string };

function transfersOf({ eth, payload, userop }: Signed): readonly Named[] | null {
  // The authorization that goes with an operation is for the code that was read; the operation itself is counted apart.
  if (userop) return eth?.eip_7702_authorization ? [] : ofCalls(userop);
  if (eth?.tx) return ofCalls(eth.tx);
  if (eth?.eip_712) {
    const { domain, known } = eth.eip_712;
    return known.kind === 'unknown' || !known.calls_complete ? null : named(known.transfers, domain.chain_id);
  }
  if (!payload) return eth?.eip_7702_authorization ? null : [];
  if (payload.tx) return ofCalls(payload.tx);
  return harmless.has(payload.kind) ? [] : null;
}

const ofCalls = ({ calls_complete, transfers, chain_id }: Omit<Calls, 'from'>): readonly Named[] | null =>
  calls_complete ? named(transfers, chain_id) : null;

const named = (transfers: readonly Transfer[], chain: bigint): readonly Named[] =>
  transfers.map((transfer) => ({
    ...transfer,
    asset: transfer.token === '' ? `eip155:${chain}` : `eip155:${chain}/${transfer.token}`,
  }));
