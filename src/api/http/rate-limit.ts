type Bucket = { tokens: number; at: number };

/** Addresses that are remembered; beyond that the one that was quiet longest is forgotten. */
const maxAddresses = 50_000;

/**
 * A token bucket for each address: `perSecond` requests a second, and as many at once. The function takes a token and
 * returns 0, or, when there is none, the seconds until there is one. `now` is in milliseconds.
 */
export function createRateLimit(perSecond: number, now = () => performance.now()): (address: string) => number {
  // In order of last use, so that the first one is the one to forget.
  const buckets = new Map<string, Bucket>();

  return (address) => {
    const key = ownerOf(address);
    const time = now();
    const bucket = buckets.get(key) ?? { tokens: perSecond, at: time };
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((time - bucket.at) / 1000) * perSecond);
    bucket.at = time;
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > maxAddresses) buckets.delete(buckets.keys().next().value as string);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / perSecond;
    bucket.tokens -= 1;
    return 0;
  };
}

/** An IPv6 client has a /64 of addresses to itself. */
function ownerOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail ? tail.split(':') : [];
  if (tail !== undefined) while (groups.length + rest.length < 8) groups.push('0');
  return `${[...groups, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
