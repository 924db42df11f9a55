import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SealedKind } from '../../../src/enclave/contexts.ts';
import { derivations } from '../../../src/enclave/contexts.ts';
import { createSealer, deriveKey, RowIntegrityError, type SealedPlace } from '../../../src/enclave/sealing/seal.ts';

const rootKey = randomBytes(32);
const sealer = createSealer(rootKey);
const place: SealedPlace = { kind: 'page', organization: Buffer.alloc(16, 1), id: Buffer.from('users/0') };
const secret = Buffer.from('what nobody but the enclave may read');

test('what is sealed opens at its place, with its sequence, whatever its size', () => {
  const kinds = fc.constantFrom<SealedKind>('page', 'counters', 'key', 'activity', 'batch');
  const organizations = fc.constantFrom(Buffer.alloc(0), Buffer.alloc(16, 1), Buffer.alloc(16, 2));
  fc.assert(
    fc.property(
      kinds,
      organizations,
      fc.uint8Array(),
      fc.nat(2 ** 40),
      fc.uint8Array({ maxLength: 5000 }),
      (kind, organization, id, sequence, content) => {
        const at = { kind, organization, id };
        const opened = sealer.open(at, sealer.seal(at, sequence, content));
        expect(opened.sequence).toBe(sequence);
        expect(opened.plaintext.equals(content)).toBe(true);
      },
    ),
  );
});

test('with any byte flipped, cut or added it is refused', () => {
  const sealed = sealer.seal(place, 2 ** 33 + 5, secret);
  for (let at = 0; at < sealed.length; at++) {
    for (const bit of [1, 128]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ bit;
      expect(() => sealer.open(place, changed)).toThrow(RowIntegrityError);
    }
  }
  for (let size = 0; size < sealed.length; size++)
    expect(() => sealer.open(place, sealed.subarray(0, size))).toThrow(RowIntegrityError);
  expect(() => sealer.open(place, Buffer.concat([sealed, Buffer.of(0)]))).toThrow(RowIntegrityError);
});

test('at any other place, or by another root key, it is refused', () => {
  const sealed = sealer.seal(place, 5, secret);
  const others: SealedPlace[] = [
    { ...place, kind: 'key' },
    { ...place, kind: 'counters' },
    { ...place, organization: Buffer.alloc(16, 2) },
    { ...place, organization: Buffer.alloc(0) },
    { ...place, id: Buffer.from('users/1') },
    { ...place, id: Buffer.alloc(0) },
  ];
  for (const other of others) expect(() => sealer.open(other, sealed)).toThrow('was not sealed for this place');
  expect(() => createSealer(randomBytes(32)).open(place, sealed)).toThrow('was not sealed for this place');
  expect(createSealer(rootKey).open(place, sealed).plaintext).toEqual(secret);
});

test('an unknown version is refused by name', () => {
  const sealed = sealer.seal(place, 5, secret);
  sealed[0] = 2;
  expect(() => sealer.open(place, sealed)).toThrow('a sealed page has the unknown format version 2');
});

test('no two seals of one content are alike, and none shows it', () => {
  const seals = Array.from({ length: 100 }, () => sealer.seal(place, 1, secret));
  expect(new Set(seals.map((sealed) => sealed.subarray(7).toString('hex'))).size).toBe(100);
  for (const sealed of seals) expect(sealed.includes('nobody')).toBe(false);
});

test('every purpose has a key of its own', () => {
  const purposes = Object.keys(derivations) as (keyof typeof derivations)[];
  const keys = purposes.map((purpose) => deriveKey(rootKey, purpose).export().toString('hex'));
  expect(new Set(keys).size).toBe(purposes.length);
  expect(deriveKey(rootKey, 'seal').equals(deriveKey(rootKey, 'seal'))).toBe(true);
  expect(keys).not.toContain(rootKey.toString('hex'));
});
