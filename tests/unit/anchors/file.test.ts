import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Anchor, AnchorError, type AnchoredState } from '../../../src/enclave/anchors/anchor.ts';
import { fileAnchor } from '../../../src/enclave/anchors/file.ts';
import { createMerkleMap, type MerkleMap, rootOfBuckets } from '../../../src/enclave/ledger/merkle-map.ts';
import { deriveKey } from '../../../src/enclave/sealing/seal.ts';

const key = deriveKey(randomBytes(32), 'anchorTag');
const slotSize = 4096;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-anchor-'));
  path = join(folder, 'anchor');
});
afterEach(() => rmSync(folder, { recursive: true }));

const stateOf = (number: number, map: MerkleMap): AnchoredState => ({
  number,
  hash: randomBytes(32),
  mapRoot: map.root(),
  logSize: 2 * number,
  logRoot: randomBytes(32),
  epoch: 0,
  epochStart: 0,
  time: 1_750_000_000_000 + number,
  checkpoint: 'checkpoint\n',
});

/** An anchor that follows a map through `moves` changes; `states` are all that it was moved to. */
async function moved(
  moves: number,
): Promise<{ anchor: Anchor; map: MerkleMap; states: AnchoredState[]; step: () => Promise<void> }> {
  const map = createMerkleMap();
  const anchor = fileAnchor(folder, key);
  const states = [stateOf(0, map)];
  anchor.create(states[0] as AnchoredState, map.bucketHashes());
  const step = async () => {
    for (let change = 0; change < 3; change++) map.set(randomBytes(32), randomBytes(32));
    // Neighbours and one bucket again and again, too.
    for (const bucket of [0, 1, 2, 0xffff])
      map.set(
        Buffer.alloc(32, randomBytes(1))
          .fill(bucket >> 8, 0, 1)
          .fill(bucket & 255, 1, 2),
        randomBytes(32),
      );
    const state = stateOf(states.length, map);
    await anchor.move(state, map.takeChangedBuckets());
    states.push(state);
  };
  for (let move = 0; move < moves; move++) await step();
  return { anchor, map, states, step };
}

test('there is none before it is made', () => {
  expect(fileAnchor(folder, key).load()).toBeNull();
});

test('it comes back with the newest state and all bucket hashes, after any number of moves and restarts', async () => {
  const { map, states } = await moved(0);
  for (let restart = 0; restart < 4; restart++) {
    const anchor = fileAnchor(folder, key);
    expect(anchor.load()).toEqual(states.at(-1));
    expect(anchor.bucketHashes().equals(map.bucketHashes())).toBe(true);
    for (let move = 0; move <= restart; move++) {
      map.set(randomBytes(32), randomBytes(32));
      const state = stateOf(states.length, map);
      await anchor.move(state, map.takeChangedBuckets());
      states.push(state);
      expect(anchor.bucketHashes().equals(map.bucketHashes())).toBe(true);
    }
  }
  expect(statSync(path).size).toBe(2 * slotSize);
  expect(statSync(`${path}-buckets`).size).toBe(2 * 65536 * 32);
  for (const file of [path, `${path}-buckets`]) expect(statSync(file).mode & 0o777).toBe(0o600);
});

describe('a move that is torn', () => {
  test('in its header leaves the state before it, with its buckets or without, never wrong ones', async () => {
    const { anchor, map, states } = await moved(5);
    const before = readFileSync(path);
    map.set(randomBytes(32), randomBytes(32));
    await anchor.move(stateOf(6, map), map.takeChangedBuckets());
    const after = readFileSync(path);
    const differing: number[] = [];
    for (let at = 0; at < after.length; at++) if (after[at] !== before[at]) differing.push(at);
    // Cut at each byte that the move changed: what is before is new, what is behind is old; then the other way round.
    for (const cut of differing.filter((_, index) => index % 5 === 0)) {
      for (const [first, second] of [
        [after, before],
        [before, after],
      ] as const) {
        writeFileSync(path, Buffer.concat([first.subarray(0, cut), second.subarray(cut)]));
        const loaded = fileAnchor(folder, key).load();
        expect([5, 6]).toContain(loaded?.number);
        if (loaded?.number === 5) expect(loaded).toEqual(states[5]);
      }
    }
  });

  test('between the states, the next moves go on from the one that is there', async () => {
    const { anchor, map, states } = await moved(4);
    const before = readFileSync(path);
    const shown = map.bucketHashes();
    map.set(randomBytes(32), randomBytes(32));
    await anchor.move(stateOf(5, map), map.takeChangedBuckets());
    const after = readFileSync(path);
    const torn = Buffer.from(after);
    // The buckets are new, the header is of no state at all.
    const slot = 5 % 2;
    torn.fill(7, slot * slotSize, slot * slotSize + 200);
    writeFileSync(path, torn);
    const again = fileAnchor(folder, key);
    expect(again.load()).toEqual(states[4]);
    expect(again.bucketHashes().equals(shown)).toBe(true);
    expect(before.length).toBe(after.length);
    const next = stateOf(5, map);
    map.markAllChanged();
    await again.move(next, map.takeChangedBuckets());
    const last = fileAnchor(folder, key);
    expect(last.load()).toEqual(next);
    expect(last.bucketHashes().equals(map.bucketHashes())).toBe(true);
  });
});

test('with both slots bad, cut short, empty or by another key it is refused, never taken for a first start', async () => {
  await moved(3);
  const good = readFileSync(path);
  const load =
    (loadKey = key) =>
    () =>
      fileAnchor(folder, loadKey).load();
  expect(load(deriveKey(randomBytes(32), 'anchorTag'))).toThrow(AnchorError);
  const bad = Buffer.from(good);
  for (const slot of [0, 1]) bad[slot * slotSize + 20] = (bad[slot * slotSize + 20] as number) ^ 1;
  writeFileSync(path, bad);
  expect(load()).toThrow('neither slot can be read');
  for (const size of [0, 1, 100]) {
    writeFileSync(path, good);
    truncateSync(path, size);
    expect(load()).toThrow(AnchorError);
  }
  writeFileSync(path, good);
  expect(load()()?.number).toBe(3);
});

test('one bad slot leaves the other', async () => {
  const { states } = await moved(3);
  const good = readFileSync(path);
  for (const slot of [0, 1]) {
    const bad = Buffer.from(good);
    bad[slot * slotSize + 10] = (bad[slot * slotSize + 10] as number) ^ 1;
    writeFileSync(path, bad);
    expect(fileAnchor(folder, key).load()).toEqual(states[slot === 1 ? 2 : 3]);
  }
});

test('without its bucket hashes, as after a power cut, the state is there and the hashes are those of no map', async () => {
  const { states, map } = await moved(3);
  rmSync(`${path}-buckets`);
  const anchor = fileAnchor(folder, key);
  expect(anchor.load()).toEqual(states[3]);
  expect(rootOfBuckets(anchor.bucketHashes()).equals(map.root())).toBe(false);
});

test('an older copy is a state of before, and says so', async () => {
  const { step, states } = await moved(2);
  copyFileSync(path, `${path}.old`);
  await step();
  copyFileSync(`${path}.old`, path);
  expect(fileAnchor(folder, key).load()).toEqual(states[2]);
});

test('a state that does not fit its slot is refused, and nothing is lost', async () => {
  const { anchor, map, states } = await moved(1);
  await expect(anchor.move({ ...stateOf(2, map), checkpoint: 'x'.repeat(5000) }, [])).rejects.toThrow(AnchorError);
  expect(fileAnchor(folder, key).load()).toEqual(states[1]);
});
