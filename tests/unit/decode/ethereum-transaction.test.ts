import { randomBytes } from 'node:crypto';
import { Transaction as EthersTransaction } from 'ethers';
import fc from 'fast-check';
import {
  type Hex,
  keccak256,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerializable,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import {
  decodeUnsignedTransaction,
  type EthereumTransaction,
  signedTransaction,
} from '../../../src/decode/ethereum-transaction.ts';
import { encodeRlp, type RlpItem, rlpInteger } from '../../../src/decode/rlp.ts';
import { decodeTransaction } from '../../../src/decode/transaction.ts';
import { signBytes } from '../../../src/enclave/keys/curve.ts';
import { thrownBy } from './thrown-by.ts';

const secret = Buffer.alloc(32, 0x11);
const account = privateKeyToAccount(`0x${secret.toString('hex')}`);

const hex = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex);
const toHex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`;
const address = hex(20);
const uint = (bits: number) => fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** BigInt(bits) - 1n));
const safe = fc.oneof(fc.nat(300), fc.maxSafeNat());

const call = {
  nonce: safe,
  gas: uint(64),
  value: uint(256),
  data: fc.uint8Array({ maxLength: 100 }).map(toHex),
};
const accessList = fc.array(fc.record({ address, storageKeys: fc.array(hex(32), { maxLength: 3 }) }), { maxLength: 3 });
const fees = fc
  .tuple(uint(256), uint(256))
  .map(([a, b]) =>
    a < b ? { maxPriorityFeePerGas: a, maxFeePerGas: b } : { maxPriorityFeePerGas: b, maxFeePerGas: a },
  );
const chainId = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 48 }));
const anyone = fc.option(address, { nil: undefined });
const authorization = fc.record({
  chainId: fc.nat(),
  address,
  nonce: fc.nat(),
  yParity: fc.nat(1),
  r: fc.bigInt(1n, 2n ** 256n - 1n).map((n) => toHex(rlpInteger(n))),
  s: fc.bigInt(1n, 2n ** 256n - 1n).map((n) => toHex(rlpInteger(n))),
});
const blobHash = hex(31).map((rest): Hex => `0x01${rest.slice(2)}`);

const gasPrice = { gasPrice: uint(255) };
const kinds = {
  'legacy without a chain': fc.record({ ...call, ...gasPrice, to: anyone, type: fc.constant('legacy' as const) }),
  'legacy (EIP-155)': fc.record({ ...call, ...gasPrice, to: anyone, chainId, type: fc.constant('legacy' as const) }),
  eip2930: fc.record({ ...call, ...gasPrice, to: anyone, chainId, accessList, type: fc.constant('eip2930' as const) }),
  eip1559: fc
    .tuple(fc.record({ ...call, to: anyone, chainId, accessList, type: fc.constant('eip1559' as const) }), fees)
    .map(([rest, fee]) => ({ ...rest, ...fee })),
  eip4844: fc
    .tuple(
      fc.record({
        ...call,
        to: address,
        chainId,
        accessList,
        maxFeePerBlobGas: uint(256),
        blobVersionedHashes: fc.array(blobHash, { minLength: 1, maxLength: 4 }),
        type: fc.constant('eip4844' as const),
      }),
      fees,
    )
    .map(([rest, fee]) => ({ ...rest, ...fee })),
  eip7702: fc
    .tuple(
      fc.record({
        ...call,
        to: address,
        chainId,
        accessList,
        authorizationList: fc.array(authorization, { minLength: 1, maxLength: 3 }),
        type: fc.constant('eip7702' as const),
      }),
      fees,
    )
    .map(([rest, fee]) => ({ ...rest, ...fee })),
} as const;

/** The unsigned transaction again, from nothing but the decoded values. */
function encodeValues(transaction: EthereumTransaction): string {
  const item = (value: unknown): RlpItem => {
    if (value === null) return Buffer.alloc(0);
    if (typeof value === 'bigint') return rlpInteger(value);
    if (typeof value === 'string') return Buffer.from(value.slice(2), 'hex');
    if (Buffer.isBuffer(value)) return value;
    return Object.values(value as object).map(item);
  };
  const { type, chainId, nonce, gas, to, value, data, signingHash: _hash, items: _items, ...own } = transaction;
  const { gasPrice, maxPriorityFeePerGas, maxFeePerGas, accessList, ...last } = own as Record<string, unknown>;
  const fees = gasPrice === undefined ? [maxPriorityFeePerGas, maxFeePerGas] : [gasPrice];
  const call = [nonce, ...fees, gas, to, value, data];
  const tail = [accessList, ...Object.values(last)];
  const values =
    type !== 'legacy' ? [chainId, ...call, ...tail] : chainId === null ? call : [...call, chainId, null, null];
  const prefix = { legacy: '', eip2930: '01', eip1559: '02', eip4844: '03', eip7702: '04' }[type];
  return prefix + encodeRlp(values.map(item)).toString('hex');
}

describe.each(Object.entries(kinds))('%s', (_name, transactions) => {
  const arbitrary = transactions as fc.Arbitrary<TransactionSerializable>;

  it('means what viem wrote, and hashes it as viem does', () => {
    fc.assert(
      fc.property(arbitrary, fc.boolean(), (given, prefixed) => {
        const unsigned = serializeTransaction(given);
        const decoded = decodeUnsignedTransaction(prefixed ? unsigned : unsigned.slice(2).toUpperCase());
        expect(toHex(decoded.signingHash)).toBe(keccak256(unsigned));
        expect(decoded).toMatchObject({
          type: given.type,
          chainId: given.chainId === undefined ? null : BigInt(given.chainId),
          nonce: BigInt(given.nonce ?? 0),
          gas: given.gas,
          to: given.to ?? null,
          value: given.value,
        });
        expect(toHex(decoded.data)).toBe(given.data);
        for (const fee of ['gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas', 'maxFeePerBlobGas'] as const) {
          expect((decoded as Record<string, unknown>)[fee]).toBe((given as Record<string, unknown>)[fee]);
        }
        const { accessList, blobVersionedHashes, authorizationList } = decoded as Record<string, unknown>;
        expect(accessList).toEqual(given.accessList);
        expect(blobVersionedHashes).toEqual(given.blobVersionedHashes);
        expect(authorizationList).toEqual(
          given.authorizationList?.map((entry) => ({
            chainId: BigInt(entry.chainId),
            address: entry.address,
            nonce: BigInt(entry.nonce),
            yParity: BigInt(entry.yParity as number),
            r: BigInt(entry.r as Hex),
            s: BigInt(entry.s as Hex),
          })),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('signed: is what viem serializes with that signature, from the signer, and is not taken for unsigned', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (given) => {
        const unsigned = decodeUnsignedTransaction(serializeTransaction(given));
        const { r, s, v } = signBytes('CURVE_SECP256K1', secret, unsigned.signingHash);
        const signed = signedTransaction(unsigned, { r, s, v });
        const yParity = Number(v);
        expect(`0x${signed}`).toBe(
          serializeTransaction(given, { r: `0x${r}`, s: `0x${s}`, yParity, v: BigInt(27 + yParity) }),
        );
        expect(await recoverTransactionAddress({ serializedTransaction: `0x${signed}` as never })).toBe(
          account.address,
        );
        const error = thrownBy(() => decodeUnsignedTransaction(signed));
        expect(error.message).toBe('failed to parse transaction');
        expect(error.facts.fields?.[0]?.description).toMatch(/signed already/);
      }),
      { numRuns: 25 },
    );
  });

  it('leaves no byte without a meaning: what is decoded encodes to the same bytes again', () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.nat(255), (given, at, value) => {
        const bytes = Buffer.from(serializeTransaction(given).slice(2), 'hex');
        bytes[at % bytes.length] = value;
        let decoded: EthereumTransaction;
        try {
          decoded = decodeUnsignedTransaction(bytes.toString('hex'));
        } catch (error) {
          expect(error).toMatchObject({ name: 'CountersignError' });
          return;
        }
        expect(encodeValues(decoded)).toBe(bytes.toString('hex'));
        expect(toHex(decoded.signingHash)).toBe(keccak256(bytes));
      }),
      { numRuns: 300 },
    );
  });
});

describe('known answers', () => {
  it('the EIP-155 example', () => {
    const transaction = decodeUnsignedTransaction(
      'ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080',
    );
    expect(transaction).toMatchObject({
      type: 'legacy',
      chainId: 1n,
      nonce: 9n,
      gasPrice: 20n * 10n ** 9n,
      gas: 21000n,
      to: '0x3535353535353535353535353535353535353535',
      value: 10n ** 18n,
    });
    expect(transaction.signingHash.toString('hex')).toBe(
      'daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53',
    );
    const signature = signBytes('CURVE_SECP256K1', Buffer.alloc(32, 0x46), transaction.signingHash);
    expect(signedTransaction(transaction, signature)).toBe(
      'f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
    );
  });

  it('the type-2 example of the official clients’ tests', () => {
    expect(
      decodeUnsignedTransaction('02e801808459682f008509d4ae542e8252089440f008f4c17075efca092ae650655f6693aeced00180c0'),
    ).toMatchObject({
      type: 'eip1559',
      chainId: 1n,
      nonce: 0n,
      maxPriorityFeePerGas: 1_500_000_000n,
      maxFeePerGas: 42_222_900_270n,
      gas: 21000n,
      to: '0x40f008f4c17075efca092ae650655f6693aeced0',
      value: 1n,
      data: Buffer.alloc(0),
      accessList: [],
    });
  });

  it('agrees with ethers', () => {
    const given = EthersTransaction.from({
      type: 2,
      chainId: 10,
      to: account.address,
      value: 5n,
      gasLimit: 21000n,
      maxFeePerGas: 7n,
    });
    const decoded = decodeUnsignedTransaction(given.unsignedSerialized);
    expect(toHex(decoded.signingHash)).toBe(given.unsignedHash);
    const signature = signBytes('CURVE_SECP256K1', secret, decoded.signingHash);
    expect(EthersTransaction.from(`0x${signedTransaction(decoded, signature)}`).from).toBe(account.address);
  });

  it('strips leading zeros of r and s', () => {
    const decoded = decodeUnsignedTransaction(serializeTransaction({ chainId: 1, type: 'eip1559' }));
    const signed = signedTransaction(decoded, { r: `00${'11'.repeat(31)}`, s: '1'.padStart(64, '0'), v: '01' });
    expect(signed.endsWith(`c0019f${'11'.repeat(31)}01`)).toBe(true);
  });
});

describe('refusals', () => {
  const to = Buffer.alloc(20, 7);
  const none = Buffer.alloc(0);
  const n = rlpInteger;
  const typed = (type: number, items: RlpItem) => `0${type}${encodeRlp(items).toString('hex')}`;
  const legacy = (items: RlpItem) => encodeRlp(items).toString('hex');
  const fee = (...more: RlpItem[]) => [n(1n), n(0n), n(1n), n(2n), n(21000n), to, n(0n), none, [], ...more];
  const feeWith = (at: number, item: RlpItem) => typed(2, fee().with(at, item));
  const call = [n(0n), n(1n), n(21000n), to, n(0n), none];
  const blobHash = Buffer.concat([Buffer.of(1), Buffer.alloc(31)]);
  const authorization = [n(1n), to, n(0n), n(1n), n(5n), n(6n)];

  it('takes what the refused ones are made of', () => {
    for (const good of [
      typed(2, fee()),
      legacy(call),
      typed(3, fee(n(1n), [blobHash])),
      typed(4, fee([authorization])),
    ]) {
      expect(() => decodeUnsignedTransaction(good)).not.toThrow();
    }
  });

  it.each<[string, string, RegExp]>([
    ['nothing', '', /expected hex/],
    ['0x', '0x', /expected hex/],
    ['no hex', 'zz', /expected hex/],
    ['half a byte', '02e', /expected hex/],
    ['space', ' 02c0', /expected hex/],
    ['a type alone', '02', /ends too early/],
    ['a string for a list', '0280', /expected an RLP list/],
    ['a string', '80', /expected a list or a transaction type/],
    ['bytes behind', `${typed(2, fee())}00`, /1 bytes after the end/],
    ['bytes behind a legacy one', `${legacy(call)}80`, /1 bytes after the end/],
    ['an item too few', typed(2, fee().slice(1)), /expected 9 items, found 8/],
    ['an item too many', typed(2, fee(none)), /expected 9 items, found 10/],
    ['a legacy item too few', legacy(call.slice(1)), /expected 6 items, found 5/],
    ['seven legacy items', legacy([...call, n(1n)]), /expected 6 items, found 7/],
    ['a signature', typed(2, fee(none, n(1n), n(2n))), /signed already/],
    ['a signature of zeros', typed(2, fee(none, none, none)), /signed already/],
    ['a legacy signature', legacy([...call, n(27n), n(1n), n(2n)]), /signed already/],
    ['a legacy signature with r alone', legacy([...call, n(1n), n(2n), none]), /signed already/],
    ['lists for r and s', legacy([...call, n(1n), [], []]), /signed already/],
    ['chain 0', feeWith(0, none), /chainId: expected a positive/],
    ['legacy chain 0', legacy([...call, none, none, none]), /chainId: expected a positive/],
    ['a chain id of nine bytes', feeWith(0, Buffer.alloc(9, 1)), /chainId: expected at most 8 bytes/],
    ['a nonce of nine bytes', feeWith(1, Buffer.alloc(9, 1)), /nonce: expected at most 8 bytes, found 9/],
    ['a leading zero', feeWith(1, Buffer.of(0, 1)), /nonce: expected an integer without leading zeros/],
    ['zero as a byte', feeWith(1, Buffer.of(0)), /nonce: expected an integer without leading zeros/],
    ['a value of 33 bytes', feeWith(6, Buffer.alloc(33, 1)), /value: expected at most 32 bytes/],
    ['a list for a value', feeWith(6, []), /value: expected a string/],
    ['an address of 19 bytes', feeWith(5, Buffer.alloc(19, 1)), /to: expected 20 bytes, found 19/],
    ['an address of 21 bytes', feeWith(5, Buffer.alloc(21, 1)), /to: expected 20 bytes, found 21/],
    ['a list for data', feeWith(7, []), /data: expected a string/],
    ['a string for the access list', feeWith(8, none), /accessList: expected a list/],
    ['an access list entry without keys', feeWith(8, [[to]]), /accessList: expected lists of 2/],
    ['an access list key of 31 bytes', feeWith(8, [[to, [Buffer.alloc(31)]]]), /storage key: expected 32 bytes/],
    ['an access list address of 32 bytes', feeWith(8, [[Buffer.alloc(32), []]]), /accessList address: expected 20/],
    ['blobs without hashes', typed(3, fee(n(1n), [])), /blobVersionedHashes: expected at least one/],
    ['a blob hash of version 2', typed(3, fee(n(1n), [Buffer.alloc(32, 2)])), /hashes of version 1/],
    ['blobs for nobody', typed(3, fee(n(1n), [blobHash]).with(5, none)), /to: expected an address/],
    ['blobs with their sidecar', typed(3, [fee(n(1n), [blobHash]), [], [], []]), /alone, without blobs/],
    ['no authorization', typed(4, fee([])), /authorizationList: expected at least one/],
    ['authorizations for nobody', typed(4, fee([authorization]).with(5, none)), /to: expected an address/],
    ['an unsigned authorization', typed(4, fee([authorization.slice(0, 3)])), /lists of 6 items, found 3/],
    ['a yParity of two bytes', typed(4, fee([authorization.with(3, n(256n))])), /yParity: expected at most 1/],
  ])('%s', (_name, input, description) => {
    const error = thrownBy(() => decodeUnsignedTransaction(input));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', 'failed to parse transaction']);
    expect(error.facts.reason).toBe('INVALID_TRANSACTION');
    expect(error.facts.fields?.[0]?.field).toBe('parameters.unsignedTransaction');
    expect(error.facts.fields?.[0]?.description).toMatch(description);
  });

  it.each([
    ['76c0', '0x76 (Tempo)'],
    ['05c0', '0x05'],
    ['00c0', '0x00'],
    ['7fc0', '0x7f'],
  ])('the type of %s is not implemented', (input, name) => {
    const error = thrownBy(() => decodeUnsignedTransaction(input));
    expect([error.code, error.message]).toEqual(['UNIMPLEMENTED', `transaction type not implemented: ${name}`]);
    expect(error.facts.reason).toBe('UNSUPPORTED_TRANSACTION_TYPE');
  });

  it.each(['SOLANA', 'TRON', 'BITCOIN', 'TEMPO'])('TRANSACTION_TYPE_%s is not implemented', (name) => {
    const error = thrownBy(() => decodeTransaction(`TRANSACTION_TYPE_${name}`, typed(2, fee())));
    expect([error.code, error.message]).toEqual([
      'UNIMPLEMENTED',
      `transaction type not implemented: TRANSACTION_TYPE_${name}`,
    ]);
  });

  it('decodes Ethereum transactions by the name of the type', () => {
    expect(decodeTransaction('TRANSACTION_TYPE_ETHEREUM', typed(2, fee())).type).toBe('eip1559');
  });

  it('fails in no other way on noise', () => {
    for (let round = 0; round < 3000; round++) {
      const noise = Buffer.concat([Buffer.of([1, 2, 3, 4, 0xc8, 0xf8][round % 6] as number), randomBytes(round % 40)]);
      const error = thrownBy(() => decodeUnsignedTransaction(noise.toString('hex')));
      expect(error.code).toBe('INVALID_ARGUMENT');
    }
  });
});
