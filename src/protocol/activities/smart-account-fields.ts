/** Fields of Ethereum, as smart accounts and user operations have them. */
import * as v from 'valibot';

/** `0x` and 40 hex digits; EIP-55's capitals are checked where the address is read. */
export const ethereumAddress = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-fA-F]{40}$/, 'expected an Ethereum address: 0x and 40 hex digits'),
);

/** Decimal digits, without leading zeros. */
export const chainId = v.pipe(v.string(), v.regex(/^[1-9]\d{0,18}$/, 'expected a chain id in decimal digits'));

export const hexData = (maxBytes: number) =>
  v.pipe(
    v.string(),
    v.maxLength(2 + 2 * maxBytes, `expected at most ${maxBytes} bytes`),
    v.regex(/^0x(?:[0-9a-fA-F]{2})*$/, 'expected 0x and hex digits'),
    v.toLowerCase(),
  );

export const entryPointVersion = v.picklist(['0.6', '0.7', '0.8', '0.9'], 'expected 0.6, 0.7, 0.8 or 0.9');

/** How a smart account makes calls and what its owner's key signs (src/decode/user-operation/account-kinds.ts). */
export const accountKind = v.picklist([
  'simple-0.6',
  'simple-0.7',
  'simple-0.8',
  'simple-7702',
  'kernel-2',
  'kernel-3',
  'safe-4337',
  'coinbase',
  'nexus',
  'erc-7579',
  'openfort-7702',
  'biconomy',
  'light-1',
  'light-2',
]);
