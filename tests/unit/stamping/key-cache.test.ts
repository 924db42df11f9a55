import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { cachedKey } from '../../../src/stamping/key-cache.ts';

const { publicKey } = generateKeyPairSync('ed25519');

test('keeps the keys used last, and no more than it may', () => {
  let made = 0;
  const use = (id: string) =>
    cachedKey(id, () => {
      made++;
      return publicKey;
    });
  for (let id = 0; id < 4096; id++) use(`${id}`);
  use('0');
  expect(made).toBe(4096);
  use('one more');
  use('0');
  expect(made).toBe(4097);
  use('1');
  expect(made).toBe(4098);
});

test('what cannot be made is not kept', () => {
  const fail = () => {
    throw new Error('not on the curve');
  };
  expect(() => cachedKey('bad', fail)).toThrow('not on the curve');
  expect(cachedKey('bad', () => publicKey)).toBe(publicKey);
});
