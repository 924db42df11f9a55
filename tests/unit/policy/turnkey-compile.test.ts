import { describe, expect, test } from 'vitest';
import { compileText } from '../../../src/policy/compile-text.ts';
import { PolicyError, renderProblem } from '../../../src/policy/errors.ts';
import { conditionSchema } from '../../../src/policy/schema/condition.ts';
import { consensusSchema } from '../../../src/policy/schema/consensus.ts';
import { timeSchema } from '../../../src/policy/schema/time.ts';
import { parseTurnkey } from '../../../src/policy/turnkey/parse.ts';
import { turnkeyCorpus } from './turnkey-corpus.ts';

const schemaOf = ({ kind, note }: (typeof turnkeyCorpus)[number]) => {
  if (note.startsWith('time field')) return timeSchema;
  return kind === 'condition' ? conditionSchema : consensusSchema;
};

const compile = (entry: (typeof turnkeyCorpus)[number]) =>
  compileText(entry.expression, { language: 'turnkey', schema: schemaOf(entry), expected: { kind: 'bool' } });

/** They parse; as a whole policy they are not bool. */
const parts = new Set(['tx-256', 'tx-257', 'tx-258', 'tx-259', 'tx-260', 'tx-261', 'tx-262']);

test('every valid published expression compiles', () => {
  for (const entry of turnkeyCorpus.filter(({ valid, id }) => valid && !parts.has(id))) {
    expect(() => compile(entry), entry.expression).not.toThrow();
  }
});

test('those that are parts of expressions parse, and are no policies', () => {
  for (const entry of turnkeyCorpus.filter(({ id }) => parts.has(id))) {
    expect(() => parseTurnkey(entry.expression)).not.toThrow();
    expect(() => compile(entry)).toThrow(PolicyError);
  }
});

describe('every invalid one is refused with a message that helps', () => {
  test.each(turnkeyCorpus.filter(({ valid }) => !valid))('$id', (entry) => {
    try {
      compile(entry);
    } catch (error) {
      if (!(error instanceof PolicyError) || !error.problems[0]) throw error;
      expect(renderProblem(entry.expression, error.problems[0])).toMatchSnapshot();
      return;
    }
    throw new Error(`accepted: ${entry.expression}`);
  });
});
