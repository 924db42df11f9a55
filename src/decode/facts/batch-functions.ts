/** Functions that make other calls: multicall contracts, Safe, and smart accounts. */
import { type BuiltInFunction, builtIn } from './built-in-function.ts';
import type { CallSite } from './call.ts';
import { accountExecution } from './erc7579-execution.ts';
import { multiSendCalls } from './multi-send.ts';
import { safeCall, safeRefund } from './safe.ts';

type Bytes = string;

/** A call that the contract at `site.to` makes in its own name. */
const innerCall = (site: CallSite, to: string, value: bigint, data: string): CallSite => ({
  kind: 'call',
  from: site.self,
  to,
  value,
  data,
  self: to,
});

/** The contract calls itself in the name of its own caller, with no more value than came with the batch. */
const selfCalls = (site: CallSite, all: readonly Bytes[]): CallSite[] =>
  all.map((data) => ({ ...site, kind: 'delegatecall', value: 0n, data }));

const pairs = (site: CallSite, all: readonly (readonly [string, Bytes])[]) =>
  all.map(([to, data]) => innerCall(site, to, 0n, data));

const call2 = '(address target,bytes callData)[] calls';

export const batchFunctions: readonly BuiltInFunction[] = [
  builtIn<[readonly [string, Bytes][]]>('0x252dba42', 'Multicall', `aggregate(${call2})`, {
    calls: (site, [all]) => pairs(site, all),
  }),
  builtIn<[boolean, readonly [string, Bytes][]]>(
    '0xbce38bd7',
    'Multicall',
    `tryAggregate(bool requireSuccess,${call2})`,
    {
      calls: (site, [, all]) => pairs(site, all),
    },
  ),
  builtIn<[readonly [string, Bytes][]]>('0xc3077fa9', 'Multicall', `blockAndAggregate(${call2})`, {
    calls: (site, [all]) => pairs(site, all),
  }),
  builtIn<[boolean, readonly [string, Bytes][]]>(
    '0x399542e9',
    'Multicall',
    `tryBlockAndAggregate(bool requireSuccess,${call2})`,
    { calls: (site, [, all]) => pairs(site, all) },
  ),
  builtIn<[readonly [string, boolean, Bytes][]]>(
    '0x82ad56cb',
    'Multicall',
    'aggregate3((address target,bool allowFailure,bytes callData)[] calls)',
    { calls: (site, [all]) => all.map(([to, , data]) => innerCall(site, to, 0n, data)) },
  ),
  builtIn<[readonly [string, boolean, bigint, Bytes][]]>(
    '0x174dea71',
    'Multicall',
    'aggregate3Value((address target,bool allowFailure,uint256 value,bytes callData)[] calls)',
    { calls: (site, [all]) => all.map(([to, , value, data]) => innerCall(site, to, value, data)) },
  ),
  builtIn<[readonly Bytes[]]>('0xac9650d8', 'Multicall', 'multicall(bytes[] data)', {
    calls: (site, [all]) => selfCalls(site, all),
  }),
  builtIn<[bigint, readonly Bytes[]]>('0x5ae401dc', 'Multicall', 'multicall(uint256 deadline,bytes[] data)', {
    calls: (site, [, all]) => selfCalls(site, all),
  }),
  builtIn<[Bytes, readonly Bytes[]]>('0x1f0464d1', 'Multicall', 'multicall(bytes32 previousBlockhash,bytes[] data)', {
    calls: (site, [, all]) => selfCalls(site, all),
  }),
  builtIn<[string, bigint, Bytes, bigint, bigint, bigint, bigint, string, string]>(
    '0x6a761202',
    'Safe',
    'execTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,bytes signatures)',
    {
      calls: (site, [to, value, data, operation]) => safeCall(site.self, to, value, data, operation),
      moves: (site, [, , , , , , gasPrice, gasToken, receiver]) => safeRefund(site.self, gasPrice, gasToken, receiver),
    },
  ),
  builtIn<[Bytes]>('0x8d80ff0a', 'Safe', 'multiSend(bytes transactions)', {
    calls: (site, [transactions]) => multiSendCalls(site, transactions),
  }),
  builtIn<[string, bigint, Bytes]>('0xb61d27f6', 'ERC-4337', 'execute(address dest,uint256 value,bytes func)', {
    calls: (site, [to, value, data]) => [innerCall(site, to, value, data)],
  }),
  builtIn<[readonly string[], readonly Bytes[]]>(
    '0x18dfb3c7',
    'ERC-4337',
    'executeBatch(address[] dest,bytes[] func)',
    { calls: (site, [to, data]) => rows(site, to, [], data) },
  ),
  builtIn<[readonly string[], readonly bigint[], readonly Bytes[]]>(
    '0x47e1da2a',
    'ERC-4337',
    'executeBatch(address[] dest,uint256[] value,bytes[] func)',
    { calls: (site, [to, value, data]) => rows(site, to, value, data) },
  ),
  builtIn<[readonly [string, bigint, Bytes][]]>(
    '0x34fcd5be',
    'ERC-4337',
    'executeBatch((address target,uint256 value,bytes data)[] calls)',
    { calls: (site, [all]) => all.map(([to, value, data]) => innerCall(site, to, value, data)) },
  ),
  builtIn<[Bytes, Bytes]>('0xe9ae5c53', 'ERC-7579', 'execute(bytes32 mode,bytes executionCalldata)', {
    calls: (site, [mode, calldata]) => accountExecution(site, mode, calldata),
  }),
];

/** The lists have one length, or there are no values and all are 0. */
function rows(
  site: CallSite,
  targets: readonly string[],
  values: readonly bigint[],
  data: readonly Bytes[],
): readonly CallSite[] | undefined {
  if (targets.length !== data.length || (values.length !== 0 && values.length !== data.length)) return undefined;
  return targets.map((to, index) => innerCall(site, to, values[index] ?? 0n, data[index] as string));
}
