/** What a signature gives away, as far as the bytes that are signed tell. */
import { isNamedAlone } from '../decode/facts/calls.ts';
import type { Facts } from '../policy/values.ts';

/** Amounts in the smallest unit by asset, null of one for which it cannot be told; and null where it can for none. */
export type Spending = ReadonlyMap<string, bigint | null> | null;

type Transfer = { readonly token: string; readonly from: string; readonly amount: bigint };
type Call = { readonly to: string; readonly standard: string; readonly selector: string };
type Moves = {
  readonly calls: readonly Call[];
  readonly calls_complete: boolean;
  readonly transfers: readonly Transfer[];
};
type Calls = Moves & { readonly chain_id: bigint };
type TypedData = {
  readonly domain: { readonly chain_id: bigint };
  readonly known: Moves & { readonly kind: string };
};
type Signed = {
  readonly eth?: { readonly tx?: Calls; readonly eip_712?: TypedData; readonly eip_7702_authorization?: unknown };
  readonly payload?: { readonly kind: string; readonly tx?: Calls };
  readonly userop?: Calls;
};

/** Kinds of payloads that are for nobody and give nothing away, whatever they say. */
export const harmlessPayloads: ReadonlySet<string> = new Set(['personal_message', 'text', 'siwe']);

/** What all that an activity signs would spend: transfers from `own` addresses, and what it allows others to take. Gas is not counted. */
export function spendingOf(facts: readonly Facts[], own: ReadonlySet<string>): Spending {
  const sums = new Map<string, bigint>();
  const unknown = new Set<string>();
  for (const each of facts) {
    const moved = movedBy(each as Signed);
    if (moved === null) return null;
    for (const asset of moved.unknown) unknown.add(asset);
    for (const { asset, from, amount } of moved.transfers) {
      if (own.has(from)) sums.set(asset, (sums.get(asset) ?? 0n) + amount);
    }
  }
  return new Map([...sums, ...[...unknown].map((asset): [string, null] => [asset, null])]);
}

type Moved = {
  readonly transfers: readonly (Transfer & { readonly asset: string })[];
  /** Tokens whose contracts are called by functions of which nobody knows what they move. */
  readonly unknown: readonly string[];
};
const nothing: Moved = { transfers: [], unknown: [] };

function movedBy({ eth, payload, userop }: Signed): Moved | null {
  // The authorization that goes with an operation is for the code that was read; the operation itself is counted apart.
  if (userop) return eth?.eip_7702_authorization ? nothing : ofCalls(userop, userop.chain_id);
  if (eth?.tx) return ofCalls(eth.tx, eth.tx.chain_id);
  if (eth?.eip_712) {
    const { domain, known } = eth.eip_712;
    return known.kind === 'unknown' ? null : ofCalls(known, domain.chain_id);
  }
  if (!payload) return eth?.eip_7702_authorization ? null : nothing;
  if (payload.tx) return ofCalls(payload.tx, payload.tx.chain_id);
  return harmlessPayloads.has(payload.kind) ? nothing : null;
}

function ofCalls({ calls, calls_complete, transfers }: Moves, chain: bigint): Moved | null {
  if (!calls_complete) return null;
  return {
    transfers: transfers.map((transfer) => ({ ...transfer, asset: assetOf(chain, transfer.token) })),
    unknown: calls.filter(isNamedAlone).map(({ to }) => assetOf(chain, to)),
  };
}

const assetOf = (chain: bigint, token: string): string => `eip155:${chain}${token === '' ? '' : `/${token}`}`;
