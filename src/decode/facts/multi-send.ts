import type { CallSite } from './call.ts';

/** Digits of operation (1 byte), address (20), value (32) and length (32). */
const head = 2 + 40 + 64 + 64;

/**
 * The calls of Safe's `multiSend`, which are packed: operation ‖ to ‖ value ‖ length ‖ data, one after the other; undefined where
 * they are not. The code acts in the name of the account that makes the delegatecall.
 */
export function multiSendCalls(site: CallSite, transactions: string): readonly CallSite[] | undefined {
  const digits = transactions.slice(2);
  const calls: CallSite[] = [];
  for (let at = 0; at < digits.length; ) {
    if (digits.length - at < head) return undefined;
    const operation = digits.slice(at, at + 2);
    const to = `0x${digits.slice(at + 2, at + 42)}`;
    const value = BigInt(`0x${digits.slice(at + 42, at + 106)}`);
    const length = BigInt(`0x${digits.slice(at + 106, at + head)}`);
    const start = at + head;
    if (length * 2n > BigInt(digits.length - start)) return undefined;
    at = start + Number(length) * 2;
    const data = `0x${digits.slice(start, at)}`;
    if (operation === '00') calls.push({ kind: 'call', from: site.self, to, value, data, self: to });
    else if (operation === '01') {
      calls.push({ kind: 'delegatecall', from: site.self, to, value: 0n, data, self: site.self });
    } else return undefined;
  }
  return calls;
}
