/**
 * What policies may ask about the past: sums of what was carried out before (`spent`, `activities`), how long ago it was
 * (`sinceLast`), and whom it never went to (`newRecipients`, `newContracts`); and `spending` of what is asked for now. The
 * enclave counts what a policy asks about and hands the answers over as the fact `history`, keyed by the calls; one that it
 * does not know is an error.
 */
import { formatCel } from './cel/format.ts';
import type { Expression } from './syntax.ts';
import { children } from './tree-builder.ts';
import type { Value } from './types.ts';

export type Window = {
  readonly of: 'spent' | 'activities' | 'last' | 'recipients' | 'contracts';
  /**
   * An asset (CAIP-2 chain, and `/` and the token's address where it is no native one), a kind of activity, or the text of
   * `filter`; empty for recipients and contracts.
   */
  readonly what: string;
  /** Length in ms; 0 where all of the past counts. */
  readonly length: number;
  /** A condition in CEL: those activities count for which it holds. */
  readonly filter?: Expression;
};

export type History = ReadonlyMap<string, Value>;

/** Addresses that an organization keeps, as recipients and contracts together, to tell new ones from. */
export const maxDestinations = 4096;
/** New ones in one activity. */
export const maxNewDestinations = 256;

/** At most 31 days. */
export const longestWindow = 31 * 24 * 60 * 60 * 1000;
const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90m`, `24h` or `7d` in ms; undefined for anything else, and beyond the longest window. */
export function parseWindow(text: string): number | undefined {
  const [, digits, letter] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const length = Number(digits) * unit[letter as keyof typeof unit];
  return length <= longestWindow ? length : undefined;
}

/** `eip155:<chain id>`, or with `/0x…` a token on it. */
export const isAsset = (text: string): boolean => /^eip155:(?:0|[1-9]\d{0,31})(?:\/0x[0-9a-fA-F]{40})?$/.test(text);
export const isKind = (text: string): boolean => /^[A-Z][A-Z0-9_]{0,99}$/.test(text);

/** The call in its shortest form: `spent('eip155:1', '24h')`. */
export function windowKey({ of, what, length, filter }: Window): string {
  const name = names[of];
  if (of === 'recipients' || of === 'contracts') return `${name}()`;
  const first = filter ? what : `'${what}'`;
  return of === 'last' ? `${name}(${first})` : `${name}(${first}, '${windowText(length)}')`;
}

export const spendingKey = (asset: string): string => `spending('${asset}')`;

const names: Readonly<Record<Window['of'], string>> = {
  spent: 'spent',
  activities: 'activities',
  last: 'sinceLast',
  recipients: 'newRecipients',
  contracts: 'newContracts',
};

const windowText = (length: number): string => (length % unit.h === 0 ? `${length / unit.h}h` : `${length / unit.m}m`);

/** The windows that an expression asks about, as far as it is one that was checked. */
export function windowsOf(tree: Expression): readonly Window[] {
  const own = tree.kind === 'call' ? windowOfCall(tree) : undefined;
  return [...(own ? [own] : []), ...children(tree).flatMap(windowsOf)];
}

/** What a call asks about; undefined where it is no such call, or a wrong one. */
export function windowOfCall({ name, receiver, arguments: args }: Expression & { kind: 'call' }): Window | undefined {
  const [first, second, third] = args;
  if (receiver !== null || third) return undefined;
  if (name === 'newRecipients' || name === 'newContracts') {
    return first ? undefined : { of: name === 'newRecipients' ? 'recipients' : 'contracts', what: '', length: 0 };
  }
  const isLast = name === 'sinceLast';
  if (!first || (name !== 'spent' && name !== 'activities' && !isLast)) return undefined;
  const length = isLast ? (second ? undefined : 0) : parseWindow((second && textOf(second)) ?? '');
  if (length === undefined) return undefined;
  const text = textOf(first);
  const of = isLast ? 'last' : name;
  if (text === undefined) return of === 'spent' ? undefined : { of, what: formatCel(first), length, filter: first };
  if (of !== 'activities' && isAsset(text)) return { of, what: normalAsset(text), length };
  return of !== 'spent' && isKind(text) ? { of, what: text, length } : undefined;
}

/** The asset of `spending(asset)`; undefined where it is no such call. */
export function assetOfSpending({
  name,
  receiver,
  arguments: args,
}: Expression & { kind: 'call' }): string | undefined {
  const [asset] = args.map(textOf);
  if (name !== 'spending' || receiver !== null || args.length !== 1 || asset === undefined) return undefined;
  return isAsset(asset) ? normalAsset(asset) : undefined;
}

/** Addresses of tokens compare in lower case. */
export const normalAsset = (text: string): string => text.toLowerCase();

/** The fact's key for a call that asks about the past; undefined for any other. */
export function historyKey(call: Expression & { kind: 'call' }): string | undefined {
  const asset = assetOfSpending(call);
  if (asset !== undefined) return spendingKey(asset);
  const window = windowOfCall(call);
  return window && windowKey(window);
}

export const textOf = (node: Expression): string | undefined =>
  node.kind === 'literal' && node.literal.type === 'string' ? node.literal.value : undefined;
