import { BlockList, isIP } from 'node:net';

/**
 * Whose request it is: the peer, or, when that is one of our proxies, the rightmost address in X-Forwarded-For that is
 * not. What stands left of it was written by the client.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, proxies: BlockList): string {
  let address = withoutMapping(peer);
  if (forwardedFor === undefined) return address;
  const hops = forwardedFor.split(',');
  while (hops.length > 0 && isIn(proxies, address)) {
    const next = withoutMapping((hops.pop() as string).trim());
    if (isIP(next) === 0) break;
    address = next;
  }
  return address;
}

/** Addresses and CIDR ranges as a list to check against. Throws on anything else. */
export function parseProxies(text: string): BlockList {
  const list = new BlockList();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [address = '', prefix] = entry.split('/');
    const version = isIP(address);
    const bits = prefix === undefined ? null : Number(prefix);
    const isRange = bits === null || (/^\d{1,3}$/.test(prefix ?? '') && bits <= (version === 4 ? 32 : 128));
    if (version === 0 || !isRange) throw new TypeError(`expected addresses or CIDR ranges, found \`${entry}\``);
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (bits === null) list.addAddress(address, family);
    else list.addSubnet(address, bits, family);
  }
  return list;
}

export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

const isIn = (list: BlockList, address: string): boolean => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** An IPv4 client of a dual-stack socket shows as `::ffff:192.0.2.1`. */
const withoutMapping = (address: string): string =>
  address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
