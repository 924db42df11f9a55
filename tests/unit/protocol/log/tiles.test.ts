import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTilePath, type TileName, tilePath, tileWidthIn } from '../../../../src/protocol/log/tiles.ts';

test.each<[TileName, string]>([
  [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
  [{ level: 0, index: 273, width: 112 }, 'tile/0/273.p/112'],
  [{ level: 2, index: 1_234_067, width: 256 }, 'tile/2/x001/x234/067'],
  [{ level: 63, index: 1000, width: 1 }, 'tile/63/x001/000.p/1'],
  [{ level: 'entries', index: 999, width: 256 }, 'tile/entries/999'],
  [{ level: 'entries', index: Number.MAX_SAFE_INTEGER, width: 255 }, 'tile/entries/x009/x007/x199/x254/x740/991.p/255'],
])('%j is %s', (name, path) => {
  expect(tilePath(name)).toBe(path);
  expect(parseTilePath(path)).toEqual(name);
});

test('every tile has one name', () => {
  const level = fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 }));
  const names = fc.record({ level, index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) });
  fc.assert(
    fc.property(names, (name) => {
      expect(parseTilePath(tilePath(name))).toEqual(name);
    }),
  );
});

test.each([
  ...['tile/0/0', 'tile/0/x000/000', 'tile/0/x001/1', 'tile/0/001/000', 'tile/0/000.p/0', 'tile/0/000.p/256'],
  ...['tile/0/000.p/01', 'tile/01/000', 'tile/64/000', 'tile/-1/000', 'tile/data/000', 'tile/0/000/', '/tile/0/000'],
  ...['tile/0/x999/x999/x999/x999/x999/999', 'tile/0/', 'tile/0', 'checkpoint', '', 'tile/0/000.p/', 'tile/0/000\n'],
])('%j is no tile', (path) => {
  expect(parseTilePath(path)).toBeUndefined();
});

test('the tiles of a tree of 70,000, as the specification counts them', () => {
  const widths = (level: number | 'entries', index: number) => tileWidthIn(70_000, { level, index });
  expect([widths(0, 272), widths(0, 273), widths(0, 274)]).toEqual([256, 112, 0]);
  expect([widths('entries', 272), widths('entries', 273)]).toEqual([256, 112]);
  expect([widths(1, 0), widths(1, 1), widths(1, 2)]).toEqual([256, 17, 0]);
  expect([widths(2, 0), widths(3, 0), widths(63, 0)]).toEqual([1, 0, 0]);
});
