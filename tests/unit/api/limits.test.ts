import { describe, expect, test } from 'vitest';
import { clientAddress, isLoopback, parseProxies } from '../../../src/api/http/client-address.ts';
import { createRateLimit } from '../../../src/api/http/rate-limit.ts';

describe('createRateLimit', () => {
  const limitAt = (perSecond: number) => {
    const clock = { now: 1_000 };
    return { clock, take: createRateLimit(perSecond, () => clock.now) };
  };

  test('lets a second’s worth through at once, then as many a second', () => {
    const { clock, take } = limitAt(10);
    const granted = (count: number) =>
      Array.from({ length: count }, () => take('192.0.2.1')).filter((wait) => wait === 0).length;
    expect(granted(20)).toBe(10);
    clock.now += 500;
    expect(granted(20)).toBe(5);
    clock.now += 60_000;
    expect(granted(20)).toBe(10);
  });

  test('says how long to wait', () => {
    const { take } = limitAt(2);
    take('192.0.2.1');
    take('192.0.2.1');
    expect(take('192.0.2.1')).toBeCloseTo(0.5);
  });

  test('counts addresses apart, but the addresses of an IPv6 /64 together', () => {
    const { take } = limitAt(1);
    expect(take('192.0.2.1')).toBe(0);
    expect(take('192.0.2.2')).toBe(0);
    expect(take('2001:db8::1')).toBe(0);
    expect(take('2001:db8:0:0:ffff::9')).toBeGreaterThan(0);
    expect(take('2001:0db8::2')).toBeGreaterThan(0);
    expect(take('2001:db8:0:1::1')).toBe(0);
    expect(take('::1')).toBe(0);
  });

  test('remembers a bounded number of addresses, those in use before others', () => {
    const { take } = limitAt(1);
    take('192.0.2.1');
    for (let at = 0; at < 49_999; at++) take(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
    expect(take('192.0.2.1')).toBeGreaterThan(0);
    for (let at = 0; at < 49_999; at++) take(`11.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
    expect(take('192.0.2.1')).toBeGreaterThan(0);
    expect(take('10.0.0.0')).toBe(0);
  });
});

describe('clientAddress', () => {
  const proxies = parseProxies('10.0.0.0/8, 2001:db8::/32,192.0.2.7');

  test.each([
    ['203.0.113.1', undefined, '203.0.113.1'],
    ['203.0.113.1', '198.51.100.1', '203.0.113.1'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '1.1.1.1, 198.51.100.1, 10.2.2.2 , 192.0.2.7', '198.51.100.1'],
    ['2001:db8::5', '2001:dead::1', '2001:dead::1'],
    ['10.0.0.1', 'nonsense', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1, nonsense', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.2', '10.0.0.2'],
  ])('%s with %s is %s', (peer, forwarded, expected) => {
    expect(clientAddress(peer, forwarded, proxies)).toBe(expected);
  });

  test.each(['10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/', 'proxy.example', '2001:db8::/129', '10.0.0'])(
    '%s is no list of proxies',
    (text) => {
      expect(() => parseProxies(text)).toThrow('expected addresses or CIDR ranges');
    },
  );

  test('loopback is this machine', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1'].every(isLoopback)).toBe(true);
    expect(['128.0.0.1', '::2', '10.0.0.1'].some(isLoopback)).toBe(false);
  });
});
