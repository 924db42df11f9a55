import { createHmac, randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { HDKey } from '@scure/bip32';
import { entropyToMnemonic, mnemonicToSeedSync } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publicKeyOf } from '../../../src/enclave/keys/curve.ts';
import { deriveSecret, entropyOf, mnemonicOf, newEntropy, parsePath, seedOf } from '../../../src/enclave/keys/hd.ts';
import { thrownBy } from '../decode/thrown-by.ts';

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const seed1 = bytes('000102030405060708090a0b0c0d0e0f');

describe('BIP-39', () => {
  const sizes = [
    [12, 16],
    [15, 20],
    [18, 24],
    [21, 28],
    [24, 32],
  ] as const;

  it.each(sizes)('%i words: as @scure/bip39', (words, size) => {
    for (let round = 0; round < 10; round++) {
      const entropy = newEntropy(words, randomBytes);
      expect(entropy.length).toBe(size);
      const mnemonic = mnemonicOf(entropy);
      expect(mnemonic).toBe(entropyToMnemonic(entropy, wordlist));
      expect(mnemonic.split(' ').length).toBe(words);
      expect(entropyOf(mnemonic)).toEqual(entropy);
      if (round === 0) expect(seedOf(entropy)).toEqual(Buffer.from(mnemonicToSeedSync(mnemonic)));
    }
  });

  it('known answer', () => {
    expect(mnemonicOf(Buffer.alloc(16))).toBe(`${'abandon '.repeat(11)}about`);
    expect(mnemonicOf(Buffer.alloc(32, 0xff))).toBe(`${'zoo '.repeat(23)}vote`);
    expect(seedOf(Buffer.alloc(16)).toString('hex')).toBe(
      '5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4',
    );
  });

  it('reads mnemonics with other white space', () => {
    expect(entropyOf(`\n ${'zoo\t'.repeat(23)}  vote\r\n`)).toEqual(Buffer.alloc(32, 0xff));
  });

  it.each([
    ['a bad checksum', `${'abandon '.repeat(11)}abandon`],
    ['an unknown word', `${'abandon '.repeat(11)}secretword`],
    ['a wrong number of words', 'zoo zoo zoo'],
    ['nothing', ''],
    ['half of a surrogate pair', '\ud800'],
  ])('refuses %s without repeating it', (_name, mnemonic) => {
    const error = thrownBy(() => entropyOf(mnemonic));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/^invalid mnemonic/);
    expect(JSON.stringify([error.message, error.facts, error.cause ?? null])).not.toMatch(/secretword|abandon|zoo/);
  });
});

describe('BIP-32 (secp256k1)', () => {
  it.each([
    ["m/0'", 'edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea'],
    ["m/0'/1", '3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368'],
    ["m/0'/1/2'", 'cbce0d719ecf7431d88e6a89fa1483e02e35092af60c042b1df2ff59fa424dca'],
    ["m/0'/1/2'/2/1000000000", '471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8'],
  ])('test vector 1: %s', (path, secret) => {
    expect(deriveSecret(seed1, 'CURVE_SECP256K1', path).toString('hex')).toBe(secret);
  });

  it('test vector 3: retains leading zeros', () => {
    const seed = bytes(
      '4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be',
    );
    expect(deriveSecret(seed, 'CURVE_SECP256K1', "m/0'")).toEqual(
      Buffer.from(HDKey.fromMasterSeed(seed).derive("m/0'").privateKey as Uint8Array),
    );
  });

  it('derives what @scure/bip32 derives', () => {
    const part = fc.tuple(fc.oneof(fc.nat(100), fc.nat(0x7fffffff)), fc.boolean());
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        fc.array(part, { minLength: 1, maxLength: 6 }),
        (seed, parts) => {
          const path = `m/${parts.map(([index, hard]) => `${index}${hard ? "'" : ''}`).join('/')}`;
          const expected = HDKey.fromMasterSeed(seed).derive(path).privateKey as Uint8Array;
          expect(deriveSecret(Buffer.from(seed), 'CURVE_SECP256K1', path)).toEqual(Buffer.from(expected));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('SLIP-0010', () => {
  it.each([
    [
      "m/0'",
      '68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3',
      '008c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c',
    ],
    [
      "m/0'/1'/2'/2'/1000000000'",
      '8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793',
      '003c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a',
    ],
  ])('ed25519, test vector 1: %s', (path, secret, publicKey) => {
    const derived = deriveSecret(seed1, 'CURVE_ED25519', path);
    expect(derived.toString('hex')).toBe(secret);
    expect(`00${publicKeyOf('CURVE_ED25519', derived)}`).toBe(publicKey);
  });

  it.each([
    ['test vector 1', "m/0'", '6939694369114c67917a182c59ddb8cafc3004e63ca5d3b84403ba8613debc0c'],
    ['derivation retry', "m/28578'", '06f0db126f023755d0b8d86d4591718a5210dd8d024e3e14b6159d63f53aa669'],
    ['derivation retry', "m/28578'/33941", '092154eed4af83e078ff9b84322015aefe5769e31270f62c3f66c33888335f3a'],
  ])('nist256p1, %s: %s', (_name, path, secret) => {
    expect(deriveSecret(seed1, 'CURVE_P256', path).toString('hex')).toBe(secret);
  });

  it('nist256p1, seed retry: its child is that of the master key of the vector', () => {
    const seed = bytes('a7305bc8df8d0951f0cb224c0e95d7707cbdf2c6ce7e8d481fec69c7ff5e9446');
    const master = bytes('3b8c18469a4634517d6d0b65448f8e6c62091b45540a1743c5846be55d47d88f');
    const chainCode = bytes('7762f9729fed06121fd13f326884c82f59aa95c57ac492ce8c9654e60efd130c');
    const index = bytes('80000000');
    const tweak = createHmac('sha512', chainCode)
      .update(Buffer.concat([Buffer.alloc(1), master, index]))
      .digest('hex');
    const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
    const expected = (BigInt(`0x${tweak.slice(0, 64)}`) + BigInt(`0x${master.toString('hex')}`)) % order;
    expect(BigInt(`0x${deriveSecret(seed, 'CURVE_P256', "m/0'").toString('hex')}`)).toBe(expected);
  });

  it('ed25519: as HMAC chains and @noble/curves give it', () => {
    const seed = randomBytes(64);
    let node = createHmac('sha512', 'ed25519 seed').update(seed).digest();
    for (const index of [44, 501, 7, 0]) {
      const data = Buffer.alloc(37);
      data.set(node.subarray(0, 32), 1);
      data.writeUInt32BE(index + 0x80000000, 33);
      node = createHmac('sha512', node.subarray(32)).update(data).digest();
    }
    const derived = deriveSecret(seed, 'CURVE_ED25519', "m/44'/501'/7'/0'");
    expect(derived).toEqual(node.subarray(0, 32));
    expect(publicKeyOf('CURVE_ED25519', derived)).toBe(Buffer.from(ed25519.getPublicKey(derived)).toString('hex'));
  });

  it('refuses Ed25519 paths with a part that is not hardened', () => {
    const error = thrownBy(() => deriveSecret(seed1, 'CURVE_ED25519', "m/44'/501'/0'/0"));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', 'invalid path format']);
    expect(error.facts.fields?.[0]?.description).toMatch(/hardened throughout/);
  });
});

it('leaves the seed as it was, gives secrets that share no memory, and zeroes the chain code', () => {
  const seed = randomBytes(64);
  const before = Buffer.from(seed);
  for (const curve of ['CURVE_SECP256K1', 'CURVE_P256', 'CURVE_ED25519'] as const) {
    const first = deriveSecret(seed, curve, "m/1'/2'");
    const again = deriveSecret(seed, curve, "m/1'/2'");
    expect(again).toEqual(first);
    first.fill(0);
    expect(again.equals(first)).toBe(false);
    const chainCode = new Uint8Array(again.buffer, again.byteOffset + 32, 32);
    expect(chainCode).toEqual(new Uint8Array(32));
  }
  expect(seed).toEqual(before);
});

describe('parsePath', () => {
  it('reads indices', () => {
    expect(parsePath("m/44'/60'/0'/0/7")).toEqual([0x8000002c, 0x8000003c, 0x80000000, 0, 7]);
    expect(parsePath(`m/2147483647'${'/0'.repeat(9)}`)).toHaveLength(10);
  });

  it.each([
    '',
    'm',
    'm/',
    '/0',
    "44'/60'",
    'M/0',
    'm/0/',
    'm//0',
    'm/-1',
    'm/+1',
    'm/00',
    'm/01',
    'm/1.0',
    'm/1e3',
    'm/0x1',
    'm/0h',
    'm/0H',
    "m/0''",
    'm/0 ',
    ' m/0',
    'm/0\n',
    'm/2147483648',
    "m/4294967296'",
    'm/99999999999999999999',
    `m${'/0'.repeat(11)}`,
    `m${'/0'.repeat(100_000)}`,
    'm/٣',
  ])('refuses %j', (path) => {
    const error = thrownBy(() => parsePath(path));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', 'invalid path format']);
    expect(error.facts.fields?.[0]?.field).toBe('path');
  });
});
