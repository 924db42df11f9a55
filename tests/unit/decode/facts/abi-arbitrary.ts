/** Types of the contract ABI with values of them, for property tests. */
import fc from 'fast-check';
import type { AbiParameter } from 'viem';

const hexOf = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`;

const sizes = Array.from({ length: 32 }, (_, index) => (index + 1) * 8);

const elementary: fc.Arbitrary<{ type: string; values: fc.Arbitrary<unknown> }> = fc.oneof(
  fc.constant({ type: 'bool', values: fc.boolean() }),
  fc.constant({ type: 'address', values: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hexOf) }),
  fc.constant({ type: 'bytes', values: fc.uint8Array({ maxLength: 70 }).map(hexOf) }),
  fc.constant({ type: 'string', values: fc.string({ unit: 'grapheme', maxLength: 40 }) }),
  fc.constantFrom(...sizes).map((bits) => ({
    type: `uint${bits}`,
    values: fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }),
  })),
  fc.constantFrom(...sizes).map((bits) => ({
    type: `int${bits}`,
    values: fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }),
  })),
  fc.integer({ min: 1, max: 32 }).map((size) => ({
    type: `bytes${size}`,
    values: fc.uint8Array({ minLength: size, maxLength: size }).map(hexOf),
  })),
);

type Family = { readonly type: string; readonly components?: AbiParameter[]; readonly values: fc.Arbitrary<unknown> };

const { family } = fc.letrec<{ family: Family }>((tie) => ({
  family: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    elementary,
    fc.tuple(tie('family'), fc.option(fc.integer({ min: 1, max: 3 }))).map(
      ([of, length]): Family => ({
        ...of,
        type: `${of.type}[${length ?? ''}]`,
        values: fc.array(of.values, length === null ? { maxLength: 3 } : { minLength: length, maxLength: length }),
      }),
    ),
    fc.array(tie('family'), { minLength: 1, maxLength: 3 }).map(
      (members): Family => ({
        type: 'tuple',
        components: members.map(({ values: _, ...parameter }) => ({ ...parameter, name: '' }) as AbiParameter),
        values: fc.tuple(...members.map(({ values }) => values)),
      }),
    ),
  ),
}));

/** Parameters with a value for each, in viem's form; tuples are arrays. */
export const parametersWithValues: fc.Arbitrary<{ parameters: AbiParameter[]; values: unknown[] }> = fc
  .array(family, { maxLength: 4 })
  .chain((families) =>
    fc.record({
      parameters: fc.constant(
        families.map(({ values: _, ...parameter }, index) => ({ ...parameter, name: `p${index}` }) as AbiParameter),
      ),
      values: fc.tuple(...families.map(({ values }) => values)),
    }),
  );
