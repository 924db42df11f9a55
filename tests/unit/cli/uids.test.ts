import { expect, test } from 'vitest';
import { chooseFirstUid, uidsFrom } from '../../../src/cli/uids.ts';

const all = '         0          0 4294967295\n';

test('takes ids that no system hands out', () => {
  const uid = chooseFirstUid(all, 'root:x:0:0::/:/bin/sh\n');
  expect(uid).toBeGreaterThanOrEqual(1_900_000_000);
  expect(uid).toBeLessThan(2_100_000_000);
});

test('skips ids that an account has, any of the three', () => {
  const tries = [1_900_000_000, 1_900_000_100];
  const passwd = 'a:x:1900000002:1::/:/bin/sh\n';
  expect(chooseFirstUid(all, passwd, () => tries.shift() as number)).toBe(1_900_000_100);
});

test('inside a container takes the highest ids that exist there', () => {
  expect(chooseFirstUid('0 100000 65536\n', 'nobody:x:65534:65534::/:/bin/sh\n')).toBe(65_531);
  expect(chooseFirstUid('0 100000 65536\n', 'a:x:65532:1::/:/bin/sh\n')).toBe(65_529);
  expect(chooseFirstUid('0 1000 1\n1 100000 5000\n', '')).toBe(4998);
});

test('says when there are too few', () => {
  expect(() => chooseFirstUid('0 1000 1\n', '')).toThrow('user ids');
});

test('gives each role its own', () => {
  expect(new Set(Object.values(uidsFrom(5000))).size).toBe(3);
});
