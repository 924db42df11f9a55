/** What a transaction of a Safe does (github.com/safe-global/safe-smart-account, `Safe.execTransaction`). */
import { type CallSite, type Move, maxUint256 } from './call.ts';

/** Operation 0 is a call, 1 a delegatecall; undefined for others. */
export function safeCall(
  safe: string,
  to: string,
  value: bigint,
  data: string,
  operation: bigint,
): readonly CallSite[] | undefined {
  if (operation === 0n) return [{ kind: 'call', from: safe, to, value, data, self: to }];
  if (operation === 1n) return [{ kind: 'delegatecall', from: safe, to, value: 0n, data, self: safe }];
  return undefined;
}

/** With a gas price the Safe pays for gas, by a price that nobody bounds, to the receiver or whoever sends the transaction. */
export function safeRefund(safe: string, gasPrice: bigint, gasToken: string, receiver: string): readonly Move[] {
  if (gasPrice === 0n) return [];
  const isNative = gasToken === `0x${'0'.repeat(40)}`;
  return [
    {
      standard: isNative ? 'native' : 'ERC-20',
      kind: 'transfer',
      token: isNative ? '' : gasToken,
      from: safe,
      to: receiver,
      amount: maxUint256,
      id: 0n,
    },
  ];
}
