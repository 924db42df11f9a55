/** What an operation makes its account do: its calls and the calls in these, and what of it is not to be seen. */
import { type Call, type CallSite, maxUint256 } from '../facts/call.ts';
import { type Calls, type InterfaceOf, limits, readCalls } from '../facts/calls.ts';
import { bytesToHex } from '../hex.ts';
import { calledWith, readAccountCalls } from './account-functions.ts';
import type { AccountKind } from './account-kinds.ts';
import { adminFunctions } from './admin-functions.ts';
import type { UserOperation } from './user-operation.ts';

export type OperationCalls = Calls & {
  /** There may be calls that the account makes and that are not shown, or code of others runs in its name. */
  readonly opaque: boolean;
  readonly delegatecall: boolean;
  /** Calls go on where another fails. */
  readonly tries: boolean;
  /** The account itself or its EntryPoint is called. */
  readonly admin: boolean;
  /** The functions of these that are called: signatures, or selectors where they are not known. */
  readonly adminFunctions: readonly string[];
  /** Wei that leave the account, in all calls together. */
  readonly value: bigint;
};

/** Never throws: what is not understood is opaque. */
export function readOperationCalls(
  {
    sender,
    entryPoint,
    callData,
  }: Pick<UserOperation, 'sender' | 'callData'> & { readonly entryPoint: { readonly address: string } },
  kind: AccountKind,
  interfaceOf: InterfaceOf,
): OperationCalls {
  const found = { opaque: false, delegatecall: false, tries: false };
  const executed = ({ data }: CallSite): readonly CallSite[] | undefined => {
    const read = readAccountCalls(kind, sender, data);
    if (read) {
      found.tries ||= read.tries;
      found.delegatecall ||= read.sites.some((site) => site.kind === 'delegatecall');
    } else {
      found.opaque ||= !adminFunctions.has(data.slice(0, 10));
    }
    return read?.sites;
  };
  const data = calledWith(kind, bytesToHex(callData));
  const self: CallSite = { kind: 'call', from: sender, to: sender, value: 0n, data, self: sender };
  // The account's function to make calls is not a call itself; another of its functions is shown as one.
  const sites = callData.length === 0 ? [] : (executed(self) ?? [self]);
  const tree = readCalls(sites, interfaceOf, { address: sender, calls: executed });
  const { calls } = tree;
  const isOwn = (call: Call) => call.to === sender && call.data !== '0x';
  const admin = calls.filter(({ to }) => to === sender || to === entryPoint.address);
  const isCut = !tree.complete && calls.length === limits.calls;
  return {
    ...tree,
    opaque: found.opaque || found.delegatecall || isCut || calls.some((call) => call.depth > 0n && isOwn(call)),
    delegatecall: found.delegatecall,
    tries: found.tries,
    admin: admin.length > 0,
    adminFunctions: [
      ...new Set(admin.flatMap(({ selector }) => (selector ? [adminFunctions.get(selector) ?? selector] : []))),
    ],
    value: leaving(calls, sender),
  };
}

/** More than there can be is as much as there can be. */
function leaving(calls: readonly Call[], account: string): bigint {
  let sum = 0n;
  for (const { kind, from, to, value } of calls)
    if (kind === 'call' && from === account && to !== account) sum += value;
  if (sum > maxUint256) return maxUint256;
  return sum;
}
