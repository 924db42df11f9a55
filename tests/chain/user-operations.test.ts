/** User operations on a real chain: hashes as the EntryPoints have them, and a sponsored mint by somebody without ether. */
import { randomBytes } from 'node:crypto';
import { type Address, concat, encodeFunctionData, type Hex, pad, toHex } from 'viem';
import { toPackedUserOperation } from 'viem/account-abstraction';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Chain,
  contracts,
  deployAll,
  deployCanonical,
  startChain,
} from '../../examples/passkey-mint/chain/chain.ts';
import { readOperation } from '../../examples/passkey-mint/chain/read-operation.ts';
import { paymasterDataOf } from '../../examples/passkey-mint/chain/sponsorship.ts';
import type { CountersignAccount } from '../../sdk/src/viem/index.ts';
import { userOperationHash } from '../../src/decode/user-operation/hash.ts';
import { entryPoints, readUserOperation } from '../../src/decode/user-operation/user-operation.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { type EnclaveOverHttp, serveEnclave } from '../support/enclave-over-http.ts';
import { noChain } from '../support/no-chain.ts';
import { createSponsor } from '../support/paymaster.ts';
import { createResident, type Resident } from '../support/resident.ts';
import { activityBody, resultOf } from '../support/wire.ts';

let chain: Chain;
let enclave: EnclaveInMemory;
beforeAll(async () => {
  [chain, enclave] = await Promise.all([startChain(), startEnclave()]);
});
afterAll(() => {
  chain.stop();
  enclave.remove();
});

const gas = {
  callGasLimit: toHex(200_000),
  verificationGasLimit: toHex(200_000),
  preVerificationGas: toHex(60_000),
  maxFeePerGas: toHex(3_000_000_000),
  maxPriorityFeePerGas: toHex(1_000_000_000),
};
const maxCost = 660_000n * 3_000_000_000n + 100_000n * 3_000_000_000n;

type Operation = Readonly<Record<string, Hex>>;

/** The struct that EntryPoint 0.7 and later take. */
const pack = (operation: object) => toPackedUserOperation(readOperation(operation as Operation).operation);

describe.skipIf(noChain)(`the hash that the enclave signs is the one that the EntryPoint has${noChain}`, () => {
  const sender = '0x1111111111111111111111111111111111111111';
  const common = { sender, nonce: '0x7', callData: '0xb61d27f6', ...gas } as const;

  test('0.6', async () => {
    const { address, abi } = await deployCanonical(chain, 'entry-point-0.6');
    const given = { ...common, initCode: '0x', paymasterAndData: `0x${'33'.repeat(20)}abcd` } as const;
    const struct = {
      ...given,
      nonce: 7n,
      ...Object.fromEntries(Object.entries(gas).map(([name, value]) => [name, BigInt(value)])),
      signature: '0x',
    };
    expect(hashOf(given, address)).toBe(await onChain(address, abi, struct));
  });

  test.each(['0.7', '0.8'] as const)('%s', async (version) => {
    const { address, abi } = await deployCanonical(chain, `entry-point-${version}`);
    const given = {
      ...common,
      factory: `0x${'44'.repeat(20)}`,
      factoryData: '0x0102',
      paymaster: `0x${'33'.repeat(20)}`,
      paymasterVerificationGasLimit: '0x7530',
      paymasterPostOpGasLimit: '0x9c40',
      paymasterData: '0xabcd',
    } as const;
    expect(hashOf(given, address)).toBe(await onChain(address, abi, pack(given)));
  });

  function hashOf(given: object, address: Address): Hex {
    const version = entryPoints.get(address.toLowerCase());
    if (!version) throw new Error(`${address} is no canonical EntryPoint`);
    const context = { chainId: 31_337n, entryPoint: { address: address.toLowerCase(), version } };
    return `0x${userOperationHash(readUserOperation(given as never, context, '')).toString('hex')}`;
  }

  const onChain = (address: Address, abi: readonly unknown[], struct: object) =>
    chain.client.readContract({ address, abi, functionName: 'getUserOpHash', args: [struct] }) as Promise<Hex>;
});

describe.skipIf(noChain)(`a sponsored mint${noChain}`, () => {
  let owner: Resident;
  let sender: Address;
  let deployed: Awaited<ReturnType<typeof deployAll>>;
  /** Of the app, whose key agrees to pay. */
  let sponsor: CountersignAccount;
  let service: EnclaveOverHttp;
  beforeAll(async () => {
    owner = await createResident(enclave.wire, enclave.parent, randomBytes(4).toString('hex'));
    sender = owner.addresses[0] as Address;
    service = await serveEnclave(enclave.wire);
    const { organizationId, stamp } = enclave.parent;
    sponsor = await createSponsor({ baseUrl: service.baseUrl, organizationId, stamp });
    deployed = await deployAll(chain, sponsor.address);
  });
  afterAll(() => service.close());

  const mint = (amount: bigint) =>
    encodeFunctionData({ abi: contracts.Mint.abi, functionName: 'mint', args: [sender, amount] });
  const execute = (target: Address, value: bigint, data: Hex) =>
    concat([
      '0xb61d27f6',
      pad(target),
      pad(toHex(value)),
      pad('0x60'),
      pad(toHex((data.length - 2) / 2)),
      data,
      `0x${'00'.repeat((32 - (((data.length - 2) / 2) % 32)) % 32)}`,
    ]);

  /** One touch: the user stamps call and limits; the app fills in gas and sponsor, and has it included. */
  async function mintByIntent(nonce: bigint, amount: bigint, isFirst: boolean) {
    const data = mint(amount);
    const validUntil = Math.floor(Date.now() / 1000) + 600;
    const sponsorship = { account: sender, nonce, target: deployed.nft, value: 0n, data, maxCost, validUntil };
    const authorization = { chainId: '0x7a69', address: deployed.delegate, nonce: '0x0' };
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_USER_OPERATION_INTENT', {
      signWith: sender,
      chainId: '31337',
      entryPoint: deployed.entryPoint,
      delegate: deployed.delegate,
      userOperation: {
        sender,
        nonce: toHex(nonce),
        factory: '0x7702',
        callData: execute(deployed.nft, 0n, data),
        ...(isFirst && { eip7702Auth: authorization }),
      },
      limits: {
        maxCost: String(maxCost),
        validUntil: String(validUntil),
        paymasters: [deployed.sponsor],
      },
    });
    const completion = {
      ...gas,
      paymaster: deployed.sponsor,
      paymasterVerificationGasLimit: toHex(200_000),
      paymasterPostOpGasLimit: toHex(100_000),
      paymasterData: await paymasterDataOf(sponsor, { chainId: 31_337, sponsor: deployed.sponsor }, sponsorship),
    };
    const { userOperation, userOpHash } = resultOf(
      await enclave.wire({
        kind: 'submit',
        name: 'sign_user_operation_intent',
        body,
        stamp: owner.byPasskey.stamp(body),
        completion: Buffer.from(JSON.stringify(completion)).toString('base64url'),
      }),
    ) as unknown as { userOperation: Operation & { eip7702Auth?: Record<string, Hex> }; userOpHash: Hex };
    return { userOperation, userOpHash, receipt: await include(userOperation) };
  }

  async function include(signed: object) {
    const { abi } = await deployCanonical(chain, 'entry-point-0.8');
    const bundler = chain.funded(1);
    const { operation, ...authorization } = readOperation(signed as Operation);
    const hash = await bundler.writeContract({
      address: deployed.entryPoint,
      abi,
      functionName: 'handleOps',
      args: [[toPackedUserOperation(operation)], bundler.account.address],
      gas: 3_000_000n,
      ...authorization,
    });
    return chain.client.waitForTransactionReceipt({ hash });
  }

  const balance = () =>
    chain.client.readContract({
      address: deployed.nft,
      abi: contracts.Mint.abi,
      functionName: 'balanceOf',
      args: [sender],
    });

  test('by somebody who never had ether, first with the authorization of its code, then without', async () => {
    expect(await chain.client.getBalance({ address: sender })).toBe(0n);
    const first = await mintByIntent(0n, 2n, true);
    expect(first.receipt.status).toBe('success');
    expect(await balance()).toBe(2n);
    const { abi } = await deployCanonical(chain, 'entry-point-0.8');
    const args = [pack(first.userOperation)];
    expect(
      await chain.client.readContract({ address: deployed.entryPoint, abi, functionName: 'getUserOpHash', args }),
    ).toBe(first.userOpHash);
    await mintByIntent(1n, 1n, false);
    expect(await balance()).toBe(3n);
    expect(await chain.client.getBalance({ address: sender })).toBe(0n);
  });

  test('is worth nothing with any byte changed after the signature', async () => {
    const { userOperation } = await mintByIntent(2n, 1n, false);
    const minted = await balance();
    const changes: Partial<Operation>[] = [
      { nonce: toHex(3) },
      { nonce: toHex(3), callData: execute(deployed.nft, 0n, mint(10n)) },
      { nonce: toHex(3), maxFeePerGas: toHex(1) },
      { nonce: toHex(3), paymaster: `0x${'33'.repeat(20)}` },
    ];
    for (const change of changes) {
      expect((await include({ ...userOperation, ...change })).status).toBe('reverted');
    }
    expect(await balance()).toBe(minted);
  });
});
