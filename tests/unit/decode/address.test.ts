import { randomBytes } from 'node:crypto';
import { base58, base58xrp, bech32, bech32m } from '@scure/base';
import { mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { computeAddress } from 'ethers';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { addressFormats, addressOf } from '../../../src/decode/address.ts';
import type { Curve } from '../../../src/decode/curve.ts';
import { publicKeyOf } from '../../../src/enclave/keys/curve.ts';
import { deriveSecret, seedOf } from '../../../src/enclave/keys/hd.ts';
import { thrownBy } from './thrown-by.ts';

const generator = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const abandon = `${'abandon '.repeat(11)}about`;

function addressAt(mnemonic: string, format: string, curve: Curve, path: string): string {
  const seed = seedOf(Buffer.from(mnemonicToEntropy(mnemonic, wordlist)));
  return addressOf(`ADDRESS_FORMAT_${format}`, curve, publicKeyOf(curve, deriveSecret(seed, curve, path)));
}

describe('known answers for the BIP-39 mnemonic "abandon … about"', () => {
  it.each([
    ['ETHEREUM', "m/44'/60'/0'/0/0", '0x9858EfFD232B4033E47d90003D41EC34EcaEda94'],
    ['BITCOIN_MAINNET_P2PKH', "m/44'/0'/0'/0/0", '1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA'],
    ['BITCOIN_MAINNET_P2SH', "m/49'/0'/0'/0/0", '37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf'],
    // BIP-49
    ['BITCOIN_TESTNET_P2SH', "m/49'/1'/0'/0/0", '2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2'],
    // BIP-84
    ['BITCOIN_MAINNET_P2WPKH', "m/84'/0'/0'/0/0", 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'],
    ['BITCOIN_TESTNET_P2WPKH', "m/84'/1'/0'/0/0", 'tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl'],
    // BIP-86
    ['BITCOIN_MAINNET_P2TR', "m/86'/0'/0'/0/0", 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr'],
    ['BITCOIN_MAINNET_P2TR', "m/86'/0'/0'/0/1", 'bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh'],
    ['BITCOIN_MAINNET_P2TR', "m/86'/0'/0'/1/0", 'bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7'],
    ['BITCOIN_TESTNET_P2PKH', "m/44'/1'/0'/0/0", 'mkpZhYtJu2r87Js3pDiWJDmPte2NRZ8bJV'],
    ['COSMOS', "m/44'/118'/0'/0/0", 'cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4'],
    ['TRON', "m/44'/195'/0'/0/0", 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH'],
    ['XRP', "m/44'/144'/0'/0/0", 'rHsMGQEkVNJmpGWs8XUBoTBiAAbwxZN5v3'],
    ['DOGE_MAINNET', "m/44'/3'/0'/0/0", 'DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC'],
  ])('%s at %s', (format, path, address) => {
    expect(addressAt(abandon, format, 'CURVE_SECP256K1', path)).toBe(address);
  });

  it('SOLANA', () => {
    expect(addressAt(abandon, 'SOLANA', 'CURVE_ED25519', "m/44'/501'/0'/0'")).toBe(
      'HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk',
    );
  });
});

describe('known answers of other chains', () => {
  it('XLM: SEP-5, test 1', () => {
    const mnemonic = 'illness spike retreat truth genius clock brain pass fit cave bargain toe';
    expect(addressAt(mnemonic, 'XLM', 'CURVE_ED25519', "m/44'/148'/0'")).toBe(
      'GDRXE2BQUC3AZNPVFSCEZ76NJ3WWL25FYFK6RGZGIEKWE4SOOHSUJUJ6',
    );
  });

  it('SUI: test vector of its SDK', () => {
    const mnemonic =
      'film crazy soon outside stand loop subway crumble thrive popular green nuclear struggle pistol arm wife phrase warfare march wheat nephew ask sunny firm';
    expect(addressAt(mnemonic, 'SUI', 'CURVE_ED25519', "m/44'/784'/0'/0'/0'")).toBe(
      '0xa2d14fad60c56049ecf75246a481934691214ce413e6a8ae2fe6834c173a6133',
    );
  });

  it('APTOS: test vector of its SDK', () => {
    const mnemonic = 'shoot island position soft burden budget tooth cruel issue economy destroy above';
    expect(addressAt(mnemonic, 'APTOS', 'CURVE_ED25519', "m/44'/637'/0'/0'/0'")).toBe(
      '0x07968dab936c1bad187c60ce4082f307d030d780e91e694ae03aef16aba73f30',
    );
  });
});

describe('known answers for the generator point (private key 1)', () => {
  it.each([
    ['ETHEREUM', '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf'],
    ['COMPRESSED', generator],
    ['UNCOMPRESSED', `04${generator.slice(2)}483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8`],
    ['BITCOIN_MAINNET_P2PKH', '1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH'],
    ['BITCOIN_TESTNET_P2PKH', 'mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r'],
    ['BITCOIN_MAINNET_P2SH', '3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN'],
    // BIP-173
    ['BITCOIN_MAINNET_P2WPKH', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
    ['BITCOIN_TESTNET_P2WPKH', 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx'],
    ['BITCOIN_REGTEST_P2WPKH', 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'],
    ['BITCOIN_MAINNET_P2TR', 'bc1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5sspknck9'],
  ])('%s', (format, address) => {
    expect(addressOf(`ADDRESS_FORMAT_${format}`, 'CURVE_SECP256K1', generator)).toBe(address);
  });

  it('UNCOMPRESSED on P-256', () => {
    const x = '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296';
    const y = '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5';
    expect(addressOf('ADDRESS_FORMAT_UNCOMPRESSED', 'CURVE_P256', `03${x}`)).toBe(`04${x}${y}`);
  });
});

describe('formats of one kind', () => {
  const publicKey = publicKeyOf('CURVE_SECP256K1', randomBytes(32));
  const address = (format: string) => addressOf(`ADDRESS_FORMAT_${format}`, 'CURVE_SECP256K1', publicKey);
  const body = (text: string, alphabet = base58) => Buffer.from(alphabet.decode(text)).subarray(0, -4).toString('hex');
  const hash = body(address('BITCOIN_MAINNET_P2PKH')).slice(2);

  it.each([
    ['BITCOIN_TESTNET_P2PKH', '6f'],
    ['BITCOIN_SIGNET_P2PKH', '6f'],
    ['BITCOIN_REGTEST_P2PKH', '6f'],
    ['DOGE_MAINNET', '1e'],
    ['DOGE_TESTNET', '71'],
  ])('%s has the version byte %s before the same hash', (format, version) => {
    expect(body(address(format))).toBe(version + hash);
  });

  it('XRP has the same hash in its own alphabet', () => {
    expect(body(address('XRP'), base58xrp)).toBe(`00${hash}`);
  });

  it.each(['BITCOIN_SIGNET_P2SH', 'BITCOIN_REGTEST_P2SH'])('%s is that of testnet', (format) => {
    expect(address(format)).toBe(address('BITCOIN_TESTNET_P2SH'));
    expect(body(address(format)).slice(2)).toBe(body(address('BITCOIN_MAINNET_P2SH')).slice(2));
  });

  it.each(['COSMOS', 'SEI'])('%s is the same hash in bech32', (format) => {
    const { prefix, words } = bech32.decode(address(format) as `${string}1${string}`);
    expect(prefix).toBe(format.toLowerCase());
    expect(Buffer.from(bech32.fromWords(words)).toString('hex')).toBe(hash);
  });

  it.each([
    ['TESTNET', 'tb'],
    ['SIGNET', 'tb'],
    ['REGTEST', 'bcrt'],
  ])('segregated witness on %s', (network, prefix) => {
    const decode = (text: string, coder: typeof bech32) => coder.decode(text as `${string}1${string}`);
    const wpkh = decode(address(`BITCOIN_${network}_P2WPKH`), bech32);
    const tr = decode(address(`BITCOIN_${network}_P2TR`), bech32m);
    expect(wpkh).toEqual({ prefix, words: [0, ...bech32.toWords(Buffer.from(hash, 'hex'))] });
    expect(tr).toEqual({ prefix, words: decode(address('BITCOIN_MAINNET_P2TR'), bech32m).words });
  });

  it('TRON is the Ethereum address behind 0x41', () => {
    expect(body(address('TRON'))).toBe(`41${address('ETHEREUM').slice(2).toLowerCase()}`);
  });

  it('COMPRESSED of Ed25519 is the key', () => {
    const key = publicKeyOf('CURVE_ED25519', randomBytes(32));
    expect(addressOf('ADDRESS_FORMAT_COMPRESSED', 'CURVE_ED25519', key)).toBe(key);
    expect(Buffer.from(base58.decode(addressOf('ADDRESS_FORMAT_SOLANA', 'CURVE_ED25519', key))).toString('hex')).toBe(
      key,
    );
  });
});

it('ETHEREUM agrees with viem and ethers', () => {
  for (let round = 0; round < 20; round++) {
    const secret = randomBytes(32);
    const address = addressOf('ADDRESS_FORMAT_ETHEREUM', 'CURVE_SECP256K1', publicKeyOf('CURVE_SECP256K1', secret));
    const hex = `0x${secret.toString('hex')}` as const;
    expect([address, address]).toEqual([privateKeyToAccount(hex).address, computeAddress(hex)]);
  }
});

describe('refusals', () => {
  it.each([
    ['ADDRESS_FORMAT_NONE', 'CURVE_SECP256K1'],
    ['', 'CURVE_SECP256K1'],
    ['__proto__', 'CURVE_SECP256K1'],
    ['constructor', 'CURVE_SECP256K1'],
    ['ADDRESS_FORMAT_BITCOIN_MAINNET_P2WPKHX', 'CURVE_SECP256K1'],
    ['ADDRESS_FORMAT_ETHEREUM', 'CURVE_P256'],
    ['ADDRESS_FORMAT_ETHEREUM', 'CURVE_ED25519'],
    ['ADDRESS_FORMAT_SOLANA', 'CURVE_SECP256K1'],
    ['ADDRESS_FORMAT_UNCOMPRESSED', 'CURVE_ED25519'],
    ['ADDRESS_FORMAT_BITCOIN_MAINNET_P2TR', 'CURVE_P256'],
  ] as const)('%s with %s', (format, curve) => {
    const error = thrownBy(() => addressOf(format, curve, generator));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', 'invalid address format']);
    expect(error.facts.fields).toHaveLength(1);
  });

  it.each([
    'ADDRESS_FORMAT_BITCOIN_MAINNET_P2WSH',
    'ADDRESS_FORMAT_BITCOIN_REGTEST_P2WSH',
    'ADDRESS_FORMAT_TON_V3R2',
    'ADDRESS_FORMAT_TON_V4R2',
    'ADDRESS_FORMAT_TON_V5R1',
    'ADDRESS_FORMAT_SPARK_MAINNET',
    'ADDRESS_FORMAT_SPARK_REGTEST',
  ])('%s is not implemented, and the error names it', (format) => {
    const error = thrownBy(() => addressOf(format, 'CURVE_SECP256K1', generator));
    expect([error.code, error.message]).toEqual(['UNIMPLEMENTED', `address format not implemented: ${format}`]);
  });

  it.each([
    ['CURVE_SECP256K1', generator.toUpperCase()],
    ['CURVE_SECP256K1', generator.slice(2)],
    ['CURVE_SECP256K1', `04${generator.slice(2)}`],
    ['CURVE_SECP256K1', `02${'f'.repeat(64)}`],
    ['CURVE_P256', `02${'f'.repeat(64)}`],
  ] as const)('the public key %s %s', (curve, publicKey) => {
    const error = thrownBy(() => addressOf('ADDRESS_FORMAT_UNCOMPRESSED', curve, publicKey));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', 'invalid public key']);
  });
});

it('lists the curves of each format', () => {
  expect(addressFormats.get('ADDRESS_FORMAT_COMPRESSED')?.curves).toEqual([
    'CURVE_SECP256K1',
    'CURVE_ED25519',
    'CURVE_P256',
  ]);
  for (const [format, { curves }] of addressFormats) {
    for (const curve of curves) {
      const key = publicKeyOf(curve, Buffer.alloc(32, 1));
      expect(addressOf(format, curve, key), format).toMatch(/^[0-9a-zA-Z]{25,130}$/);
    }
  }
});
