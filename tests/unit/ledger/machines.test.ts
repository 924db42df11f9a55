import { describe, expect, test } from 'vitest';
import {
  type BatchEvent,
  type BatchState,
  idleAfter,
  newestBatch,
  step,
} from '../../../src/enclave/ledger/batch-machine.ts';
import { judgeTail } from '../../../src/enclave/ledger/boot-machine.ts';

const run = (state: BatchState, ...events: BatchEvent[]) =>
  events.reduce(
    (result, event) => {
      const next = step(result.state, event);
      return {
        state: next.state,
        commands: [...result.commands, ...next.commands.map((c) => ('number' in c ? `${c.type} ${c.number}` : c.type))],
      };
    },
    { state, commands: [] as string[] },
  );
const held: BatchEvent = { type: 'held' };
const committed = (number: number): BatchEvent => ({ type: 'committed', number });
const anchored = (number: number): BatchEvent => ({ type: 'anchored', number });

describe('batches', () => {
  test('a batch that waits for more leaves when it is closed, or as soon as one joins that nothing follows', () => {
    const joined: BatchEvent = { type: 'held', more: true };
    const close: BatchEvent = { type: 'close' };
    expect(run(idleAfter(0), joined, joined).commands).toEqual([]);
    expect(newestBatch(run(idleAfter(0), joined).state)).toBe(1);
    expect(run(idleAfter(0), joined, joined, close, close).commands).toEqual(['write 1']);
    expect(run(idleAfter(0), joined, held, joined).commands).toEqual(['write 1']);
    expect(run(idleAfter(0), close).commands).toEqual([]);
    expect(run(idleAfter(0), held, joined, close, committed(1)).commands).toEqual(['write 1', 'anchor 1', 'write 2']);
    expect(run(idleAfter(0), held, joined, committed(1)).commands).toEqual(['write 1', 'anchor 1']);
  });

  test('a batch is written at once when none is out, and released once it is anchored', () => {
    expect(run(idleAfter(7), held, committed(8), anchored(8)).commands).toEqual(['write 8', 'anchor 8', 'release 8']);
  });

  test('what comes in meanwhile joins one batch, which is written while the one before it is anchored', () => {
    const { state, commands } = run(idleAfter(0), held, held, held, committed(1));
    expect(commands).toEqual(['write 1', 'anchor 1', 'write 2']);
    expect(newestBatch(run(state, held).state)).toBe(3);
    expect(run(state, held, committed(2)).commands).toEqual([]);
    expect(run(state, held, committed(2), anchored(1)).commands).toEqual(['release 1', 'anchor 2', 'write 3']);
  });

  test.each([
    ['of no batch', committed(1)],
    ['of a batch before', committed(0)],
    ['that is no number', { type: 'committed', number: '1' } as unknown as BatchEvent],
  ])('an acknowledgement %s changes nothing', (_, event) => {
    expect(step(idleAfter(0), event)).toEqual({ state: idleAfter(0), commands: [] });
  });

  test('an acknowledgement given twice counts once', () => {
    expect(run(idleAfter(0), held, committed(1), committed(1)).commands).toEqual(['write 1', 'anchor 1']);
  });

  test('after a halt nothing happens any more', () => {
    const { state, commands } = run(idleAfter(0), held, committed(1), { type: 'fork' });
    expect(commands.at(-1)).toBe('halt');
    expect(run(state, anchored(1), held, committed(2), { type: 'fork' }).commands).toEqual([]);
  });
});

describe('starts', () => {
  const batch = (number: number) => ({ number, hash: `h${number}`, previous: `h${number - 1}` });
  const anchor = { number: 5, hash: 'h5' };

  test.each([
    ['nothing', [], 'behind'],
    ['an older batch', [batch(4)], 'behind'],
    ['a newer batch only', [batch(6)], 'behind'],
    ['another batch of the anchored number', [{ ...batch(5), hash: 'x' }], 'beside'],
    ['a batch that does not follow', [batch(5), { ...batch(6), previous: 'x' }], 'beside'],
    ['a gap', [batch(5), batch(7)], 'beside'],
    ['a batch twice', [batch(5), batch(6), batch(6)], 'beside'],
    ['batches out of order', [batch(5), batch(7), batch(6)], 'beside'],
    ['more than can be', [batch(5), batch(6), batch(7), batch(8)], 'beside'],
    ['the anchored batch', [batch(5)], 'tail'],
    ['a tail', [batch(5), batch(6), batch(7)], 'tail'],
  ])('%s', (_, shown, verdict) => {
    const judged = judgeTail(anchor, shown);
    expect(judged.verdict).toBe(verdict);
    if (judged.verdict === 'tail') expect(judged.tail).toEqual(shown.slice(1));
    else expect(judged.reason).toMatch(/^(the database|batch \d+)/);
  });

  test('before the first batch there is none to show', () => {
    const genesis = { number: 0, hash: 'g' };
    expect(judgeTail(genesis, [])).toEqual({ verdict: 'tail', tail: [] });
    expect(judgeTail(genesis, [{ ...batch(1), previous: 'g' }]).verdict).toBe('tail');
    expect(judgeTail(genesis, [batch(1)]).verdict).toBe('beside');
  });
});
