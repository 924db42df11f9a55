/** What viem's own accounts encode and sign. */
import { createClient, custom, type Hex } from 'viem';
import { toCoinbaseSmartAccount, toSimple7702SmartAccount } from 'viem/account-abstraction';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { anvil } from 'viem/chains';
import { describe, expect, it } from 'vitest';
import { bytesToHex } from '../../../../src/decode/hex.ts';
import type { SmartAccount } from '../../../../src/decode/user-operation/account-kinds.ts';
import { digestToSign, wrapSignature } from '../../../../src/decode/user-operation/digest.ts';
import type {
  EntryPointVersion,
  UserOperation as Operation,
} from '../../../../src/decode/user-operation/user-operation.ts';
import { factsOf, mint, operationOf, sender, target } from './operations.ts';

const privateKey = `0x${'42'.repeat(32)}` as Hex;
const owner = privateKeyToAccount(privateKey);
const client = createClient({
  chain: anvil,
  transport: custom({ request: () => Promise.reject(new Error('offline')) }),
});

const calls = [
  { to: target, value: 3n, data: mint },
  { to: `0x${'44'.repeat(20)}`, data: '0x' },
] as const;

const viemOperation = (operation: Operation, callData: Hex) => {
  const { sender, nonce, callGasLimit, verificationGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas } =
    operation;
  const gas = { callGasLimit, verificationGasLimit, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas };
  return { sender: sender as Hex, nonce, callData, ...gas };
};

async function signed(operation: Operation, account: SmartAccount): Promise<Hex> {
  const hash = bytesToHex(digestToSign(operation, account)) as Hex;
  const signature = await sign({ hash, privateKey, to: 'hex' });
  return bytesToHex(wrapSignature(Buffer.from(signature.slice(2), 'hex'), account)) as Hex;
}

describe('viem', () => {
  it.each<EntryPointVersion>(['0.8', '0.9'])('toSimple7702SmartAccount on EntryPoint %s', async (version) => {
    const account = await toSimple7702SmartAccount({ client, owner, entryPoint: version as '0.8' });
    for (const some of [calls.slice(0, 1), calls]) {
      const callData = await account.encodeCalls(some);
      expect(factsOf('simple-7702', callData)).toMatchObject({
        opaque: false,
        total_value: 3n,
        calls: some.map(({ to }) => ({ to, from: sender })),
      });
      const operation = operationOf(version, { callData, paymaster: null, paymasterData: '0x', sender: owner.address });
      const signature = await account.signUserOperation({
        ...viemOperation(operation, callData),
        chainId: 31337,
      } as never);
      expect(await signed(operation, { kind: 'simple-7702' })).toBe(signature);
    }
  });

  it('toCoinbaseSmartAccount', async () => {
    const account = await toCoinbaseSmartAccount({
      client,
      owners: [owner],
      ownerIndex: 0,
      version: '1.1',
      address: sender,
    });
    const callData = await account.encodeCalls(calls);
    expect(factsOf('coinbase', callData)).toMatchObject({
      opaque: false,
      total_value: 3n,
      calls: calls.map(({ to }) => ({ to })),
    });
    const operation = operationOf('0.6', { callData });
    const signature = await account.signUserOperation({
      ...viemOperation(operation, callData),
      initCode: '0x',
      paymasterAndData: `0x${'33'.repeat(20)}abcd`,
    } as never);
    expect(await signed(operation, { kind: 'coinbase' })).toBe(signature);
  });
});
