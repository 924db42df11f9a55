import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileText } from '../../../src/policy/compile-text.ts';
import { EvaluationError } from '../../../src/policy/errors.ts';
import { evaluateWithTrace } from '../../../src/policy/trace.ts';
import type { Schema, Value } from '../../../src/policy/types.ts';

const schema: Schema = {
  eth: {
    type: {
      kind: 'struct',
      name: 'Ethereum',
      fields: {
        tx: {
          type: {
            kind: 'struct',
            name: 'Transaction',
            fields: { data: { type: { kind: 'string' }, description: '' } },
          },
          description: '',
          namespace: true,
        },
      },
    },
    description: '',
  },
  n: { type: { kind: 'int', wide: false }, description: '' },
  args: { type: { kind: 'map', key: { kind: 'string' }, value: { kind: 'value' } }, description: '' },
  tags: { type: { kind: 'list', element: { kind: 'string' }, maxItems: 4 }, description: '' },
};

const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(
      'true',
      'false',
      'n == 1',
      'n < 3',
      "eth.tx.data == '0x'",
      "eth.tx.data[0..4] == '0xab'",
      "args['a'] == 1",
      "args['a'] in ['x', 'y']",
      "args['l'].count() == 2",
      "tags[0] == 'a'",
      "'a' in tags",
    ),
    fc
      .tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition'))
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie('condition').map((operand) => `!(${operand})`),
    fc
      .tuple(fc.constantFrom('any', 'all'), tie('condition'))
      .map(([macro, body]) => `tags.${macro}(t, t == 'a' || ${body})`),
    tie('condition').map((body) => `tags.filter(t, ${body}).count() >= 1`),
  ),
}));

const facts = fc.record(
  {
    eth: fc.oneof(fc.constant({ tx: { data: '0x' } }), fc.constant({ tx: { data: '0xab' } }), fc.constant({})),
    n: fc.bigInt({ min: 0n, max: 3n }),
    args: fc.constantFrom<Value>(
      new Map(),
      new Map([['a', 1n]]),
      new Map<string, Value>([
        ['a', 'x'],
        ['l', [1n, 2n]],
      ]),
    ),
    tags: fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 }),
  },
  { requiredKeys: ['n', 'args', 'tags'] },
);

/** Macros may be nested three deep. */
const isShallow = (source: string): boolean => (source.match(/tags\.(?:any|all|filter)\(/g) ?? []).length <= 3;

type Outcome = { readonly value: Value } | { readonly code: string };

test("Turnkey's language: compiled and traced agree, and every operand is evaluated", () => {
  fc.assert(
    fc.property(condition.filter(isShallow), facts, (source, values) => {
      const { checked, program } = compileText(source, { language: 'turnkey', schema, expected: { kind: 'bool' } });
      let compiled: Outcome;
      try {
        compiled = { value: program(values as Parameters<typeof program>[0]) };
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        compiled = { code: error.code };
      }
      const traced = evaluateWithTrace(checked, values as Parameters<typeof program>[0]);
      const outcome: Outcome =
        traced.error === undefined ? { value: traced.value ?? null } : { code: traced.error.code };
      expect(outcome).toEqual(compiled);
      expect(traced.steps.some((step) => 'skipped' in step)).toBe(false);
      const failing = traced.steps.some((step) => 'error' in step);
      expect('code' in compiled).toBe(failing);
    }),
    { numRuns: 3000 },
  );
});
