/** `@turnkey/viem`: accounts whose key is in the enclave, checked by viem and by a real chain. */

import { ApiKeyStamper } from '@turnkey/api-key-stamper';
import { createAccount, createAccountWithAddress, TurnkeyActivityError } from '@turnkey/viem';
import {
  createWalletClient,
  getAddress,
  http,
  type LocalAccount,
  numberToHex,
  parseEther,
  parseTransaction,
  recoverTransactionAddress,
  type TransactionSerializable,
  type TypedDataDefinition,
  verifyMessage,
  verifyTypedData,
} from 'viem';
import { foundry } from 'viem/chains';
import { recoverAuthorizationAddress } from 'viem/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import { noChain } from '../support/no-chain.ts';
import { type Chain, startAnvil, storeInitCode } from './anvil.ts';
import { dependencyOf } from './dependency-of.ts';
import { apiKeyParams, newEthereumKey, newSubOrganization, type SubOrganization, useService } from './use-service.ts';

type AccountClient = Parameters<typeof createAccount>[0]['client'];

const { TurnkeyClient } = dependencyOf('@turnkey/viem', '@turnkey/http') as {
  TurnkeyClient: new (config: { baseUrl: string }, stamper: ApiKeyStamper) => AccountClient;
};

const service = useService();
let sub: SubOrganization;
let accounts: Readonly<Record<string, LocalAccount>>;

const kinds = [
  'address of a wallet account',
  'address of a wallet account, lower case',
  'id of a private key',
  'address of a private key',
  'address of a wallet account, by @turnkey/http',
];
const accountOf = (kind: string) => accounts[kind] as LocalAccount;

beforeAll(async () => {
  sub = await newSubOrganization(service.client());
  const client = service.client(sub);
  const { organizationId, key } = sub;
  const { privateKeyId, address } = await newEthereumKey(client);
  const stamper = new ApiKeyStamper({ apiPublicKey: key.publicKey, apiPrivateKey: key.privateKey });
  const names = [sub.address, sub.address.toLowerCase(), privateKeyId, address];
  const made = await Promise.all(names.map((signWith) => createAccount({ client, organizationId, signWith })));
  const httpClient = new TurnkeyClient({ baseUrl: service.baseUrl }, stamper);
  made.push(await createAccount({ client: httpClient, organizationId, signWith: sub.address }));
  accounts = Object.fromEntries(kinds.map((kind, index) => [kind, made[index] as LocalAccount]));
});

const mail = {
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
  types: {
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallets', type: 'address[]' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person[2]' },
      { name: 'contents', type: 'string' },
      { name: 'amount', type: 'uint256' },
      { name: 'delta', type: 'int64' },
      { name: 'tag', type: 'bytes4' },
      { name: 'data', type: 'bytes' },
      { name: 'urgent', type: 'bool' },
    ],
  },
  primaryType: 'Mail',
  message: {
    from: { name: 'Cow', wallets: ['0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826'] },
    to: [
      { name: 'Bob', wallets: ['0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB'] },
      { name: 'Zoë 😀', wallets: [] },
    ],
    contents: 'Hello, "Bob"\n',
    amount: 2n ** 255n + 1n,
    delta: -7n,
    tag: '0xdeadbeef',
    data: '0x0102',
    urgent: true,
  },
} as const;
const eip712Domain = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
] as const;

const to = '0x40f008f4c17075efca092ae650655f6693aeced0';
const common = { chainId: 31337, nonce: 0, to, value: 1n, gas: 100_000n } as const;
const fees = { maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1n } as const;
const accessList = [{ address: to, storageKeys: [numberToHex(1, { size: 32 })] }] as const;
const blobVersionedHashes = [`0x01${'ab'.repeat(31)}`] as const;

const transactions: Readonly<Record<string, TransactionSerializable>> = {
  legacy: { ...common, type: 'legacy', gasPrice: 2_000_000_000n },
  'legacy without a chain': { ...common, chainId: undefined, type: 'legacy', gasPrice: 2_000_000_000n },
  eip2930: { ...common, type: 'eip2930', gasPrice: 2_000_000_000n, accessList },
  eip1559: { ...common, ...fees, type: 'eip1559', data: '0x0102', accessList },
  'eip1559 that creates a contract': { ...common, ...fees, to: undefined, type: 'eip1559', data: '0x00' },
  eip4844: { ...common, ...fees, type: 'eip4844', maxFeePerBlobGas: 1n, blobVersionedHashes },
};

describe.each(kinds)('%s', (kind) => {
  test('signMessage', async () => {
    const account = accountOf(kind);
    for (const message of ['hello', '', 'Zoë 😀', { raw: '0x00ff' }] as const) {
      const signature = await account.signMessage({ message });
      expect(await verifyMessage({ address: account.address, message, signature })).toBe(true);
    }
  });

  test('signTypedData with EIP712Domain among its types', async () => {
    const account = accountOf(kind);
    const { domain, primaryType, message } = mail;
    const types = { ...mail.types, EIP712Domain: eip712Domain };
    const signature = await account.signTypedData({ domain, primaryType, message, types } as TypedDataDefinition);
    expect(await verifyTypedData({ ...mail, address: account.address, signature })).toBe(true);
  });

  test('signTypedData without EIP712Domain: the client sends an empty domain, and that is signed', async () => {
    const account = accountOf(kind);
    const signature = await account.signTypedData(mail);
    expect(await verifyTypedData({ ...mail, address: account.address, signature })).toBe(false);
    expect(await verifyTypedData({ ...mail, domain: {}, address: account.address, signature })).toBe(true);
  });

  test('signTypedData of a wallet client, which adds EIP712Domain', async () => {
    const account = accountOf(kind);
    const wallet = createWalletClient({ account, chain: foundry, transport: http('http://127.0.0.1:1') });
    const signature = await wallet.signTypedData(mail);
    expect(await verifyTypedData({ ...mail, address: account.address, signature })).toBe(true);
  });

  test.each(Object.entries(transactions))('signTransaction: %s', async (_, transaction) => {
    const account = accountOf(kind);
    const serialized = await account.signTransaction(transaction);
    const serializedTransaction = serialized as Parameters<
      typeof recoverTransactionAddress
    >[0]['serializedTransaction'];
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(getAddress(account.address));
    const { nonce, chainId, type } = parseTransaction(serializedTransaction);
    expect({ nonce: nonce ?? 0, chainId, type }).toEqual({
      nonce: 0,
      chainId: transaction.chainId,
      type: transaction.type,
    });
  });

  test('signAuthorization, and signTransaction with it', async () => {
    const account = accountOf(kind);
    const authorization = await account.signAuthorization?.({ address: to, chainId: 31337, nonce: 1 });
    if (!authorization) throw new Error('no authorization');
    expect(await recoverAuthorizationAddress({ authorization })).toBe(getAddress(account.address));
    const transaction = { ...common, ...fees, type: 'eip7702', authorizationList: [authorization] } as const;
    const serializedTransaction = (await account.signTransaction(transaction)) as `0x04${string}`;
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(getAddress(account.address));
  });
});

test('createAccountWithAddress asks nothing of the service', async () => {
  const { organizationId, address } = sub;
  const account = createAccountWithAddress({ client: service.client(sub), organizationId, signWith: address });
  expect(account.address).toBe(address);
  const signature = await account.signMessage({ message: 'hello' });
  expect(await verifyMessage({ address, message: 'hello', signature })).toBe(true);
});

describe('refusals', () => {
  test('a user whom nothing allows to sign', async () => {
    const key = generateApiKey();
    const user = {
      userName: 'nobody',
      apiKeys: [apiKeyParams(key)],
      authenticators: [],
      oauthProviders: [],
      userTags: [],
    };
    const { userIds } = await service.client(sub).createUsers({ users: [user] });
    const { organizationId, address } = sub;
    const client = service.client({ organizationId, userId: userIds[0] as string, key });
    const account = createAccountWithAddress({ client, organizationId, signWith: address });
    const error = await account.signMessage({ message: 'hello' }).catch((caught) => caught);
    expect(error).toBeInstanceOf(TurnkeyActivityError);
    expect(error.message).toMatch(/^Failed to sign: Turnkey error 7: request not authorized.* \(Details: \[.*\]\)/);
  });

  test('a transaction that is signed already', async () => {
    const { organizationId, address } = sub;
    const signed = await accountOf(kinds[0] as string).signTransaction(transactions.eip1559 as TransactionSerializable);
    const again = service.client(sub).signTransaction({
      organizationId,
      signWith: address,
      type: 'TRANSACTION_TYPE_ETHEREUM',
      unsignedTransaction: signed,
    });
    await expect(again).rejects.toThrow('failed to parse transaction');
  });
});

describe.skipIf(noChain)(`on a chain${noChain}`, () => {
  let chain: Chain;
  beforeAll(async () => {
    chain = await startAnvil();
  });
  afterAll(() => chain?.stop());

  /** The account with 10 ether, and a wallet client of it. */
  const funded = async (kind: string) => {
    const account = accountOf(kind);
    await chain.setBalance({ address: account.address, value: parseEther('10') });
    return createWalletClient({ account, chain: foundry, transport: http(chain.url), pollingInterval: 20 });
  };
  const receiptOf = (hash: `0x${string}`) => chain.waitForTransactionReceipt({ hash });

  test.each(['legacy', 'eip2930', 'eip1559'] as const)('a transfer: %s', async (type) => {
    const wallet = await funded('address of a wallet account');
    const { address } = wallet.account;
    const before = await chain.getBalance({ address: to });
    const hash = await wallet.sendTransaction({ to, value: 7n, type } as Parameters<typeof wallet.sendTransaction>[0]);
    expect(await receiptOf(hash)).toMatchObject({ status: 'success', from: address.toLowerCase(), type });
    expect(await chain.getBalance({ address: to })).toBe(before + 7n);
  });

  test.each(['address of a wallet account', 'id of a private key'])(
    'a contract, deployed and called by the %s',
    async (kind) => {
      const wallet = await funded(kind);
      const deployed = await receiptOf(await wallet.deployContract({ abi: [], bytecode: storeInitCode }));
      expect(deployed.status).toBe('success');
      const contract = deployed.contractAddress as `0x${string}`;
      const called = await receiptOf(
        await wallet.sendTransaction({ to: contract, data: numberToHex(42, { size: 32 }) }),
      );
      expect(called.status).toBe('success');
      expect((await chain.call({ to: contract })).data).toBe(numberToHex(42, { size: 32 }));
    },
  );

  test('set code (EIP-7702): the account itself becomes the contract', async () => {
    const wallet = await funded('address of a private key');
    const { address } = wallet.account;
    const { contractAddress } = await receiptOf(await wallet.deployContract({ abi: [], bytecode: storeInitCode }));
    const authorization = await wallet.signAuthorization({
      contractAddress: contractAddress as `0x${string}`,
      executor: 'self',
    });
    const data = numberToHex(7, { size: 32 });
    const hash = await wallet.sendTransaction({ to: address, data, authorizationList: [authorization] });
    expect(await receiptOf(hash)).toMatchObject({ status: 'success', type: 'eip7702' });
    expect(await chain.getCode({ address })).toBe(`0xef0100${contractAddress?.slice(2)}`);
    expect((await chain.call({ to: address })).data).toBe(data);
  });

  test('set code of one account, paid by another', async () => {
    const payer = await funded('address of a wallet account');
    const owner = accountOf('address of a private key');
    const nonce = await chain.getTransactionCount({ address: owner.address });
    const nobody = '0x0000000000000000000000000000000000000000';
    const authorization = await owner.signAuthorization?.({ address: nobody, chainId: foundry.id, nonce });
    if (!authorization) throw new Error('no authorization');
    const hash = await payer.sendTransaction({ to: owner.address, authorizationList: [authorization] });
    expect((await receiptOf(hash)).status).toBe('success');
    expect(await chain.getCode({ address: owner.address })).toBeUndefined();
  });
});
