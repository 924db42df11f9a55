import { toFunctionSelector } from 'viem';
import { describe, expect, it } from 'vitest';
import { batchFunctions } from '../../../../src/decode/facts/batch-functions.ts';
import { permit2Functions } from '../../../../src/decode/facts/permit2-functions.ts';
import { tokenFunctions } from '../../../../src/decode/facts/token-functions.ts';

const all = [...tokenFunctions, ...permit2Functions, ...batchFunctions];

describe('built-in functions', () => {
  it.each(all.map((known) => [known.abi().signature, known] as const))('%s has its selector', (signature, known) => {
    expect(toFunctionSelector(signature)).toBe(known.selector);
    expect(known.abi().selector).toBe(known.selector);
  });

  it('no two have one selector', () => {
    expect(new Set(all.map(({ selector }) => selector)).size).toBe(all.length);
  });
});
