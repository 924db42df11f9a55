import { expect, test } from 'vitest';
import { encode } from '../../../src/protocol/cbor.ts';
import { encodeManifest, encodeProposal, readManifest, readProposal } from '../../../src/protocol/ceremony/manifest.ts';
import { makeHolders } from '../../support/holders.ts';

const [anna, ben, carl] = makeHolders('anna', 'ben', 'carl').map(({ name, publicKey }) => ({ name, publicKey }));
const holders = [anna, ben, carl] as { name: string; publicKey: Uint8Array }[];
const proposal = { threshold: 2, holders, previous: null };
const share = Buffer.alloc(32, 1);
const keepers = holders.map((each) => ({ ...each, share }));
const manifest = { nonce: 1, threshold: 2, holders: keepers, root: Buffer.alloc(32, 2), previous: null };

test('a manifest has one encoding, which is read back', () => {
  const encoded = encodeManifest(manifest);
  expect(encodeManifest({ ...manifest })).toEqual(encoded);
  expect(readManifest(encoded)).toMatchObject({ nonce: 1, threshold: 2, previous: null });
  expect(readProposal(encodeProposal(proposal)).holders.map(({ name }) => name)).toEqual(['anna', 'ben', 'carl']);
});

test.each([
  ['a threshold of one', { threshold: 1 }, 'threshold'],
  ['a threshold above the number of holders', { threshold: 4 }, '4 of 3'],
  ['one holder', { holders: holders.slice(0, 1) }, 'holders'],
  ['a name twice', { holders: [anna, { ...ben, name: 'anna' }] }, 'one name'],
  ['a key twice', { holders: [anna, { ...anna, name: 'other' }] }, 'one public key'],
  ['a name with a space', { holders: [anna, { ...ben, name: 'b en' }] }, 'holders.1.name'],
  ['a key that is no point', { holders: [anna, { ...ben, publicKey: Buffer.alloc(65, 4) }] }, 'P-256 point'],
  ['too many holders', { holders: Array.from({ length: 33 }, () => anna) }, 'holders'],
])('refused by name: %s', (_, change, message) => {
  expect(() => encodeProposal({ ...proposal, ...change } as typeof proposal)).toThrow(message);
});

test('a manifest with a part too many, missing or of another kind is refused', () => {
  for (const change of [
    { more: 1 },
    { nonce: 0 },
    { nonce: '1' },
    { root: Buffer.alloc(31) },
    { v: 2 },
    { holders: keepers.map(({ share: _, ...rest }) => rest) },
  ]) {
    expect(() => readManifest(encode({ v: 1, ...manifest, ...change }))).toThrow('manifest');
  }
  expect(() => readManifest(encode(null))).toThrow('manifest');
  expect(() => readManifest(Buffer.from('no cbor'))).toThrow();
});
