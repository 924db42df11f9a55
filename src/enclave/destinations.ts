/** Whom a signature is for: who gets something or may take it, and which contracts are called, by chain. */
import { isNamedAlone } from '../decode/facts/calls.ts';
import type { Facts } from '../policy/values.ts';
import { harmlessPayloads } from './spending.ts';

/** `eip155:<chain id>/<address>` each; null where it cannot be told whether these are all. */
export type Destinations = {
  readonly recipients: ReadonlySet<string> | null;
  readonly contracts: ReadonlySet<string> | null;
};

type Transfer = { readonly to: string; readonly amount: bigint };
type Call = {
  readonly kind: string;
  readonly to: string;
  readonly standard: string;
  readonly selector: string;
  readonly data: string;
  readonly depth: bigint;
  readonly batch: boolean;
};
type Calls = {
  readonly calls: readonly Call[];
  readonly calls_complete: boolean;
  readonly transfers: readonly Transfer[];
};
type Transaction = Calls & { readonly chain_id: bigint };
type TypedData = {
  readonly domain: { readonly chain_id: bigint; readonly verifying_contract: string };
  readonly known: Calls & { readonly kind: string };
};
type Authorization = { readonly chain_id: bigint; readonly address: string };
type Signed = {
  readonly eth?: {
    readonly tx?: Transaction;
    readonly eip_712?: TypedData;
    readonly eip_7702_authorization?: Authorization;
  };
  readonly payload?: { readonly kind: string; readonly tx?: Transaction; readonly authorization?: Authorization };
  readonly userop?: Transaction & { readonly sender: string; readonly opaque: boolean };
};

/** Addresses on one chain. */
type Found = {
  readonly chain: bigint;
  readonly recipients: readonly string[] | null;
  readonly contracts: readonly string[] | null;
};

/** Of all that an activity signs; `signer` (lower-case address) and its smart account are left out. */
export function destinationsOf(facts: readonly Facts[], signer: string): Destinations {
  const found = facts.map((each) => ofSigned(each as Signed));
  const own = new Set([signer, ...facts.map((each) => (each as Signed).userop?.sender)]);
  const all = (role: 'recipients' | 'contracts'): ReadonlySet<string> | null => {
    const ids = new Set<string>();
    for (const { chain, [role]: addresses } of found) {
      if (addresses === null) return null;
      for (const address of addresses) if (!own.has(address)) ids.add(`eip155:${chain}/${address}`);
    }
    return ids;
  };
  return { recipients: all('recipients'), contracts: all('contracts') };
}

function ofSigned({ eth, payload, userop }: Signed): Found {
  if (userop) return ofOperation(userop, eth?.eip_7702_authorization);
  const tx = eth?.tx ?? payload?.tx;
  if (tx) return { chain: tx.chain_id, recipients: recipientsOf(tx), contracts: contractsOf(tx) };
  if (eth?.eip_712) return ofTypedData(eth.eip_712);
  const authorization = eth?.eip_7702_authorization ?? payload?.authorization;
  // Code that acts in the signer's name may give anything to anybody.
  if (authorization) return { chain: authorization.chain_id, recipients: null, contracts: [authorization.address] };
  const isForNobody = !payload || harmlessPayloads.has(payload.kind);
  return isForNobody ? { chain: 0n, recipients: [], contracts: [] } : { chain: 0n, recipients: null, contracts: null };
}

/** The authorization that goes with an operation is signed apart, for code that was read. */
function ofOperation(userop: NonNullable<Signed['userop']>, authorization: Authorization | undefined): Found {
  if (authorization) return { chain: authorization.chain_id, recipients: [], contracts: [authorization.address] };
  const isReadable = !userop.opaque;
  return {
    chain: userop.chain_id,
    recipients: isReadable ? recipientsOf(userop) : null,
    contracts: isReadable ? contractsOf(userop) : null,
  };
}

function ofTypedData({ domain, known }: TypedData): Found {
  const verifying = domain.verifying_contract === '' ? [] : [domain.verifying_contract];
  const isKnown = known.kind !== 'unknown';
  // Of a message that is signed as a hash within nothing is shown.
  const isHidden = isKnown && !known.calls_complete && known.calls.length === 0;
  const inner = isHidden ? null : isKnown ? contractsOf(known) : [];
  return {
    chain: domain.chain_id,
    recipients: isKnown ? recipientsOf(known) : null,
    contracts: inner && [...verifying, ...inner],
  };
}

/** An approval of nothing takes one back, and a transfer of nothing makes nobody known. */
const recipientsOf = ({ calls, transfers, calls_complete }: Calls): readonly string[] | null =>
  calls_complete && !calls.some(isNamedAlone)
    ? transfers.filter(({ amount }) => amount > 0n).map(({ to }) => to)
    : null;

/** Bounds of decoding, beyond which calls are not shown. */
const [maxCalls, maxDepth] = [256, 6n];

/** A function that nobody knows still has a contract that is known; a batch that cannot be read hides some. */
function contractsOf({ calls, calls_complete }: Calls): readonly string[] | null {
  const hides = ({ batch, depth }: Call, index: number): boolean =>
    depth >= maxDepth || (batch && calls[index + 1]?.depth !== depth + 1n);
  if (!calls_complete && (calls.length >= maxCalls || calls.some(hides))) return null;
  return calls
    .filter(({ to, data, kind }) => to !== '' && (data !== '0x' || kind === 'delegatecall'))
    .map(({ to }) => to);
}
