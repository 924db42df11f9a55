/** Units of money that an amount can be written in, by the decimals of their smallest unit. */
const decimalsOf: ReadonlyMap<string, number> = new Map([
  ['wei', 0],
  ['gwei', 9],
  ['ether', 18],
  ['lamports', 0],
  ['sol', 9],
  ['sats', 0],
  ['btc', 8],
  ['sun', 0],
  ['trx', 6],
  ['usdc', 6],
  ['usdt', 6],
  ['dai', 18],
  ['weth', 18],
]);

export const amountUnits: readonly string[] = [...decimalsOf.keys()];

/**
 * An amount in the smallest unit: `parseAmount('1.5', 'gwei')` is 1500000000n. Undefined if the unit is unknown, the text no
 * plain decimal number, or more precise than the unit.
 */
export function parseAmount(text: string, unit: string): bigint | undefined {
  const decimals = decimalsOf.get(unit);
  const match = /^(\d{1,80})(?:\.(\d{1,80}))?$/.exec(text);
  if (decimals === undefined || match === null) return undefined;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) return undefined;
  return BigInt(`${match[1]}${fraction.padEnd(decimals, '0')}`);
}

/** The amount in its unit, as {@link parseAmount} reads it. */
export function formatAmount(value: bigint, unit: string): string {
  const decimals = decimalsOf.get(unit) ?? 0;
  const digits = value.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
