/**
 * Explores the rules of the TPM's chain and of the witnesses against a hostile host: several enclaves alive at once, killed at any
 * point, a database that shows any batches that ever left, folders (the anchor file) restored to any earlier state, and, with
 * witnesses, one of the three rolled back. The decisions are the real ones (batch machine, judge of the start, position in the
 * chain, meaning of a witness's answer). The property: of any two released batches one is in the history of the other. (Which of
 * them left first does not matter: an answer may always be late.)
 */
import { expect, test } from 'vitest';
import { chainPosition, chainStart, extendChain } from '../../../src/enclave/anchors/chain.ts';
import { type Asked, type Meaning, meaningOf } from '../../../src/enclave/anchors/witness-answer.ts';
import { type BatchEvent, type BatchState, idleAfter, step } from '../../../src/enclave/ledger/batch-machine.ts';
import { judgeTail } from '../../../src/enclave/ledger/boot-machine.ts';
import { sha256 } from '../../../src/enclave/ledger/hash.ts';

type Rules = {
  readonly depth: 1 | 2;
  position: typeof chainPosition;
  meaning(asked: Asked, answer: { status: number; body: string }): Meaning;
  /** Whether the TPM's chain is looked at again after it was extended. */
  readBack: boolean;
  quorum: number;
};
type Kind = 'tpm' | 'witness';

/** A batch by its place in the list of all that ever left an enclave; -1 is the genesis. */
type Id = number;
type Batch = { number: number; previous: Id };
type Enclave = {
  machine: BatchState;
  newest: Id;
  written: Record<number, Id>;
  /** What it takes the TPM to hold, in hex. */
  chain: string;
  /** How far the batch that is being anchored has come. */
  stage: 'none' | 'extended';
  cosigned: number[];
  ready: boolean;
  /** A start waits for a quorum to cosign what it found. */
  starting: boolean;
};
type World = {
  batches: Batch[];
  /** What the anchor file ever held; any of it may be put back. */
  files: Id[];
  enclaves: Enclave[];
  starts: number;
  /** All batches that extended the TPM's chain, in order. */
  nv: Id[];
  witnesses: Id[];
  rolledBack: boolean;
  released: Id[];
};
/** `rollsBack`: one of the witnesses may forget, once. */
type Bounds = { batches: number; starts: number; alive: number; witnesses: number; rollsBack?: boolean };

class Violation extends Error {}

const real: Omit<Rules, 'depth'> = {
  position: chainPosition,
  meaning: meaningOf,
  readBack: true,
  quorum: 2,
};

const hashOf = (id: Id): Buffer => sha256(Buffer.from(`batch ${id}`));
const numberOf = ({ batches }: World, id: Id): number => batches[id]?.number ?? 0;

function historyOf({ batches }: World, id: Id): Id[] {
  const history: Id[] = [];
  for (let at = id; at >= 0; at = (batches[at] as Batch).previous) history.unshift(at);
  return history;
}

const chainOf = (ids: readonly Id[]): Buffer =>
  ids.reduce<Buffer>((chain, id) => extendChain(chain, hashOf(id)), chainStart);

const copyOf = (world: World): World => ({
  ...world,
  batches: [...world.batches],
  files: [...world.files],
  nv: [...world.nv],
  witnesses: [...world.witnesses],
  released: [...world.released],
  enclaves: world.enclaves.map((each) => ({ ...each, written: { ...each.written }, cosigned: [...each.cosigned] })),
});

/** What the witness that has seen `seen` answers about `id`: its proof holds if the one is in the other's history. */
function witnessAnswer(world: World, seen: Id, id: Id, old: number): { status: number; body: string } {
  const [latest, size] = [numberOf(world, seen), numberOf(world, id)];
  if (old !== latest) return { status: 409, body: `${latest}\n` };
  if (old > size) return { status: 400, body: '' };
  const isNext = seen < 0 || historyOf(world, id).includes(seen);
  return isNext ? { status: 200, body: '' } : { status: 422, body: '' };
}

/** true: it cosigned; false: nothing to be had; 'fork': it has seen another history. */
function submit(world: World, at: number, id: Id, rules: Rules): boolean | 'fork' {
  const seen = world.witnesses[at] as Id;
  const size = numberOf(world, id);
  let old = 0;
  for (let attempt = 0; attempt < 3; attempt++) {
    const meaning = rules.meaning({ old, size }, witnessAnswer(world, seen, id, old));
    if (meaning.meaning === 'cosigned') {
      // A mutant may take an answer for a cosignature that is none; the witness keeps what it cosigned only.
      if (witnessAnswer(world, seen, id, old).status === 200) world.witnesses[at] = id;
      return true;
    }
    if (meaning.meaning === 'again') old = meaning.old;
    else return meaning.meaning === 'trouble' ? false : 'fork';
  }
  return false;
}

function dispatch(world: World, enclave: Enclave, event: BatchEvent, bounds: Bounds): boolean {
  const { state, commands } = step(enclave.machine, event);
  enclave.machine = state;
  for (const command of commands) {
    if (command.type === 'write') {
      if (world.batches.length >= bounds.batches) return false;
      enclave.newest = world.batches.push({ number: command.number, previous: enclave.newest }) - 1;
      enclave.written[command.number] = enclave.newest;
    }
    if (command.type === 'release') {
      const id = enclave.written[command.number] as Id;
      const history = historyOf(world, id);
      const lost = world.released.find((other) => !history.includes(other) && !historyOf(world, other).includes(id));
      if (lost !== undefined)
        throw new Violation(`batch ${id} is released, and its history lacks the released batch ${lost}`);
      if (!world.released.includes(id)) world.released.push(id);
      enclave.ready = true;
    }
  }
  return true;
}

/** Every chain that a database could show behind `after`. */
function* tailsBehind(world: World, after: Id, length: number): Generator<Id[]> {
  yield [];
  if (length === 0) return;
  for (const [id, { previous }] of world.batches.entries()) {
    if (previous === after) for (const rest of tailsBehind(world, id, length - 1)) yield [id, ...rest];
  }
}

type Move = readonly [label: string, world: World];

function* movesOf(world: World, kind: Kind, rules: Rules, bounds: Bounds): Generator<Move> {
  const changed = (change: (next: World) => boolean): World | undefined => {
    const next = copyOf(world);
    return change(next) ? next : undefined;
  };
  if (world.starts < bounds.starts && world.enclaves.length < bounds.alive) {
    for (const file of new Set(world.files)) {
      for (const tail of tailsBehind(world, file, 2)) {
        const next = changed((to) => start(to, file, tail, kind, rules, bounds));
        if (next) yield [`start on file ${file}, shown ${tail.join(' ')}`, next];
      }
    }
  }
  if (bounds.rollsBack && !world.rolledBack) {
    const earlier = world.witnesses[0] as Id;
    for (const id of earlier >= 0 ? [-1, ...historyOf(world, earlier).slice(0, -1)] : []) {
      yield [
        `witness 0 back to ${id}`,
        { ...copyOf(world), witnesses: [id, ...world.witnesses.slice(1)], rolledBack: true },
      ];
    }
  }
  for (const [at, enclave] of world.enclaves.entries()) {
    const on = (label: string, change: (next: World, own: Enclave) => boolean): Move[] => {
      const next = changed((to) => change(to, to.enclaves[at] as Enclave));
      return next ? [[`${at}: ${label}`, next]] : [];
    };
    yield [`${at}: kill`, { ...copyOf(world), enclaves: copyOf(world).enclaves.filter((_, index) => index !== at) }];
    if (enclave.machine.halted) continue;
    if (enclave.starting) {
      for (const witness of world.witnesses.keys()) {
        if (enclave.cosigned.includes(witness)) continue;
        yield* on(`witness ${witness} cosigns what was found`, (next, own) =>
          collect(next, own, witness, own.newest, rules, () => begin(next, own, bounds)),
        );
      }
      continue;
    }
    const { machine } = enclave;
    if (machine.anchoring !== null) {
      const id = enclave.written[machine.anchoring] as Id;
      const finish = (next: World, own: Enclave): boolean => {
        next.files.push(id);
        own.stage = 'none';
        own.cosigned = [];
        return dispatch(next, own, { type: 'anchored', number: own.machine.anchoring as number }, bounds);
      };
      if (kind === 'witness') {
        for (const witness of world.witnesses.keys()) {
          if (enclave.cosigned.includes(witness)) continue;
          yield* on(`witness ${witness} cosigns ${id}`, (next, own) =>
            collect(next, own, witness, id, rules, () => finish(next, own)),
          );
        }
      } else if (enclave.stage === 'none') {
        yield* on(`extend by ${id}`, (next, own) => {
          // Read before: another's batch there means that this enclave is not alone.
          if (rules.readBack && chainOf(next.nv).toString('hex') !== own.chain) {
            own.machine = step(own.machine, { type: 'fork' }).state;
            return true;
          }
          next.nv.push(id);
          own.stage = 'extended';
          return true;
        });
      } else {
        yield* on(`read back ${id}`, (next, own) => {
          const chain = extendChain(Buffer.from(own.chain, 'hex'), hashOf(id)).toString('hex');
          if (rules.readBack && chainOf(next.nv).toString('hex') !== chain) {
            own.machine = step(own.machine, { type: 'fork' }).state;
            return true;
          }
          own.chain = chain;
          return finish(next, own);
        });
      }
    }
    if (enclave.ready && machine.open === 0)
      yield* on('request', (next, own) => dispatch(next, own, { type: 'held' }, bounds));
    if (machine.written > machine.committed) {
      yield* on('committed', (next, own) =>
        dispatch(next, own, { type: 'committed', number: own.machine.committed + 1 }, bounds),
      );
    }
  }
}

/** A witness's cosignature for `id`, and what follows from a quorum. */
function collect(world: World, own: Enclave, witness: number, id: Id, rules: Rules, enough: () => boolean): boolean {
  const answer = submit(world, witness, id, rules);
  if (answer === false) return false;
  if (answer === 'fork') {
    own.machine = step(own.machine, { type: 'fork' }).state;
    return true;
  }
  own.cosigned.push(witness);
  return own.cosigned.length < rules.quorum || enough();
}

function start(world: World, file: Id, tail: readonly Id[], kind: Kind, rules: Rules, bounds: Bounds): boolean {
  const name = (id: Id) => (id < 0 ? 'genesis' : String(id));
  const shown = [...(file < 0 ? [] : [file]), ...tail].map((id) => {
    const { number, previous } = world.batches[id] as Batch;
    return { number, hash: name(id), previous: name(previous) };
  });
  if (judgeTail({ number: numberOf(world, file), hash: name(file) }, shown).verdict !== 'tail') return false;
  world.starts++;
  const newest = tail.at(-1) ?? file;
  const machine = idleAfter(numberOf(world, newest), rules.depth);
  const own: Enclave = {
    machine,
    newest,
    written: {},
    chain: '',
    stage: 'none',
    cosigned: [],
    ready: false,
    starting: false,
  };
  world.enclaves.push(own);
  if (kind === 'witness') {
    own.starting = true;
    return true;
  }
  const position = rules.position(chainOf(historyOf(world, file)), tail.map(hashOf), chainOf(world.nv));
  if (position === null) return false;
  // What is durable and not in the chain yet is confirmed like any other batch.
  for (const id of tail.slice(position)) world.nv.push(id);
  own.chain = chainOf(world.nv).toString('hex');
  return begin(world, own, bounds);
}

/** The record of the start itself is the first batch; nothing is taken before it is released. */
function begin(world: World, own: Enclave, bounds: Bounds): boolean {
  own.starting = false;
  own.cosigned = [];
  world.files.push(own.newest);
  return dispatch(world, own, { type: 'held' }, bounds);
}

/** Worlds that differ only in which of the witnesses that never forget is which are one. */
function keyOf({ witnesses, enclaves, ...rest }: World): string {
  const each = witnesses.map((seen, at) =>
    JSON.stringify([seen, enclaves.map(({ cosigned }) => cosigned.includes(at))]),
  );
  const others = enclaves.map(({ cosigned, ...enclave }) => ({ ...enclave, cosigned: cosigned.length }));
  return JSON.stringify([rest, others, each[0], each.slice(1).sort()]);
}

function explore(kind: Kind, rules: Rules, bounds: Bounds): { states: number; broken: string[] | null } {
  const first: World = {
    batches: [],
    files: [-1],
    enclaves: [],
    starts: 0,
    nv: [],
    witnesses: Array.from({ length: bounds.witnesses }, () => -1),
    rolledBack: false,
    released: [],
  };
  const seen = new Set([keyOf(first)]);
  let front: { world: World; way: readonly string[] }[] = [{ world: first, way: [] }];
  while (front.length > 0) {
    const next: typeof front = [];
    for (const { world, way } of front) {
      try {
        for (const [label, found] of movesOf(world, kind, rules, bounds)) {
          // Put back in any order: which files there ever were is what counts.
          found.files = [...new Set(found.files)].sort((a, b) => a - b);
          const key = keyOf(found);
          if (seen.has(key)) continue;
          seen.add(key);
          next.push({ world: found, way: [...way, label] });
        }
      } catch (error) {
        if (error instanceof Violation) return { states: seen.size, broken: [...way, error.message] };
        throw error;
      }
    }
    front = next;
  }
  return { states: seen.size, broken: null };
}

const tpm: Rules = { ...real, depth: 2 };
const witnesses: Rules = { ...real, depth: 1 };

test('with a TPM, no answer is released without all before it, with two enclaves at once and any folder put back', () => {
  const { states, broken } = explore('tpm', tpm, { batches: 4, starts: 3, alive: 2, witnesses: 0 });
  expect(broken).toBeNull();
  expect(states).toBeGreaterThan(1000);
}, 120_000);

test('with two of three witnesses neither', () => {
  const { states, broken } = explore('witness', witnesses, { batches: 3, starts: 2, alive: 2, witnesses: 3 });
  expect(broken).toBeNull();
  expect(states).toBeGreaterThan(1000);
}, 120_000);

test('nor with three of four, one of which forgets', () => {
  const bounds = { batches: 2, starts: 2, alive: 2, witnesses: 4, rollsBack: true };
  const { states, broken } = explore('witness', { ...witnesses, quorum: 3 }, bounds);
  expect(broken).toBeNull();
  expect(states).toBeGreaterThan(1000);
}, 120_000);

const small: Bounds = { batches: 3, starts: 2, alive: 2, witnesses: 3 };
const answering =
  (status: number): Rules['meaning'] =>
  (asked, answer) =>
    answer.status === status ? { meaning: 'cosigned' } : meaningOf(asked, answer);

/** Rules with one thing taken out; each must be found out. */
const mutants: Record<string, [Kind, Rules, Bounds]> = {
  'a start does not look at the chain in the TPM': ['tpm', { ...tpm, position: (_, hashes) => hashes.length }, small],
  'a start takes a chain that is ahead of the database': [
    'tpm',
    { ...tpm, position: (...args) => chainPosition(...args) ?? 0 },
    small,
  ],
  'the chain is not read back': ['tpm', { ...tpm, readBack: false }, small],
  'one of three witnesses is enough': ['witness', { ...witnesses, quorum: 1 }, small],
  'two of three are enough, although one forgets': ['witness', witnesses, { ...small, batches: 2, rollsBack: true }],
  'another history counts as cosigned': ['witness', { ...witnesses, meaning: answering(422) }, small],
  'a conflict counts as cosigned': ['witness', { ...witnesses, meaning: answering(409) }, small],
};

test.each(Object.entries(mutants))(
  'the exploration finds out: %s',
  (_, [kind, rules, bounds]) => {
    expect(explore(kind, rules, bounds).broken).not.toBeNull();
  },
  120_000,
);
