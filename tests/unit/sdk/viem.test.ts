/** viem accounts whose key is in the service, against the whole enclave. */
import { randomBytes } from 'node:crypto';
import {
  type Address,
  createPublicClient,
  custom,
  decodeAbiParameters,
  encodeFunctionData,
  hashMessage,
  hashTypedData,
  parseAbi,
  parseTransaction,
  recoverAddress,
  recoverTransactionAddress,
  type Signature,
  serializeTransaction,
  slice,
  verifyMessage,
  verifyTypedData,
} from 'viem';
import {
  createBundlerClient,
  entryPoint06Abi,
  entryPoint06Address,
  entryPoint07Abi,
  entryPoint07Address,
  formatUserOperationRequest,
  getUserOperationHash,
  toCoinbaseSmartAccount,
  toSmartAccount as toViemSmartAccount,
  type UserOperation,
} from 'viem/account-abstraction';
import { anvil } from 'viem/chains';
import { recoverAuthorizationAddress } from 'viem/utils';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Client, createClient } from '../../../sdk/src/client.ts';
import { forward } from '../../../sdk/src/forward.ts';
import {
  type CountersignAccount,
  completeIntent,
  prepareIntent,
  smartAccountPin,
  toAccount,
  toSimple7702SmartAccount,
  toSmartAccount,
  toWebAuthnAccount,
} from '../../../sdk/src/viem/index.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { type EnclaveOverHttp, serveEnclave } from '../../support/enclave-over-http.ts';
import { createResident, newPasskey } from '../../support/resident.ts';

let enclave: EnclaveInMemory;
let service: EnclaveOverHttp;
let client: Client;
let owner: CountersignAccount;
const stamp = vi.fn();
beforeAll(async () => {
  enclave = await startEnclave();
  service = await serveEnclave(enclave.wire);
  const resident = await createResident(enclave.wire, enclave.parent, randomBytes(4).toString('hex'));
  stamp.mockImplementation(resident.byPasskey.stamp);
  client = createClient({ baseUrl: service.baseUrl, organizationId: resident.organizationId, stamp });
  owner = toAccount({ client, address: resident.addresses[0] as Address });
});
afterAll(() => {
  service.close();
  enclave.remove();
});

/** What the last request asked to be signed. */
const lastParameters = () => {
  const { body } = service.received.at(-1) as { body: string };
  return (JSON.parse(body) as { parameters: Record<string, unknown> }).parameters;
};

describe('toAccount', () => {
  test.each([
    ['text', 'grüße, 世界', 'PAYLOAD_ENCODING_TEXT_UTF8'],
    ['no text at all', '', 'PAYLOAD_ENCODING_TEXT_UTF8'],
    ['text that is no Unicode', 'a\ud800b', 'PAYLOAD_ENCODING_HEXADECIMAL'],
    ['bytes in hex', { raw: '0xdeadbeef' }, 'PAYLOAD_ENCODING_HEXADECIMAL'],
    ['bytes', { raw: Uint8Array.of(1, 2, 3) }, 'PAYLOAD_ENCODING_HEXADECIMAL'],
  ] as const)('signs %s as a message that the service reads', async (_, message, encoding) => {
    const signature = await owner.signMessage({ message });
    expect(await verifyMessage({ address: owner.address, message, signature })).toBe(true);
    expect(lastParameters()).toMatchObject({ encoding, hashFunction: 'HASH_FUNCTION_KECCAK256' });
    expect(lastParameters().payload).not.toContain(hashMessage(message).slice(2));
  });

  const typedData = {
    domain: { name: 'Shop', version: '1', chainId: 1, verifyingContract: '0xe6Cae83BdE06E4c305530e199D7217f42808555B' },
    types: {
      Order: [
        { name: 'buyer', type: 'Person' },
        { name: 'amounts', type: 'uint256[]' },
      ],
      Person: [{ name: 'wallet', type: 'address' }],
    },
    primaryType: 'Order',
    message: { buyer: { wallet: `0x${'11'.repeat(20)}` }, amounts: [1n, 2n ** 255n] },
  } as const;

  test('signs typed data, with their domain though its type is not among the types', async () => {
    const signature = await owner.signTypedData(typedData);
    expect(await verifyTypedData({ ...typedData, address: owner.address, signature })).toBe(true);
    expect(JSON.parse(lastParameters().payload as string)).toMatchObject({ domain: { name: 'Shop' } });
  });

  test('signs a bare hash', async () => {
    const hash = hashTypedData(typedData);
    expect(await recoverAddress({ hash, signature: await owner.sign({ hash }) })).toBe(owner.address);
  });

  const transaction = { chainId: 1, to: `0x${'22'.repeat(20)}`, value: 1n, nonce: 3, gas: 21_000n } as const;
  const fees = { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n };
  test.each([
    ['legacy', { ...transaction, type: 'legacy', gasPrice: 1n }],
    ['EIP-2930', { ...transaction, type: 'eip2930', gasPrice: 1n, accessList: [] }],
    ['EIP-1559', { ...transaction, type: 'eip1559', ...fees }],
    [
      'EIP-7702',
      {
        ...transaction,
        type: 'eip7702',
        ...fees,
        authorizationList: [
          { address: transaction.to, chainId: 1, nonce: 0, r: `0x${'11'.repeat(32)}`, s: '0x01', yParity: 1 },
        ],
      },
    ],
  ] as const)('signs a transaction of type %s', async (_, given) => {
    const serializedTransaction = (await owner.signTransaction(given)) as never;
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(owner.address);
    expect(parseTransaction(serializedTransaction)).toMatchObject({ nonce: 3, value: 1n });
  });

  test('signs a transaction with blobs, and the blobs go along', async () => {
    const blobs = {
      ...transaction,
      type: 'eip4844',
      ...fees,
      maxFeePerBlobGas: 1n,
      blobVersionedHashes: [`0x01${'33'.repeat(31)}`],
      sidecars: [{ blob: '0x44', commitment: '0x55', proof: '0x66' }],
    } as const;
    const signed = await owner.signTransaction(blobs);
    const parsed = parseTransaction(signed as `0x03${string}`);
    const { r, s, yParity, sidecars } = parsed as typeof parsed & Signature;
    expect(sidecars).toEqual(blobs.sidecars);
    const body = serializeTransaction({ ...blobs, sidecars: false }, { r, s, yParity: Number(yParity) });
    expect(await recoverTransactionAddress({ serializedTransaction: body })).toBe(owner.address);
  });

  test('signs an authorization (EIP-7702)', async () => {
    const asked = { chainId: 1, nonce: 4 };
    const expected = { ...asked, address: typedData.domain.verifyingContract };
    for (const form of [{ address: expected.address }, { contractAddress: expected.address }]) {
      const signed = await owner.signAuthorization({ ...asked, ...form } as never);
      expect(signed).toMatchObject(expected);
      expect(await recoverAuthorizationAddress({ authorization: signed })).toBe(owner.address);
    }
    expect(lastParameters().encoding).toBe('PAYLOAD_ENCODING_EIP7702_AUTHORIZATION');
  });

  test('rejects as the client does, and for an address that is none', async () => {
    const stranger = toAccount({ client, address: `0x${'99'.repeat(20)}` });
    await expect(stranger.signMessage({ message: 'hi' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(() => toAccount({ client, address: '0x12' })).toThrow('invalid');
  });
});

const gas = {
  callGasLimit: 100_000n,
  verificationGasLimit: 200_000n,
  preVerificationGas: 50_000n,
  maxFeePerGas: 2_000_000_000n,
  maxPriorityFeePerGas: 1_000_000_000n,
};
const delegate = '0xe6Cae83BdE06E4c305530e199D7217f42808555B' as const;
const calls = [{ to: `0x${'22'.repeat(20)}`, data: '0x1249c58b' }] as const;

/** A chain on which the accounts have `code`. */
const chainWith = (code: () => `0x${string}`) =>
  createPublicClient({
    chain: anvil,
    transport: custom({
      async request({ method }: { method: string }) {
        if (method === 'eth_getCode') return code();
        if (method === 'eth_getTransactionCount') return '0x5';
        if (method === 'eth_call') return `0x${'0'.repeat(63)}7`;
        throw new Error(`not asked for here: ${method}`);
      },
    }),
  });

describe('toSimple7702SmartAccount', () => {
  let code: `0x${string}` = '0x';
  const make = () => toSimple7702SmartAccount({ client: chainWith(() => code), owner });
  const standIn = {
    r: '0xfffffffffffffffffffffffffffffff000000000000000000000000000000000',
    s: '0x7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    yParity: 1,
  } as const;

  const operationOf = async (account: Awaited<ReturnType<typeof make>>) =>
    ({
      sender: account.address,
      nonce: await account.getNonce(),
      callData: await account.encodeCalls(calls),
      ...(await account.getFactoryArgs()),
      ...gas,
      signature: await account.getStubSignature(),
    }) as UserOperation<'0.8'>;

  test('has the whole operation read and signed, and with it, by the same stamp, its authorization', async () => {
    const account = await make();
    const authorization = { address: delegate, chainId: anvil.id, nonce: 5, ...standIn };
    const operation = { ...(await operationOf(account)), authorization };
    stamp.mockClear();
    const signature = await account.signUserOperation(operation);
    expect(stamp).toHaveBeenCalledOnce();
    const hash = hashOf(operation);
    expect(await recoverAddress({ hash, signature })).toBe(owner.address);
    // As sendUserOperation of viem sends it.
    expect(await recoverAuthorizationAddress({ authorization })).toBe(owner.address);
    // There r has all its digits, and in the authorization none of its zeros.
    expect(BigInt(formatUserOperationRequest(operation).eip7702Auth?.r ?? 0)).toBe(BigInt(authorization.r));
    const sent = lastParameters();
    expect(JSON.stringify(sent)).not.toContain(hash.slice(2));
    expect(sent.userOperation).toMatchObject({ callData: operation.callData, factory: '0x7702' });
    expect(sent.userOperation).not.toHaveProperty('signature');
  });

  test('leaves a signature of an authorization alone that is one', async () => {
    const account = await make();
    const authorization = await owner.signAuthorization({ address: delegate, chainId: anvil.id, nonce: 5 });
    const before = { ...authorization };
    await account.signUserOperation({ ...(await operationOf(account)), authorization });
    expect(authorization).toEqual(before);
  });

  test('binds its code when it runs it already, too, and authorizes it again where it runs another', async () => {
    const account = await make();
    code = `0xef0100${delegate.slice(2).toLowerCase()}`;
    expect(await account.isDeployed()).toBe(true);
    expect(await account.getFactoryArgs()).toEqual({ factory: '0x7702', factoryData: '0x' });
    const operation = await operationOf(account);
    const signature = await account.signUserOperation(operation);
    const hash = hashOf({ ...operation, authorization: { address: delegate } as never });
    expect(await recoverAddress({ hash, signature })).toBe(owner.address);
    code = `0xef0100${'77'.repeat(20)}`;
    expect(await account.isDeployed()).toBe(false);
  });

  const hashOf = (userOperation: UserOperation<'0.8'>) =>
    getUserOperationHash({
      chainId: anvil.id,
      entryPointAddress: '0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108',
      entryPointVersion: '0.8',
      userOperation,
    });

  test('stamps calls and limits alone, which a backend completes within them', async () => {
    code = '0x';
    const account = await make();
    const limits = { maxCost: 840_000_000_000_000n, validUntil: new Date(Date.now() + 60_000) };
    const stamped = await client.stamp.signUserOperationIntent(await prepareIntent({ account, calls, limits }));
    const overHttp = JSON.parse(JSON.stringify(stamped));
    const completing = (completion: Record<string, bigint>) =>
      forward(overHttp, { baseUrl: service.baseUrl, method: 'signUserOperationIntent', completion });
    await expect(completing({ ...gas, maxFeePerGas: 9_000_000_000n })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('wei'),
    });
    await expect(completing({ ...gas, nonce: 8n })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { userOperation, decoded } = await completing(gas);
    expect(decoded.calls).toMatchObject([{ to: calls[0].to, data: calls[0].data }]);
    expect(userOperation).toMatchObject({ sender: expect.anything(), eip7702Auth: { nonce: '0x5' }, nonce: '0x7' });
  });
});

describe('completeIntent', () => {
  const good = {
    entryPoint: entryPoint07Address,
    userOperation: { sender: `0x${'11'.repeat(20)}`, nonce: '0x1', callData: '0x' },
  };
  const stampedOf = (parameters: unknown) => ({
    url: '/public/v1/submit/sign_user_operation_intent',
    body: JSON.stringify({ parameters }),
    stamp: { header: 'X-Stamp', value: 'a' } as const,
  });
  const asked: unknown[] = [];
  const bundler = createBundlerClient({
    chain: anvil,
    transport: custom({
      async request({ method, params }: { method: string; params: unknown }) {
        asked.push([method, params]);
        return { callGasLimit: '0x1', verificationGasLimit: '0x2', preVerificationGas: '0x3' };
      },
    }),
    paymasterContext: { policy: 'ours' },
    paymaster: {
      async getPaymasterData(given) {
        asked.push(['paymaster', given.context]);
        return { paymaster: `0x${'33'.repeat(20)}` as const, paymasterData: '0x' as const };
      },
    },
    userOperation: { estimateFeesPerGas: async () => ({ maxFeePerGas: 5n, maxPriorityFeePerGas: 4n }) },
  });

  test('asks bundler and paymaster of the backend, whatever else was stamped', async () => {
    const more = { paymasterContext: { policy: 'theirs' }, paymaster: `0x${'44'.repeat(20)}`, callGasLimit: '0xff' };
    const stamped = stampedOf({ ...good, userOperation: { ...good.userOperation, ...more } });
    expect(await completeIntent({ stamped, bundler })).toEqual({
      callGasLimit: 1n,
      verificationGasLimit: 2n,
      preVerificationGas: 3n,
      maxFeePerGas: 5n,
      maxPriorityFeePerGas: 4n,
      paymaster: `0x${'33'.repeat(20)}`,
      paymasterData: '0x',
    });
    expect(asked).toContainEqual(['paymaster', { policy: 'ours' }]);
    expect(JSON.stringify(asked)).not.toMatch(/theirs|4444|0xff"/);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['no operation', { entryPoint: good.entryPoint }],
    ['no hex', { ...good, userOperation: { ...good.userOperation, callData: 'abc' } }],
    ['no nonce', { ...good, userOperation: { ...good.userOperation, nonce: '0x' } }],
    ['half an authorization', { ...good, userOperation: { ...good.userOperation, eip7702Auth: {} } }],
  ])('refuses a request with %s', async (_, parameters) => {
    const refused = { code: 'INVALID_ARGUMENT', status: 400 };
    await expect(completeIntent({ stamped: stampedOf(parameters), bundler })).rejects.toMatchObject(refused);
    const other = { ...stampedOf(good), url: '/public/v1/submit/create_wallet' };
    await expect(completeIntent({ stamped: other, bundler })).rejects.toMatchObject(refused);
  });
});

describe('toSmartAccount', () => {
  const abi = parseAbi(['function execute(address target, uint256 value, bytes data)']);
  const make = async (version: '0.6' | '0.7', address: Address) => {
    const entryPoint =
      version === '0.6'
        ? ({ abi: entryPoint06Abi, address: entryPoint06Address, version } as const)
        : ({ abi: entryPoint07Abi, address: entryPoint07Address, version } as const);
    const account = await toViemSmartAccount({
      client: chainWith(() => '0x'),
      entryPoint,
      getAddress: async () => address,
      getFactoryArgs: async () => ({ factory: `0x${'44'.repeat(20)}` as const, factoryData: '0x0102' as const }),
      encodeCalls: async ([call]) =>
        encodeFunctionData({
          abi,
          functionName: 'execute',
          args: [call?.to as Address, call?.value ?? 0n, call?.data ?? '0x'],
        }),
      getStubSignature: async () => '0x',
      signMessage: ({ message }) => owner.signMessage({ message }),
      signTypedData: (typedData) => owner.signTypedData(typedData as never),
      signUserOperation: (_: object) => Promise.reject(new Error('signs a hash')),
    });
    return toSmartAccount({ account, owner });
  };

  test.each([
    ['0.6', `0x${'66'.repeat(20)}`],
    ['0.7', `0x${'67'.repeat(20)}`],
  ] as const)(
    'has operations of a pinned SimpleAccount of EntryPoint %s signed as it wants',
    async (version, address) => {
      const account = await make(version, address);
      const { factory = '0x', factoryData = '0x' } = await account.getFactoryArgs();
      const deployment =
        version === '0.6'
          ? { initCode: `${factory}${factoryData.slice(2)}` as const, paymasterAndData: '0x' as const }
          : { factory, factoryData };
      const operation = {
        sender: address,
        nonce: 1n,
        callData: await account.encodeCalls(calls),
        ...deployment,
        ...gas,
        signature: '0x',
      } as UserOperation;
      await expect(account.signUserOperation(operation)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const accountKind = version === '0.6' ? 'simple-0.6' : 'simple-0.7';
      const { smartAccountId } = await client.createSmartAccount(
        await smartAccountPin({ account, owner, name: accountKind, accountKind }),
      );
      const hash = getUserOperationHash({
        chainId: anvil.id,
        entryPointAddress: account.entryPoint.address,
        entryPointVersion: version,
        userOperation: operation as never,
      });
      const signature = await account.signUserOperation(operation);
      expect(await verifyMessage({ address: owner.address, message: { raw: hash }, signature })).toBe(true);
      // Another chain than the pinned one.
      await expect(account.signUserOperation({ ...operation, chainId: 1 } as never)).rejects.toThrow('pinned');
      await client.deleteSmartAccounts({ smartAccountIds: [smartAccountId] });
    },
  );

  test('stamps an intent that deploys it', async () => {
    const limits = { maxCost: 1n, validUntil: new Date(), paymasters: [calls[0].to] };
    for (const [version, deployment] of [
      ['0.6', { initCode: `0x${'44'.repeat(20)}0102` }],
      ['0.7', { factory: `0x${'44'.repeat(20)}`, factoryData: '0x0102' }],
    ] as const) {
      const account = await make(version, `0x${'68'.repeat(20)}`);
      const intent = await prepareIntent({ account, calls, limits, nonce: 2n });
      expect(intent.userOperation).toMatchObject({ nonce: '0x2', ...deployment });
      expect(intent.limits).toMatchObject({ maxCost: '1', paymasters: [calls[0].to] });
      expect(intent).not.toHaveProperty('delegate');
    }
  });
});

test('a Coinbase Smart Wallet owned by a key in the service takes a passkey as its second owner', async () => {
  const address = `0x${'55'.repeat(20)}` as const;
  const chain = chainWith(() => '0x60');
  const wallet = await toCoinbaseSmartAccount({ client: chain, address, owners: [owner], version: '1.1' });
  const account = toSmartAccount({ account: wallet, owner });
  await client.createSmartAccount(await smartAccountPin({ account, owner, name: 'leaving', accountKind: 'coinbase' }));
  const { publicKey } = toWebAuthnAccount({ passkey: newPasskey().register(), rpId: 'localhost' });
  const data = encodeFunctionData({
    abi: parseAbi(['function addOwnerPublicKey(bytes32 x, bytes32 y)']),
    args: [slice(publicKey, 0, 32), slice(publicKey, 32, 64)],
  });
  const operation = {
    sender: address,
    nonce: 7n,
    initCode: '0x',
    callData: await account.encodeCalls([{ to: address, data }]),
    paymasterAndData: '0x',
    ...gas,
    signature: '0x',
  } as const;
  const signature = await account.signUserOperation(operation);
  const wrapper = [{ type: 'tuple', components: [{ type: 'uint256' }, { type: 'bytes' }] }] as const;
  const [[ownerIndex, signed]] = decodeAbiParameters(wrapper, signature);
  expect(ownerIndex).toBe(0n);
  const hash = getUserOperationHash({
    chainId: anvil.id,
    entryPointAddress: entryPoint06Address,
    entryPointVersion: '0.6',
    userOperation: operation,
  });
  expect(await recoverAddress({ hash, signature: signed })).toBe(owner.address);
});
