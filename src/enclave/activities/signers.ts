/** From the `signWith` of a request to the key that it means. */

import type { Curve } from '../../decode/curve.ts';
import { CountersignError } from '../../protocol/errors.ts';
import type { Organization, PrivateKey, WalletAccount } from '../state.ts';

export type Signer = {
  /** Id of its sealed key. */
  readonly id: string;
  readonly curve: Curve;
  readonly publicKey: string;
  /** Format of the address by which it was named; null for a private key named by its id. */
  readonly addressFormat: string | null;
};

/** Formats whose text is hex, in which case says nothing (or is EIP-55's checksum). */
const hexFormats = new Set([
  'ADDRESS_FORMAT_ETHEREUM',
  'ADDRESS_FORMAT_COMPRESSED',
  'ADDRESS_FORMAT_UNCOMPRESSED',
  'ADDRESS_FORMAT_SUI',
  'ADDRESS_FORMAT_APTOS',
]);

/** Indexes by the maps that they were made of: these never change in place. */
const indexes = new WeakMap<object, ReadonlyMap<string, Signer>>();

/**
 * The key that `signWith` names in `organization`: address of a wallet account or of a private key, id of a private key or
 * of a wallet account. Hex addresses compare case-insensitively. NOT_FOUND if there is none.
 */
export function findSigner(
  { accounts, privateKeys }: Pick<Organization, 'accounts' | 'privateKeys'>,
  signWith: string,
): Signer {
  const ofAccounts = indexOf(accounts, accountEntries);
  const ofPrivateKeys = indexOf(privateKeys, privateKeyEntries);
  for (const name of [signWith, signWith.toLowerCase()]) {
    const signer = ofAccounts.get(name) ?? ofPrivateKeys.get(name);
    if (signer) return signer;
  }
  throw new CountersignError('NOT_FOUND', 'could not find any resource to sign with', {
    fields: [{ field: 'parameters.signWith', description: 'no address, private key or wallet account is this' }],
  });
}

type Entry = readonly [name: string, signer: Signer];

function indexOf<T>(entities: ReadonlyMap<string, T>, entriesOf: (entity: T) => Entry[]): ReadonlyMap<string, Signer> {
  let index = indexes.get(entities);
  if (!index) {
    // Where two have one address, the older one signs.
    index = new Map([...entities.values()].flatMap(entriesOf).reverse());
    indexes.set(entities, index);
  }
  return index;
}

const nameOf = (format: string, address: string) => (hexFormats.has(format) ? address.toLowerCase() : address);

function accountEntries({ id, curve, publicKey, address, addressFormat }: WalletAccount): Entry[] {
  const signer = { id, curve, publicKey, addressFormat };
  return [
    [id, signer],
    [nameOf(addressFormat, address), signer],
  ];
}

function privateKeyEntries({ id, curve, publicKey, addresses }: PrivateKey): Entry[] {
  return [
    [id, { id, curve, publicKey, addressFormat: null }],
    ...addresses.map(
      ({ format, address }): Entry => [nameOf(format, address), { id, curve, publicKey, addressFormat: format }],
    ),
  ];
}
