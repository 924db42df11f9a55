import { describe, expect, it } from 'vitest';
import {
  type EntryPointVersion,
  eip7702Flag,
  readUserOperation,
} from '../../../../src/decode/user-operation/user-operation.ts';
import { writeUserOperation } from '../../../../src/decode/user-operation/write-user-operation.ts';
import type { JsonObject } from '../../../../src/protocol/json.ts';
import { thrownBy } from '../thrown-by.ts';
import { contextOf, delegate, given, operationOf, sender } from './operations.ts';

const path = 'parameters.userOperation';
const refused = (version: EntryPointVersion, changes: JsonObject): [field: string, message: string] => {
  const error = thrownBy(() => readUserOperation({ ...given(version), ...changes }, contextOf(version), path));
  expect(error.code).toBe('INVALID_ARGUMENT');
  return [error.facts.fields?.[0]?.field as string, error.message];
};

describe('reading a user operation', () => {
  it('takes the unpacked form of bundlers, with its signature, and without what is optional', () => {
    const {
      paymaster: _,
      paymasterData,
      paymasterPostOpGasLimit,
      paymasterVerificationGasLimit,
      ...rest
    } = given('0.7');
    const operation = readUserOperation(
      { ...rest, signature: '0x1234', factory: null, paymasterData: '0x' },
      contextOf('0.7'),
      path,
    );
    expect(operation).toMatchObject({
      sender,
      nonce: 7n,
      factory: null,
      paymaster: null,
      authorization: null,
      delegate: null,
    });
    expect(operation).not.toHaveProperty('signature');
  });

  it('takes apart initCode and paymasterAndData of 0.6', () => {
    const operation = operationOf('0.6', { initCode: `${delegate.toLowerCase()}beef` });
    expect(operation.factory).toBe(delegate.toLowerCase());
    expect(operation.factoryData.toString('hex')).toBe('beef');
    expect(operation.paymaster).toBe(`0x${'33'.repeat(20)}`);
    expect(operation.paymasterData.toString('hex')).toBe('abcd');
  });

  it.each(['0.6', '0.7', '0.8', '0.9'] as const)('writes what it read (%s)', (version) => {
    const written = writeUserOperation(operationOf(version));
    expect(readUserOperation(written, contextOf(version), path)).toEqual(operationOf(version));
  });

  it('reads the authorization that goes along, signed or not', () => {
    const eip7702Auth = { chainId: '0x0', address: delegate, nonce: '0x5', yParity: '0x0', r: '0x1', s: '0x2' };
    const operation = operationOf('0.8', { factory: '0x7702', eip7702Auth });
    expect(operation.authorization).toEqual({ chainId: 0n, address: delegate.toLowerCase(), nonce: 5n });
    expect(operation.factory).toBe(eip7702Flag);
  });

  it.each<[EntryPointVersion, JsonObject, string]>([
    ['0.7', { sender: '0x1234' }, 'sender'],
    ['0.7', { sender: `0x${'0'.repeat(40)}` }, 'sender'],
    ['0.7', { sender: delegate.replace('C', 'c') }, 'sender'],
    ['0.7', { nonce: '-1' }, 'nonce'],
    ['0.7', { nonce: `0x1${'0'.repeat(64)}` }, 'nonce'],
    ['0.7', { nonce: 1.5 }, 'nonce'],
    ['0.7', { callData: '0x1' }, 'callData'],
    ['0.7', { callData: 'b61d27f6' }, 'callData'],
    ['0.7', { callData: 7 }, 'callData'],
    ['0.7', { callGasLimit: `0x1${'0'.repeat(30)}` }, 'callGasLimit'],
    ['0.7', { maxFeePerGas: null }, 'maxFeePerGas'],
    ['0.7', { preVerificationGas: [] }, 'preVerificationGas'],
    ['0.7', { initCode: '0x' }, 'initCode'],
    ['0.7', { __proto__x: 1 }, '__proto__x'],
    ['0.6', { factory: delegate }, 'factory'],
    ['0.6', { initCode: '0x1234' }, 'initCode'],
    ['0.6', { initCode: `0x${'00'.repeat(21)}` }, 'initCode'],
    ['0.6', { paymasterAndData: `0x${'33'.repeat(19)}` }, 'paymasterAndData'],
    ['0.7', { factoryData: '0x12' }, 'factory'],
    ['0.7', { factory: '0x7702' }, 'factory'],
    ['0.7', { factory: eip7702Flag }, 'factory'],
    ['0.8', { factory: '0x7702' }, 'eip7702Auth'],
    ['0.8', { factory: '0x770201', eip7702Auth: { chainId: 31337, address: delegate, nonce: 0 } }, 'factory'],
    ['0.8', { eip7702Auth: 'none' }, 'eip7702Auth'],
    ['0.8', { eip7702Auth: { chainId: 31337, address: delegate, nonce: 0, code: '0x' } }, 'eip7702Auth'],
    ['0.8', { eip7702Auth: { chainId: 1, address: delegate, nonce: 0 } }, 'eip7702Auth.chainId'],
    ['0.8', { eip7702Auth: { chainId: 31337, address: '0x', nonce: 0 } }, 'eip7702Auth.address'],
    ['0.8', { eip7702Auth: { chainId: 31337, address: delegate, nonce: `0x1${'0'.repeat(16)}` } }, 'eip7702Auth.nonce'],
    ['0.8', { paymaster: null }, 'paymaster'],
    ['0.8', { paymaster: `0x${'0'.repeat(40)}` }, 'paymaster'],
    ['0.9', { paymaster: null, paymasterData: '0x', paymasterSignature: '0x12' }, 'paymaster'],
    ['0.9', { paymasterData: '0xaabb000222e325a297439656' }, 'paymasterData'],
    ['0.9', { paymasterSignature: `0x${'00'.repeat(65_536)}` }, 'paymasterSignature'],
  ])('refuses %s %j', (version, changes, field) => {
    const [at, message] = refused(version, changes);
    expect(at).toBe(`${path}.${field}`);
    expect(message).toMatch(/^invalid user operation: /);
  });

  it('refuses more than 128 KiB of data, wherever they are', () => {
    const data = (bytes: number) => `0x${'00'.repeat(bytes)}`;
    expect(refused('0.7', { callData: data(131_073) })[0]).toBe(path);
    expect(refused('0.7', { callData: data(70_000), paymasterData: data(70_000) })[0]).toBe(path);
    expect(operationOf('0.7', { callData: data(131_070) }).callData.length).toBe(131_070);
  });
});
