/**
 * Explores the machines with an honest database and crashes at any point: no start is refused, the longest tail is the
 * one that a start accepts, and whatever is under way comes to an end.
 */
import { expect, test } from 'vitest';
import {
  type BatchEvent,
  type BatchState,
  idleAfter,
  newestBatch,
  step,
} from '../../../src/enclave/ledger/batch-machine.ts';
import { type Anchored, judgeTail, type TailBatch } from '../../../src/enclave/ledger/boot-machine.ts';

type Enclave = {
  tail: readonly TailBatch[];
  machine: BatchState;
  newest: Anchored;
  /** Written and not stored yet. */
  inFlight: TailBatch | null;
  written: Readonly<Record<number, TailBatch>>;
  moved: boolean;
};
type World = {
  stored: readonly TailBatch[];
  anchor: Anchored;
  enclave: Enclave | null;
  emitted: number;
  crashes: number;
};
type Move = readonly [label: string, world: World];

const bounds = { batches: 7, crashes: 3 };

/** `world` after `event`; undefined where it leaves the bounds. */
function dispatch(world: World, event: BatchEvent): World | undefined {
  const enclave = world.enclave as Enclave;
  const { state, commands } = step(enclave.machine, event);
  let next: World = { ...world, enclave: { ...enclave, machine: state } };
  for (const command of commands) {
    if (command.type !== 'write') continue;
    if (next.emitted >= bounds.batches) return undefined;
    const batch = { number: command.number, hash: `batch ${next.emitted}`, previous: enclave.newest.hash };
    const written = { ...enclave.written, [batch.number]: batch };
    next = {
      ...next,
      emitted: next.emitted + 1,
      enclave: { ...enclave, machine: state, newest: batch, inFlight: batch, written },
    };
  }
  return next;
}

function start(world: World): World | undefined {
  const { anchor, stored } = world;
  const verdict = judgeTail(
    anchor,
    stored.filter(({ number }) => number >= anchor.number),
  );
  if (verdict.verdict !== 'tail') throw new Error(`an honest start is refused: ${verdict.reason}`);
  const { tail } = verdict;
  const newest = tail.at(-1) ?? anchor;
  const machine = idleAfter(newest.number);
  const started = { ...world, enclave: { tail, machine, newest, inFlight: null, written: {}, moved: false } };
  return tail.length > 0 ? started : dispatch(started, { type: 'held' });
}

const stored = (world: World, batch: TailBatch): World => ({
  ...world,
  stored: [...world.stored, batch],
  enclave: world.enclave && { ...world.enclave, inFlight: null },
});

/** What goes on by itself, without another request or a crash. */
function* progress(world: World): Generator<Move | readonly [string, undefined]> {
  const { enclave } = world;
  if (!enclave) {
    yield ['start', start(world)];
    return;
  }
  const [redone, ...tail] = enclave.tail;
  if (redone) {
    const next = { ...world, anchor: redone, enclave: { ...enclave, tail } };
    yield ['redo', tail.length > 0 ? next : dispatch(next, { type: 'held' })];
    return;
  }
  const { machine, inFlight, moved } = enclave;
  if (inFlight) yield ['store', stored(world, inFlight)];
  else if (machine.written > machine.committed) {
    yield ['committed', dispatch(world, { type: 'committed', number: machine.written })];
  }
  if (machine.anchoring !== null && !moved) {
    yield [
      'anchor',
      { ...world, anchor: enclave.written[machine.anchoring] as TailBatch, enclave: { ...enclave, moved: true } },
    ];
  }
  if (machine.anchoring !== null && moved) {
    const known = { ...world, enclave: { ...enclave, moved: false } };
    yield ['anchored', dispatch(known, { type: 'anchored', number: machine.anchoring })];
  }
}

function* disturbances(world: World): Generator<Move | readonly [string, undefined]> {
  const { enclave, crashes } = world;
  if (!enclave) return;
  if (enclave.tail.length === 0 && enclave.machine.open === 0) yield ['request', dispatch(world, { type: 'held' })];
  if (crashes === bounds.crashes) return;
  const crashed = { ...world, enclave: null, crashes: crashes + 1 };
  yield ['crash', crashed];
  // The database finishes what it was given.
  if (enclave.inFlight) yield ['crash, stored', stored(crashed, enclave.inFlight)];
}

function reachable(): World[] {
  const first: World = { stored: [], anchor: { number: 0, hash: 'genesis' }, enclave: null, emitted: 0, crashes: 0 };
  const seen = new Map([[JSON.stringify(first), first]]);
  for (const world of seen.values()) {
    for (const moves of [progress(world), disturbances(world)]) {
      for (const [, next] of moves) if (next) seen.set(JSON.stringify(next), next);
    }
  }
  return [...seen.values()];
}

const worlds = reachable();

test('no start after a crash is refused, and the longest tail is the one that is accepted', () => {
  const tails = worlds.map(({ stored: all, anchor }) => all.filter(({ number }) => number > anchor.number));
  const longest = tails.reduce((a, b) => (b.length > a.length ? b : a));
  expect(worlds.length).toBeGreaterThan(1_000);
  expect(longest).toHaveLength(2);
  const chain = (length: number): TailBatch[] =>
    Array.from({ length }, (_, index) => ({ number: index + 1, hash: `h${index + 1}`, previous: `h${index}` }));
  const anchor = { number: 0, hash: 'h0' };
  expect(judgeTail(anchor, chain(longest.length)).verdict).toBe('tail');
  expect(judgeTail(anchor, chain(longest.length + 1)).verdict).toBe('beside');
});

test('whatever is under way comes to an end, with everything released', () => {
  for (const world of worlds) {
    let current = world;
    for (let moves = 0; moves < 40; moves++) {
      const next = progress(current).next();
      if (next.done || !next.value[1]) break;
      current = next.value[1];
    }
    const machine = current.enclave?.machine;
    // Where the bound on batches stops the model, the open batch is left.
    if (current.emitted === bounds.batches) continue;
    expect(machine?.released).toBe(machine && newestBatch(machine));
    expect(current.anchor.number).toBe(machine?.released);
  }
});

test('what is released is stored and anchored, and no more than two batches are out', () => {
  for (const { enclave, stored: all, anchor } of worlds) {
    if (!enclave || enclave.tail.length > 0) continue;
    const { released, committed, written } = enclave.machine;
    expect(released).toBeLessThanOrEqual(anchor.number);
    expect(committed).toBeLessThanOrEqual(all.at(-1)?.number ?? 0);
    expect(written - released).toBeLessThanOrEqual(2);
  }
});
