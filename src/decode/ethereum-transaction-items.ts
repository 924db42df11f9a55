import type { AccessListEntry, SignedAuthorization } from './ethereum-transaction.ts';
import { bytesToHex } from './hex.ts';
import { RlpError, type RlpItem } from './rlp.ts';

/** More than any block has gas for, so that what is made of these lists stays small. */
export const maxItems = { accessList: 4_096, storageKeys: 4_096, authorizationList: 1_024, blobVersionedHashes: 64 };

export type ItemReader = ReturnType<typeof itemReader>;

/** Reads the items of a transaction one after the other. Every method throws `RlpError` that names the field. */
export function itemReader(items: readonly RlpItem[]) {
  let at = 0;
  const next = (): RlpItem => items[at++] as RlpItem;
  return {
    uint64: (name: string): bigint => integer(next(), name, 8),
    uint256: (name: string): bigint => integer(next(), name, 32),
    bytes: (name: string): Buffer => text(next(), name),
    /** No chain has the id 0; EIP-155 would not bind to it. */
    chainId(): bigint {
      const chainId = integer(next(), 'chainId', 8);
      if (chainId === 0n) throw new RlpError('chainId: expected a positive integer');
      return chainId;
    },
    recipient(): string | null {
      const to = text(next(), 'to');
      return to.length === 0 ? null : fixed(to, 'to', 20);
    },
    accessList: (): AccessListEntry[] => shortList(next(), 'accessList', maxItems.accessList).map(accessListEntry),
    /** EIP-4844: at least one hash, each of version 1. */
    blobVersionedHashes(): string[] {
      const name = 'blobVersionedHashes';
      const hashes = nonEmpty(next(), name, maxItems.blobVersionedHashes).map((hash) => fixed(hash, name, 32));
      if (!hashes.every((hash) => hash.startsWith('0x01'))) throw new RlpError(`${name}: expected hashes of version 1`);
      return hashes;
    },
    /** EIP-7702: at least one. */
    authorizationList: (): SignedAuthorization[] =>
      nonEmpty(next(), 'authorizationList', maxItems.authorizationList).map(authorization),
  };
}

function accessListEntry(item: RlpItem): AccessListEntry {
  const [address, storageKeys] = tuple(item, 'accessList', 2);
  return {
    address: fixed(address as RlpItem, 'accessList address', 20),
    storageKeys: shortList(storageKeys as RlpItem, 'accessList', maxItems.storageKeys).map((key) =>
      fixed(key, 'accessList storage key', 32),
    ),
  };
}

function authorization(item: RlpItem): SignedAuthorization {
  const name = 'authorizationList';
  const [chainId, address, nonce, yParity, r, s] = tuple(item, name, 6) as [
    RlpItem,
    RlpItem,
    RlpItem,
    RlpItem,
    RlpItem,
    RlpItem,
  ];
  return {
    chainId: integer(chainId, `${name} chainId`, 32),
    address: fixed(address, `${name} address`, 20),
    nonce: integer(nonce, `${name} nonce`, 8),
    yParity: integer(yParity, `${name} yParity`, 1),
    r: integer(r, `${name} r`, 32),
    s: integer(s, `${name} s`, 32),
  };
}

function integer(item: RlpItem, name: string, size: number): bigint {
  const bytes = text(item, name);
  if (bytes.length > size) throw new RlpError(`${name}: expected at most ${size} bytes, found ${bytes.length}`);
  if (bytes[0] === 0) throw new RlpError(`${name}: expected an integer without leading zeros`);
  return bytes.length === 0 ? 0n : BigInt(bytesToHex(bytes));
}

function fixed(item: RlpItem, name: string, size: number): string {
  const bytes = text(item, name);
  if (bytes.length !== size) throw new RlpError(`${name}: expected ${size} bytes, found ${bytes.length}`);
  return bytesToHex(bytes);
}

function text(item: RlpItem, name: string): Buffer {
  if (!Buffer.isBuffer(item)) throw new RlpError(`${name}: expected a string, found a list`);
  return item;
}

function list(item: RlpItem, name: string): readonly RlpItem[] {
  if (Buffer.isBuffer(item)) throw new RlpError(`${name}: expected a list, found a string`);
  return item;
}

function shortList(item: RlpItem, name: string, most: number): readonly RlpItem[] {
  const items = list(item, name);
  if (items.length > most) throw new RlpError(`${name}: expected lists of at most ${most} items`);
  return items;
}

function nonEmpty(item: RlpItem, name: string, most: number): readonly RlpItem[] {
  const items = shortList(item, name, most);
  if (items.length === 0) throw new RlpError(`${name}: expected at least one`);
  return items;
}

function tuple(item: RlpItem, name: string, size: number): readonly RlpItem[] {
  const items = list(item, name);
  if (items.length !== size) throw new RlpError(`${name}: expected lists of ${size} items, found ${items.length}`);
  return items;
}
