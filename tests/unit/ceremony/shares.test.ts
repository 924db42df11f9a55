import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { combineShares, splitRoot } from '../../../src/enclave/ceremony/shares.ts';
import { rootCommitment } from '../../../src/protocol/ceremony/manifest.ts';

const quorums = fc.integer({ min: 2, max: 6 }).chain((threshold) =>
  fc.integer({ min: threshold, max: 8 }).chain((count) =>
    fc.record({
      threshold: fc.constant(threshold),
      count: fc.constant(count),
      chosen: fc.shuffledSubarray([...Array(count).keys()], { minLength: 1 }),
    }),
  ),
);

test('any shares that are enough give the root key, and fewer give nothing', async () => {
  await fc.assert(
    fc.asyncProperty(quorums, async ({ threshold, count, chosen }) => {
      const rootKey = randomBytes(32);
      const shares = await splitRoot(rootKey, count, threshold);
      const some = chosen.map((index) => shares[index] as Buffer);
      const combined = some.length < 2 ? null : await combineShares(some, rootCommitment(rootKey));
      expect(combined?.equals(rootKey) ?? false).toBe(chosen.length >= threshold);
    }),
    { numRuns: 100 },
  );
});

test('a share with any byte altered gives nothing', async () => {
  const rootKey = randomBytes(32);
  const [one, two] = (await splitRoot(rootKey, 3, 2)) as [Buffer, Buffer, Buffer];
  for (let at = 0; at < one.length; at++) {
    const altered = Buffer.from(one);
    altered[at] = (altered[at] as number) ^ 1;
    const combined = altered[32] === two[32] ? null : await combineShares([altered, two], rootCommitment(rootKey));
    expect(combined).toBeNull();
  }
});

test('every split is of its own', async () => {
  const rootKey = randomBytes(32);
  const [first] = await splitRoot(rootKey, 2, 2);
  const [again] = await splitRoot(rootKey, 2, 2);
  expect(first?.equals(again as Buffer)).toBe(false);
});
