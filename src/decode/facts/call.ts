/** What a transaction, or a call inside one, does: the shapes of these facts. */
import type { Value } from './value.ts';

/** A call as it is made, before its data are understood. Addresses and data are lower-case hex. */
export type CallSite = {
  readonly kind: 'call' | 'delegatecall' | 'create';
  readonly from: string;
  /** Empty for the creation of a contract. */
  readonly to: string;
  /** Wei that move from `from` to `to`. */
  readonly value: bigint;
  readonly data: string;
  /** The account in whose name the code acts: `to`, or with a delegatecall the one that makes it. */
  readonly self: string;
};

export type Call = Omit<CallSite, 'self'> & {
  /** 0 for the outermost. */
  readonly depth: bigint;
  /** `0x` and 8 digits; empty where the data have less than 4 bytes. */
  readonly selector: string;
  /** Empty where no interface, uploaded or built in, has the selector. */
  readonly name: string;
  readonly signature: string;
  /** `uploaded`, or the standard that the function is of, as `ERC-20`. */
  readonly standard: string;
  /** The arguments by name; unnamed ones by position. Empty where they were not decoded. */
  readonly args: ReadonlyMap<string, Value>;
  /** There is nothing in the data that is not shown. */
  readonly decoded: boolean;
  /** It carries other calls. */
  readonly batch: boolean;
};

/** An asset that moves, or the right to move it. */
export type Transfer = {
  readonly standard: string;
  readonly kind: 'transfer' | 'approval' | 'operator_approval';
  /** The token's contract; empty for the chain's own currency. */
  readonly token: string;
  /** Whose assets they are. */
  readonly from: string;
  /** Who gets them, or may take them. */
  readonly to: string;
  readonly amount: bigint;
  /** Of a token that has ids; 0 otherwise. */
  readonly id: bigint;
  /** Of the call that does it. */
  readonly depth: bigint;
};

/** A transfer, of which the call is known. */
export type Move = Omit<Transfer, 'depth'>;

export const maxUint256 = 2n ** 256n - 1n;
