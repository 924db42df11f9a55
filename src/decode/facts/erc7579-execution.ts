import { decodeAbi } from './abi-decode.ts';
import { AbiError, type AbiType, parseParameters, tupleType } from './abi-types.ts';
import type { CallSite } from './call.ts';

/** `abi.encode(Execution[])`. */
const executions = tupleType(
  parseParameters([
    {
      name: 'executions',
      type: 'tuple[]',
      components: ['address', 'uint256', 'bytes'].map((type) => ({ name: '', type })),
    },
  ]).map(({ type }) => type),
) as AbiType & { kind: 'tuple' };

/**
 * The calls that an account makes for `execute(mode, executionCalldata)` (ERC-7579, "Execution Behavior"): one packed call, an
 * encoded batch, or a packed delegatecall; undefined for other modes, and where the bytes are not what the mode says.
 */
export function accountExecution(site: CallSite, mode: string, calldata: string): readonly CallSite[] | undefined {
  const callType = mode.slice(2, 4);
  const execType = mode.slice(4, 6);
  // Four bytes that are not used, then the mode's own selector, which may give the bytes another meaning.
  const isPlain = (execType === '00' || execType === '01') && mode.slice(6, 22) === '0'.repeat(16);
  if (!isPlain) return undefined;
  const { self } = site;
  if (callType === '01') return batch(self, calldata);
  if (callType === '00' && calldata.length >= 2 + 104) {
    const to = calldata.slice(0, 42);
    const value = BigInt(`0x${calldata.slice(42, 106)}`);
    return [{ kind: 'call', from: self, to, value, data: `0x${calldata.slice(106)}`, self: to }];
  }
  if (callType === 'ff' && calldata.length >= 2 + 40) {
    const to = calldata.slice(0, 42);
    return [{ kind: 'delegatecall', from: self, to, value: 0n, data: `0x${calldata.slice(42)}`, self }];
  }
  return undefined;
}

function batch(self: string, calldata: string): readonly CallSite[] | undefined {
  try {
    const [all] = decodeAbi(executions, Buffer.from(calldata.slice(2), 'hex')) as [[string, bigint, string][]];
    return all.map(([to, value, data]) => ({ kind: 'call', from: self, to, value, data, self: to }));
  } catch (error) {
    if (error instanceof AbiError) return undefined;
    throw error;
  }
}
