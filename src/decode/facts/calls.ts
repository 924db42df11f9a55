import { decodeAbi } from './abi-decode.ts';
import type { AbiFunction } from './abi-function.ts';
import { AbiError } from './abi-types.ts';
import { batchFunctions } from './batch-functions.ts';
import type { BuiltInFunction } from './built-in-function.ts';
import type { Call, CallSite, Transfer } from './call.ts';
import type { ContractInterface } from './contract-interface.ts';
import { permit2Functions } from './permit2-functions.ts';
import { tokenFunctions } from './token-functions.ts';
import { struct, type Value } from './value.ts';

/** The interface uploaded for the contract at an address (lower case); undefined where there is none. */
export type InterfaceOf = (address: string) => ContractInterface | undefined;

/** The calls of a transaction, the outermost first; each stands before those that it makes. */
export type Calls = {
  readonly calls: readonly Call[];
  readonly transfers: readonly Transfer[];
  /** Every call was understood: there is none inside that is not shown. */
  readonly complete: boolean;
};

export const limits = { depth: 6, calls: 256, transfers: 1_024 };

const builtIns: ReadonlyMap<string, BuiltInFunction> = new Map(
  [...tokenFunctions, ...permit2Functions, ...batchFunctions].map((known) => [known.selector, known]),
);

/** Whether a call is understood by an uploaded interface alone, which says what the arguments are called and not what becomes of them. */
export const isNamedAlone = ({ standard, selector }: Pick<Call, 'standard' | 'selector'>): boolean =>
  standard === 'uploaded' && !builtIns.has(selector);

/** A call, and what its function is. */
export type Reading = {
  readonly call: Call;
  /** The uploaded function, where there is one. */
  readonly uploaded: AbiFunction | undefined;
  readonly builtIn: BuiltInFunction | undefined;
  /** The arguments in order; undefined where they were not decoded. */
  readonly values: readonly Value[] | undefined;
};

/**
 * Reads one call. An interface uploaded for its contract wins over what is built in; that says what a function does only where
 * its signature is the same. Of two signatures with one selector nobody can tell which the contract has: anybody finds a second
 * one, so an upload must not explain a transfer away. Never throws: what is not understood is shown as not decoded.
 */
export function readCall({ kind, from, to, value, data }: CallSite, interfaceOf: InterfaceOf, depth = 0): Reading {
  const hasSelector = to !== '' && data.length >= 10;
  const selector = hasSelector ? data.slice(0, 10) : '';
  const known = builtIns.get(selector);
  const uploaded = hasSelector ? interfaceOf(to)?.get(selector) : undefined;
  const abi = uploaded ?? known?.abi();
  const builtIn = known && known.abi().signature === abi?.signature ? known : undefined;
  const values = abi && known === builtIn ? decodeArguments(abi, data) : undefined;
  const call: Call = struct({
    depth: BigInt(depth),
    kind,
    from,
    to,
    value,
    data,
    selector,
    name: abi?.name ?? '',
    signature: abi?.signature ?? '',
    standard: uploaded ? 'uploaded' : (known?.standard ?? ''),
    args: new Map(values?.map((value, index) => [abi?.inputs[index]?.name as string, value])),
    decoded: values !== undefined || (to !== '' && data === '0x'),
    batch: known?.calls !== undefined,
  });
  return { call, uploaded, builtIn, values };
}

function decodeArguments({ type }: AbiFunction, data: string): readonly Value[] | undefined {
  try {
    return decodeAbi(type, Buffer.from(data.slice(10), 'hex'));
  } catch (error) {
    if (error instanceof AbiError) return undefined;
    throw error;
  }
}

/** An account of a known kind, and the calls that it makes for a call to it; undefined where the data do not say. */
export type KnownAccount = {
  readonly address: string;
  readonly calls: (site: CallSite) => readonly CallSite[] | undefined;
};

/**
 * All calls that `sites` are known to make, each before those inside it, and what they move; within `limits`. What the functions
 * of `account` do is read by its kind alone.
 */
export function readCalls(sites: readonly CallSite[], interfaceOf: InterfaceOf, account?: KnownAccount): Calls {
  const calls: Call[] = [];
  const transfers: Transfer[] = [];
  let complete = true;
  const visit = (site: CallSite, depth: number): void => {
    if (calls.length === limits.calls || depth > limits.depth) {
      complete = false;
      return;
    }
    const { call, builtIn, values } = readCall(site, interfaceOf, depth);
    calls.push(call);
    const isOwn = site.to === account?.address && site.data !== '0x';
    const inner = isOwn ? account.calls(site) : values && builtIn?.calls?.(site, values);
    // The code of another contract in one's own name may do anything, unless it is known to make these calls.
    const isForeign = site.kind === 'delegatecall' && site.to !== site.self;
    const isUnderstood = isOwn
      ? inner !== undefined
      : call.decoded && (inner !== undefined || (!call.batch && !isForeign));
    complete &&= isUnderstood;
    for (const move of [...nativeMoves(site), ...((!isForeign && values && builtIn?.moves?.(site, values)) || [])]) {
      if (transfers.length < limits.transfers) transfers.push(struct({ ...move, depth: call.depth }));
      else complete = false;
    }
    for (const next of inner ?? []) visit(next, depth + 1);
  };
  for (const site of sites) visit(site, 0);
  return { calls, transfers, complete };
}

function nativeMoves({ from, to, value }: CallSite): Omit<Transfer, 'depth'>[] {
  return value === 0n ? [] : [{ standard: 'native', kind: 'transfer', token: '', from, to, amount: value, id: 0n }];
}
