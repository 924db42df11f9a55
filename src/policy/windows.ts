/**
 * What policies may ask about the past: `spent(asset, window)` and `activities(kind, window)` of what was carried out before,
 * and `spending(asset)` of what is asked for now. The enclave counts what a policy asks about and hands the sums over as the
 * fact `history`, keyed as here; a sum that it does not know is an error.
 */
import type { Expression } from './syntax.ts';
import { children } from './tree-builder.ts';
import type { Field } from './types.ts';

export type Window = {
  readonly of: 'spent' | 'activities';
  /** An asset (CAIP-2 chain, and `/` and the token's address where it is no native one), or a kind of activity. */
  readonly what: string;
  /** Length in ms. */
  readonly length: number;
};

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

export const windowKey = ({ of, what, length }: Window): string => `${of}/${what}/${length}`;
export const spendingKey = (asset: string): string => `spending/${asset}`;

/** The fact that expressions read when they ask about the past. */
export const history: Field = {
  type: { kind: 'map', key: { kind: 'string' }, value: { kind: 'int', wide: true } },
  description: 'sums by window',
  optional: true,
};

/** The windows that an expression asks about, as far as it is one that was checked. */
export function windowsOf(tree: Expression): readonly Window[] {
  const own = tree.kind === 'call' && tree.receiver === null ? windowOfCall(tree) : undefined;
  return [...(own ? [own] : []), ...children(tree).flatMap(windowsOf)];
}

function windowOfCall({ name, arguments: args }: Expression & { kind: 'call' }): Window | undefined {
  if (name !== 'spent' && name !== 'activities') return undefined;
  const [what, window] = args.map(textOf);
  const length = parseWindow(window ?? '');
  return what === undefined || length === undefined ? undefined : { of: name, what: normal(name, what), length };
}

/** Addresses of tokens compare in lower case. */
export const normal = (of: string, what: string): string => (of === 'activities' ? what : what.toLowerCase());

export const textOf = (node: Expression): string | undefined =>
  node.kind === 'literal' && node.literal.type === 'string' ? node.literal.value : undefined;
