import fc from 'fast-check';
import { type Hex, hashTypedData } from 'viem';
import {
  getUserOperationHash,
  getUserOperationTypedData,
  type UserOperation as ViemOperation,
} from 'viem/account-abstraction';
import { describe, expect, it } from 'vitest';
import { bytesToHex } from '../../../../src/decode/hex.ts';
import { userOperationHash } from '../../../../src/decode/user-operation/hash.ts';
import {
  type EntryPointVersion,
  readUserOperation,
  type UserOperation,
} from '../../../../src/decode/user-operation/user-operation.ts';
import { contextOf, delegate, entryPointOf, given, operationOf } from './operations.ts';

const hash = (operation: UserOperation) => bytesToHex(userOperationHash(operation));

describe('the hash of a user operation', () => {
  it.each([
    ['0.6', {}, '0x36b8cfeb1ebcfe621bc2a75bafef2f480d517385ef3c756bfa34ef8a01cb3cd2'],
    ['0.7', {}, '0xb5ba88a2880ba351159b827f64dc34776bb2895c466e43e90e162cd23c53cb2b'],
    ['0.8', {}, '0xfa6da94cf54d08a8a008104bd65b8d9cc8e6627376179becfe3765d272257512'],
    ['0.9', {}, '0x073f4c64b2261716c9169af9344288ae2e3de5c687d209d576cc731ebd28d82b'],
    ['0.9', { paymasterSignature: '0xdeadbeef' }, '0x3f401efc043ae86b7b2fc220aa01e6178812e2423ac84fbc656f12a1437a9ff2'],
    [
      '0.8',
      { factory: '0x7702', eip7702Auth: { chainId: '0x7a69', address: delegate, nonce: '0x0' } },
      '0x71e4cd202b05db93c4c0d762a623a4d833ea77c824efc23493856e45613ffac7',
    ],
  ] as const)('is that of EntryPoint %s (%j)', (version, changes, expected) => {
    expect(hash(operationOf(version, changes))).toBe(expected);
  });

  it.each(['0x7702', '0x770200', `0x7702${'00'.repeat(17)}`, `0x7702${'00'.repeat(18)}`])(
    'binds the delegate for every spelling of the flag (%s)',
    (factory) => {
      const changes = { factory, eip7702Auth: { chainId: 31337, address: delegate, nonce: 0 } };
      const operation = operationOf('0.8', changes);
      expect(operation.delegateBound).toBe(true);
      expect(hash(operation)).toBe('0x71e4cd202b05db93c4c0d762a623a4d833ea77c824efc23493856e45613ffac7');
    },
  );

  it('binds a delegate that is known from the account, after the authorization was used', () => {
    const context = { ...contextOf('0.8'), delegate: delegate.toLowerCase() };
    const operation = readUserOperation({ ...given('0.8'), factory: '0x7702' }, context, '');
    expect(hash(operation)).toBe('0x71e4cd202b05db93c4c0d762a623a4d833ea77c824efc23493856e45613ffac7');
  });

  it('leaves the paymaster free to sign later in 0.9, and only then', () => {
    const signed = (signature: string) => hash(operationOf('0.9', { paymasterSignature: signature }));
    expect(signed('0x')).toBe(signed('0xdeadbeef'));
    expect(signed('0x')).not.toBe(hash(operationOf('0.9')));
    expect(() => operationOf('0.8', { paymasterSignature: '0x' })).toThrow(/paymasterSignature: not a field/);
  });

  const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((each) => bytesToHex(Buffer.from(each)) as Hex);
  const addresses = fc
    .uint8Array({ minLength: 20, maxLength: 20 })
    .filter((each) => each.some((byte) => byte !== 0))
    .map((each) => bytesToHex(Buffer.from(each)) as Hex);
  const gas = fc.bigInt(0n, 2n ** 120n - 1n);
  const operations = fc.record({
    sender: addresses,
    nonce: fc.bigInt(0n, 2n ** 256n - 1n),
    callData: bytes(200),
    callGasLimit: gas,
    verificationGasLimit: gas,
    preVerificationGas: gas,
    maxFeePerGas: gas,
    maxPriorityFeePerGas: gas,
  });
  const sponsors = fc.option(
    fc.record({
      paymaster: addresses,
      paymasterVerificationGasLimit: gas,
      paymasterPostOpGasLimit: gas,
      paymasterData: bytes(100),
    }),
    { nil: {} },
  );
  const factories = fc.option(fc.record({ factory: addresses, factoryData: bytes(100) }), { nil: {} });
  const delegations = fc.record({ factoryData: bytes(40), address: addresses });

  const asJson = (operation: object) =>
    Object.fromEntries(
      Object.entries(operation).map(([name, value]) => [
        name,
        typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
      ]),
    );

  const viemHash = (version: EntryPointVersion, operation: object, chainId: bigint) =>
    getUserOperationHash({
      chainId: Number(chainId),
      entryPointAddress: entryPointOf(version).address,
      entryPointVersion: version as '0.8',
      userOperation: { ...operation, signature: '0x' } as unknown as ViemOperation<'0.8'>,
    });

  it('is what viem computes for any operation of 0.6', () => {
    fc.assert(
      fc.property(
        operations,
        bytes(100),
        bytes(100),
        fc.bigInt(1n, 2n ** 53n - 1n),
        addresses,
        (operation, init, paid, chainId, first) => {
          const whole = {
            ...operation,
            initCode: `${first}${init.slice(2)}` as Hex,
            paymasterAndData: `${first}${paid.slice(2)}` as Hex,
          };
          const read = readUserOperation(asJson(whole), contextOf('0.6', chainId), '');
          expect(hash(read)).toBe(viemHash('0.6', whole, chainId));
        },
      ),
    );
  });

  it.each(['0.7', '0.8', '0.9'] as const)('is what viem computes for any operation of %s', (version) => {
    fc.assert(
      fc.property(
        operations,
        sponsors,
        factories,
        fc.bigInt(1n, 2n ** 53n - 1n),
        (operation, sponsor, factory, chainId) => {
          const whole = { ...operation, ...sponsor, ...factory };
          const read = readUserOperation(asJson(whole), contextOf(version, chainId), '');
          expect(hash(read)).toBe(viemHash(version, whole, chainId));
          if (version === '0.7') return;
          const typedData = getUserOperationTypedData({
            chainId: Number(chainId),
            entryPointAddress: entryPointOf(version).address,
            userOperation: { ...whole, signature: '0x' } as ViemOperation<'0.8'>,
          });
          expect(hash(read)).toBe(hashTypedData(typedData));
        },
      ),
    );
  });

  it('is what viem computes with an EIP-7702 delegate', () => {
    fc.assert(
      fc.property(operations, delegations, (operation, { factoryData, address }) => {
        const json = {
          ...asJson(operation),
          factory: '0x7702',
          factoryData,
          eip7702Auth: { chainId: '0x1', address, nonce: '0x2' },
        };
        const read = readUserOperation(json, contextOf('0.8', 1n), '');
        const viem = { ...operation, factory: '0x7702', factoryData, authorization: { address, chainId: 1, nonce: 2 } };
        expect(hash(read)).toBe(viemHash('0.8', viem, 1n));
      }),
    );
  });
});
