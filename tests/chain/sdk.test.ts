/** The SDK's viem accounts on a real chain: what the service signs is what EntryPoints and accounts take. */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  type Abi,
  type Address,
  createWalletClient,
  custom,
  encodeFunctionData,
  getContract,
  type Hex,
  http,
  keccak256,
  parseEther,
  toHex,
} from 'viem';
import {
  createBundlerClient,
  entryPoint07Abi,
  entryPoint07Address,
  entryPoint08Abi,
  toSmartAccount as toViemSmartAccount,
} from 'viem/account-abstraction';
import { anvil } from 'viem/chains';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Chain,
  contracts,
  deploy,
  deployAll,
  deployCanonical,
  startChain,
} from '../../examples/passkey-mint/chain/chain.ts';
import { type Client, createClient } from '../../sdk/src/client.ts';
import { forward } from '../../sdk/src/forward.ts';
import {
  type CountersignAccount,
  completeIntent,
  prepareIntent,
  smartAccountPin,
  toAccount,
  toProvider,
  toSimple7702SmartAccount,
  toSmartAccount,
} from '../../sdk/src/viem/index.ts';
import { bundlerOf } from '../support/bundler.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { type EnclaveOverHttp, serveEnclave } from '../support/enclave-over-http.ts';
import { noChain } from '../support/no-chain.ts';
import { createSponsor, paymasterOf, rpcOf } from '../support/paymaster.ts';
import { createResident } from '../support/resident.ts';
import { serveRpc } from '../support/serve-rpc.ts';

let chain: Chain;
let enclave: EnclaveInMemory;
let service: EnclaveOverHttp;
let deployed: Awaited<ReturnType<typeof deployAll>>;
/** Of the app, which pays. */
let sponsor: CountersignAccount;
beforeAll(async () => {
  [chain, enclave] = await Promise.all([startChain(), startEnclave()]);
  service = await serveEnclave(enclave.wire);
  const { organizationId, stamp } = enclave.parent;
  sponsor = await createSponsor({ baseUrl: service.baseUrl, organizationId, stamp });
  deployed = await deployAll(chain, sponsor.address);
});
afterAll(() => {
  chain.stop();
  service.close();
  enclave.remove();
});

/** A new user, and how often the passkey was touched. */
async function newUser() {
  const resident = await createResident(enclave.wire, enclave.parent, randomBytes(4).toString('hex'));
  const touch = vi.fn(resident.byPasskey.stamp);
  const { organizationId } = resident;
  const client: Client = createClient({ baseUrl: service.baseUrl, organizationId, stamp: (body) => touch(body) });
  return { client, touch, owner: toAccount({ client, address: resident.addresses[0] as Address }) };
}

const mint = (to: Address, amount: bigint) =>
  encodeFunctionData({ abi: contracts.Mint.abi, functionName: 'mint', args: [to, amount] });
const minted = (owner: Address) =>
  chain.client.readContract({
    address: deployed.nft,
    abi: contracts.Mint.abi,
    functionName: 'balanceOf',
    args: [owner],
  });

describe.skipIf(noChain)(`an address that runs Simple7702Account${noChain}`, () => {
  test('mints by sendUserOperation of viem, sponsored, with one touch each, from the first on', async () => {
    const { owner, touch } = await newUser();
    const account = await toSimple7702SmartAccount({ client: chain.client, owner, implementation: deployed.delegate });
    const transport = bundlerOf(chain, entryPoint08Abi as Abi);
    const bundler = createBundlerClient({ account, client: chain.client, transport, pollingInterval: 20 });
    for (const amount of [2n, 1n]) {
      touch.mockClear();
      const data = mint(account.address, amount);
      const hash = await bundler.sendUserOperation({
        calls: [{ to: deployed.nft, data }],
        paymaster: paymasterOf(deployed, sponsor),
      });
      expect(touch).toHaveBeenCalledOnce();
      expect((await bundler.waitForUserOperationReceipt({ hash })).success).toBe(true);
    }
    expect(await minted(account.address)).toBe(3n);
    expect(await chain.client.getBalance({ address: account.address })).toBe(0n);
    expect(await account.isDeployed()).toBe(true);
  });

  test('mints by an intent that a backend completes and has included', async () => {
    const { client, owner, touch } = await newUser();
    const account = await toSimple7702SmartAccount({ client: chain.client, owner, implementation: deployed.delegate });
    const transport = bundlerOf(chain, entryPoint08Abi as Abi);
    for (const amount of [4n, 3n]) {
      const data = mint(account.address, amount);
      const intent = await prepareIntent({
        account,
        calls: [{ to: deployed.nft, data }],
        limits: {
          maxCost: parseEther('0.01'),
          validUntil: new Date(Date.now() + 600_000),
          paymasters: [deployed.sponsor],
        },
      });
      touch.mockClear();
      const stamped = await client.stamp.signUserOperationIntent(intent);

      // The backend.
      const bundler = createBundlerClient({
        client: chain.client,
        transport,
        paymaster: paymasterOf(deployed, sponsor),
      });
      const completion = await completeIntent({ stamped, bundler });
      const { userOperation, userOpHash } = await forward(stamped, {
        baseUrl: service.baseUrl,
        method: 'signUserOperationIntent',
        completion,
      });
      const params = [userOperation, deployed.entryPoint];
      expect(await bundler.request({ method: 'eth_sendUserOperation', params } as never)).toBe(userOpHash);
      expect(touch).toHaveBeenCalledOnce();
    }
    expect(await minted(account.address)).toBe(7n);
  });

  test('is a wallet for applications that know wallets only', async () => {
    const { owner, touch } = await newUser();
    const account = await toSimple7702SmartAccount({ client: chain.client, owner, implementation: deployed.delegate });
    const transport = bundlerOf(chain, entryPoint08Abi as Abi);
    const bundler = createBundlerClient({ client: chain.client, transport, pollingInterval: 20 });
    const provider = toProvider({ account, bundler });
    const wallet = createWalletClient({ account: account.address, chain: anvil, transport: custom(provider) });
    expect(await wallet.getAddresses()).toEqual([account.address]);
    expect(await wallet.getCapabilities({ chainId: anvil.id })).toMatchObject({ atomic: { status: 'supported' } });
    const funding = await chain.funded(0).sendTransaction({ to: account.address, value: parseEther('1') });
    await chain.client.waitForTransactionReceipt({ hash: funding });

    touch.mockClear();
    const calls = [1n, 2n].map((amount) => ({ to: deployed.nft, data: mint(account.address, amount) }));
    const { id } = await wallet.sendCalls({ calls });
    expect(await wallet.waitForCallsStatus({ id })).toMatchObject({ status: 'success', atomic: true });
    expect(touch).toHaveBeenCalledOnce();
    const paymaster = await serveRpc(rpcOf(paymasterOf(deployed, sponsor)));
    const before = await chain.client.getBalance({ address: account.address });
    const sponsored = await wallet.sendCalls({
      calls: calls.slice(0, 1),
      capabilities: { paymasterService: { url: paymaster.url } },
    });
    expect(await wallet.waitForCallsStatus(sponsored)).toMatchObject({ status: 'success' });
    expect(await chain.client.getBalance({ address: account.address })).toBe(before);
    paymaster.close();
    const hash = await wallet.sendTransaction({ to: deployed.nft, data: mint(account.address, 3n), gas: 1n });
    expect((await chain.client.waitForTransactionReceipt({ hash })).status).toBe('success');
    expect(await minted(account.address)).toBe(7n);
    const signature = await wallet.signMessage({ message: 'Hello' });
    expect(await chain.client.verifyMessage({ address: account.address, message: 'Hello', signature })).toBe(true);

    const asked = { version: '2.0.0', chainId: toHex(anvil.id), atomicRequired: true, calls: [{ to: deployed.nft }] };
    const sendCalls = (more: object) =>
      provider.request({ method: 'wallet_sendCalls', params: [{ ...asked, ...more }] });
    touch.mockClear();
    await expect(sendCalls({ chainId: '0x1' })).rejects.toMatchObject({ code: 5710 });
    await expect(sendCalls({ from: deployed.nft })).rejects.toMatchObject({ code: 4100 });
    await expect(sendCalls({ calls: [] })).rejects.toMatchObject({ code: -32_602 });
    await expect(sendCalls({ calls: [{ data: '0x00' }] })).rejects.toMatchObject({ code: -32_602 });
    await expect(sendCalls({ capabilities: { magic: {} } })).rejects.toMatchObject({ code: 5700 });
    await expect(provider.request({ method: 'wallet_getCallsStatus', params: ['x'] })).rejects.toMatchObject({
      code: 5730,
    });
    const pending = await provider.request({ method: 'wallet_getCallsStatus', params: [keccak256('0x')] });
    expect(pending).toMatchObject({ status: 100 });
    for (const method of ['eth_sign', 'wallet_addEthereumChain', 'toString']) {
      await expect(provider.request({ method, params: [] })).rejects.toMatchObject({ code: 4200 });
    }
    expect(touch).not.toHaveBeenCalled();
  });

  test('signs messages that anybody can verify, with and without its code in place', async () => {
    const { owner } = await newUser();
    const account = await toSimple7702SmartAccount({ client: chain.client, owner, implementation: deployed.delegate });
    const message = 'I was here';
    const isValid = async () =>
      chain.client.verifyMessage({
        address: account.address,
        message,
        signature: await account.signMessage({ message }),
      });
    expect(await isValid()).toBe(true);
    // By the address itself, with a transaction and an authorization of its own.
    const wallet = createWalletClient({ account: owner, chain: anvil, transport: http(chain.rpcUrl) });
    const funding = await chain.funded(0).sendTransaction({ to: owner.address, value: parseEther('1') });
    await chain.client.waitForTransactionReceipt({ hash: funding });
    const authorization = await wallet.signAuthorization({ contractAddress: deployed.delegate, executor: 'self' });
    const hash = await wallet.sendTransaction({ to: owner.address, authorizationList: [authorization] });
    await chain.client.waitForTransactionReceipt({ hash });
    expect(await account.isDeployed()).toBe(true);
    expect(await isValid()).toBe(true);
  });
});

test.skipIf(noChain)(
  `a SimpleAccount of EntryPoint 0.7, pinned, is deployed by its first operation and pays by itself${noChain}`,
  async () => {
    const require = createRequire(import.meta.url);
    const artifact = require('contracts-0.7/artifacts/SimpleAccountFactory.json') as { abi: Abi; bytecode: Hex };
    const execute = require('contracts-0.7/artifacts/SimpleAccount.json') as { abi: Abi };
    const { address: entryPoint } = await deployCanonical(chain, 'entry-point-0.7');
    const factory = await deploy(chain, artifact, [entryPoint]);
    const { client, owner, touch } = await newUser();
    const args = [owner.address, 0n] as const;
    const { read } = getContract({ address: factory, abi: artifact.abi, client: chain.client });
    const address = (await read.getAddress?.([...args])) as Address;
    const simple = await toViemSmartAccount({
      client: chain.client,
      entryPoint: { abi: entryPoint07Abi, address: entryPoint07Address, version: '0.7' },
      getAddress: async () => address,
      getFactoryArgs: async () => ({
        factory,
        factoryData: encodeFunctionData({ abi: artifact.abi, functionName: 'createAccount', args }),
      }),
      encodeCalls: async ([call]) =>
        encodeFunctionData({
          abi: execute.abi,
          functionName: 'execute',
          args: [call?.to, call?.value ?? 0n, call?.data ?? '0x'],
        }),
      getStubSignature: async () => toHex(0, { size: 65 }),
      signMessage: ({ message }) => owner.signMessage({ message }),
      signTypedData: (typedData) => owner.signTypedData(typedData as never),
      signUserOperation: () => Promise.reject(new Error('this would sign a hash')),
    });
    const account = toSmartAccount({ account: simple, owner });
    await client.createSmartAccount(await smartAccountPin({ account, owner, name: 'Shop', accountKind: 'simple-0.7' }));
    const funding = await chain.funded(0).sendTransaction({ to: address, value: parseEther('1') });
    await chain.client.waitForTransactionReceipt({ hash: funding });

    const transport = bundlerOf(chain, entryPoint07Abi as Abi);
    const bundler = createBundlerClient({ account, client: chain.client, transport, pollingInterval: 20 });
    touch.mockClear();
    for (const amount of [1n, 2n]) {
      const hash = await bundler.sendUserOperation({
        calls: [{ to: deployed.nft, data: mint(owner.address, amount) }],
      });
      expect((await bundler.waitForUserOperationReceipt({ hash })).success).toBe(true);
    }
    expect(touch).toHaveBeenCalledTimes(2);
    expect(await minted(owner.address)).toBe(3n);
    expect(await account.isDeployed()).toBe(true);
    // No hash of an operation is signed for the owner of a pinned account.
    const blind = owner.signMessage({ message: { raw: keccak256('0x01') } });
    await expect(blind).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  },
);
