/** The functions with which smart accounts make calls, by kind of account: a selector means one thing in one, another in the next. */
import { decodeAbi } from '../facts/abi-decode.ts';
import { AbiError, type AbiType, parseParameters, tupleType } from '../facts/abi-types.ts';
import { batchFunctions } from '../facts/batch-functions.ts';
import { type BuiltInFunction, builtIn } from '../facts/built-in-function.ts';
import type { CallSite } from '../facts/call.ts';
import { accountExecution } from '../facts/erc7579-execution.ts';
import { multiSendCalls } from '../facts/multi-send.ts';
import { safeCall } from '../facts/safe.ts';
import type { AccountKind } from './account-kinds.ts';

type Bytes = string;

const bySelector = new Map(batchFunctions.map((known) => [known.selector, known]));
const known = (selector: string): BuiltInFunction => bySelector.get(selector) as BuiltInFunction;

const execute = known('0xb61d27f6');
const batchWithoutValues = known('0x18dfb3c7');
const batchOfLists = known('0x47e1da2a');
const batchOfTuples = known('0x34fcd5be');

const zeroAddress = `0x${'0'.repeat(40)}`;
const nothing = (digits: string): boolean => /^0*$/.test(digits);

/** ERC-7579, "Execution Behavior". Whoever fills the bytes that have no meaning may give them one that is not known here. */
const modularExecute = builtIn<[Bytes, Bytes]>('0xe9ae5c53', 'ERC-7579', 'execute(bytes32 mode,bytes data)', {
  calls: (site, [mode, data]) => (nothing(mode.slice(22)) ? accountExecution(site, mode, data) : undefined),
});

/** ERC-7821, as Openfort's account has it: batches, and batches of batches, of at most 9 calls. */
const batchExecute = builtIn<[Bytes, Bytes]>('0xe9ae5c53', 'ERC-7821', 'execute(bytes32 mode,bytes data)', {
  calls(site, [mode, data]) {
    const batches = batchesOf(mode, data);
    const calls = batches?.map((batch) => accountExecution(site, batchMode, batch));
    if (!calls?.every((batch) => batch !== undefined && batch.length > 0)) return undefined;
    const all = calls.flat() as CallSite[];
    return all.length <= 9 ? all.map((call) => fromZero(call, site.self)) : undefined;
  },
});

const batchMode = `0x01${'0'.repeat(62)}`;
const nestedMode = `0x01000000000078210002${'0'.repeat(44)}`;
const bytesList = tupleType(parseParameters([{ name: '', type: 'bytes[]' }]).map(({ type }) => type)) as AbiType & {
  kind: 'tuple';
};

function batchesOf(mode: string, data: Bytes): readonly Bytes[] | undefined {
  if (mode === batchMode) return [data];
  if (mode !== nestedMode) return undefined;
  try {
    const [batches] = decodeAbi(bytesList, Buffer.from(data.slice(2), 'hex')) as [Bytes[]];
    return batches;
  } catch (error) {
    if (error instanceof AbiError) return undefined;
    throw error;
  }
}

/** In ERC-7821 the address 0 is the account itself. */
const fromZero = (call: CallSite, self: string): CallSite =>
  call.to === zeroAddress ? { ...call, to: self, self } : call;

/** Safe's MultiSend and MultiSendCallOnly of version 1.4.1. */
const multiSends = new Set([
  '0x38869bf66a61cf6bdb996a6ae40d5853fd43b526',
  '0x9641d764fc13c8b624c04430c7356c1c7c8102e2',
]);

/** A delegatecall to MultiSend is a batch, where all in it are calls; it is shown as these. */
function safeExecution(
  site: CallSite,
  [to, value, data, operation]: readonly [string, bigint, Bytes, bigint],
): readonly CallSite[] | undefined {
  if (operation === 1n && value !== 0n) return undefined;
  const made = safeCall(site.self, to, value, data, operation);
  if (operation !== 1n || !multiSends.has(to)) return made;
  const batch = multiSendBatch({ ...site, to }, data);
  return batch?.every((call) => call.kind === 'call' && call.to !== zeroAddress) ? batch : made;
}

function multiSendBatch(site: CallSite, data: Bytes): readonly CallSite[] | undefined {
  const values = argumentsOf(multiSend, data);
  return values && multiSendCalls(site, values[0] as Bytes);
}

const multiSend = known('0x8d80ff0a');
const safeText = '(address to,uint256 value,bytes data,uint8 operation)';

const kernelExecute = builtIn<[string, bigint, Bytes, bigint]>(
  '0x51945447',
  'Kernel',
  'execute(address to,uint256 value,bytes data,uint8 operation)',
  {
    calls: (site, [to, value, data, operation]) =>
      operation === 1n && value !== 0n ? undefined : safeCall(site.self, to, value, data, operation),
  },
);

/** Calls of the account to itself: its owners, its code. */
const replayable = builtIn<[readonly Bytes[]]>(
  '0x2c2abd1e',
  'Coinbase Smart Wallet',
  'executeWithoutChainIdValidation(bytes[] calls)',
  {
    calls: ({ self }, [all]) => all.map((data) => ({ kind: 'call', from: self, to: self, value: 0n, data, self })),
  },
);

const named = (selector: string, text: string, as: BuiltInFunction): BuiltInFunction => ({
  ...builtIn(selector, as.standard, text),
  ...(as.calls && { calls: as.calls }),
});

const safeFunctions = [
  builtIn('0x7bb37428', 'Safe', `executeUserOp${safeText}`, { calls: safeExecution }),
  builtIn('0x541d63c8', 'Safe', `executeUserOpWithErrorString${safeText}`, { calls: safeExecution }),
];

const functions: Readonly<Record<AccountKind, readonly BuiltInFunction[]>> = {
  'simple-0.6': [execute, batchWithoutValues],
  'simple-0.7': [execute, batchOfLists],
  'simple-0.8': [execute, batchOfTuples],
  'simple-7702': [execute, batchOfTuples],
  'kernel-2': [kernelExecute, batchOfTuples],
  'kernel-3': [modularExecute],
  'safe-4337': safeFunctions,
  coinbase: [execute, batchOfTuples, replayable],
  nexus: [modularExecute],
  'erc-7579': [modularExecute],
  'openfort-7702': [batchExecute],
  biconomy: [
    execute,
    batchOfLists,
    named('0x0000189a', 'execute_ncC(address dest,uint256 value,bytes func)', execute),
    named('0x00004680', 'executeBatch_y6U(address[] dest,uint256[] value,bytes[] func)', batchOfLists),
  ],
  'light-1': [execute, batchWithoutValues, batchOfLists],
  'light-2': [execute, batchWithoutValues, batchOfLists],
};

/** Accounts that let the EntryPoint hand over the whole operation (`executeUserOp`); what they call follows the selector. */
const withHook: ReadonlySet<AccountKind> = new Set(['kernel-3', 'nexus']);
const hookSelector = '0x8dd7712f';

/** What an account of this kind is called with for an operation with these calldata (hex). */
export const calledWith = (kind: AccountKind, callData: string): string =>
  withHook.has(kind) && callData.startsWith(hookSelector) ? `0x${callData.slice(10)}` : callData;

export type AccountCalls = {
  /** The calls that the account makes, in its own name. */
  readonly sites: readonly CallSite[];
  /** The calls go on where one fails (ERC-7579's exec type 1). */
  readonly tries: boolean;
};

/**
 * The calls that an account of this kind makes when it is called with `data` (hex) by the EntryPoint or itself; undefined for
 * data that are not to the letter what an encoder makes, for functions that are not known, and for batches of nothing.
 */
export function readAccountCalls(kind: AccountKind, account: string, data: string): AccountCalls | undefined {
  const selector = data.slice(0, 10);
  const found = functions[kind].find((each) => each.selector === selector);
  const values = found && argumentsOf(found, data);
  if (!values) return undefined;
  const site: CallSite = { kind: 'call', from: account, to: account, value: 0n, data, self: account };
  const sites = found.calls?.(site, values);
  if (!sites?.length) return undefined;
  return { sites, tries: found === modularExecute && (values[0] as string).slice(4, 6) === '01' };
}

function argumentsOf(known: BuiltInFunction, data: Bytes) {
  if (!data.startsWith(known.selector)) return undefined;
  try {
    return decodeAbi(known.abi().type, Buffer.from(data.slice(10), 'hex'));
  } catch (error) {
    if (error instanceof AbiError) return undefined;
    throw error;
  }
}
