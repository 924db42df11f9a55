/** `@turnkey/ethers`: a signer whose key is in the enclave, checked by ethers and by a real chain. */
import { TurnkeySigner } from '@turnkey/ethers';
import type { Turnkey } from '@turnkey/sdk-server';
import {
  ContractFactory,
  getAddress,
  JsonRpcProvider,
  parseEther,
  type Signer,
  Transaction,
  toBeHex,
  verifyMessage,
  verifyTypedData,
} from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noChain } from '../support/no-chain.ts';
import { type Chain, startAnvil, storeInitCode } from './anvil.ts';
import { dependencyOf } from './dependency-of.ts';
import { newEthereumKey, newSubOrganization, type SubOrganization, useService } from './use-service.ts';

type SignerClient = ConstructorParameters<typeof TurnkeySigner>[0]['client'];
type Config = ConstructorParameters<typeof Turnkey>[0];

/** The signer comes with a client of its own, older than the one of the other tests. */
const { Turnkey: OlderTurnkey } = dependencyOf('@turnkey/ethers', '@turnkey/sdk-server') as {
  Turnkey: new (config: Config) => { apiClient(): SignerClient };
};

const service = useService();
let sub: SubOrganization;
let signers: Readonly<Record<string, TurnkeySigner>>;
const kinds = ['address of a wallet account', 'id of a private key', 'address of a private key'];
const signerOf = (kind: string) => signers[kind] as TurnkeySigner;

beforeAll(async () => {
  sub = await newSubOrganization(service.client());
  const { organizationId, key } = sub;
  const { privateKeyId, address } = await newEthereumKey(service.client(sub));
  const names = [sub.address, privateKeyId, address];
  const older = new OlderTurnkey({
    apiBaseUrl: service.baseUrl,
    apiPublicKey: key.publicKey,
    apiPrivateKey: key.privateKey,
    defaultOrganizationId: organizationId,
  });
  signers = Object.fromEntries(
    kinds.map((kind, index) => [
      kind,
      new TurnkeySigner({ client: older.apiClient(), organizationId, signWith: names[index] as string }),
    ]),
  );
});

const domain = { name: 'Ether Mail', version: '1', chainId: 1, salt: `0x${'07'.repeat(32)}` };
const types = {
  Person: [
    { name: 'name', type: 'string' },
    { name: 'wallet', type: 'address' },
  ],
  Mail: [
    { name: 'to', type: 'Person[]' },
    { name: 'amount', type: 'uint256' },
    { name: 'delta', type: 'int64' },
    { name: 'tag', type: 'bytes4' },
  ],
};
const message = {
  to: [{ name: 'Zoë', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' }],
  amount: 2n ** 255n + 1n,
  delta: -7,
  tag: '0xdeadbeef',
};
const to = getAddress('0x40f008f4c17075efca092ae650655f6693aeced0');

describe.each(kinds)('%s', (kind) => {
  test('signMessage', async () => {
    const signer = signerOf(kind);
    for (const text of ['hello', '', 'Zoë 😀', Uint8Array.of(0, 255)]) {
      expect(verifyMessage(text, await signer.signMessage(text))).toBe(await signer.getAddress());
    }
  });

  test('signTypedData', async () => {
    const signer = signerOf(kind);
    const signature = await signer.signTypedData(domain, types, message);
    expect(verifyTypedData(domain, types, message, signature)).toBe(await signer.getAddress());
  });

  test.each([
    [0, { gasPrice: 1 }],
    [1, { gasPrice: 1, accessList: [{ address: to, storageKeys: [] }] }],
    [2, { maxFeePerGas: 2, maxPriorityFeePerGas: 1 }],
    [
      3,
      {
        maxFeePerGas: 2,
        maxPriorityFeePerGas: 1,
        maxFeePerBlobGas: 1,
        blobVersionedHashes: [`0x01${'ab'.repeat(31)}`],
      },
    ],
  ])('signTransaction of type %i', async (type, fees) => {
    const signer = signerOf(kind);
    const signed = await signer.signTransaction({
      ...fees,
      type,
      to,
      chainId: 31337,
      nonce: 3,
      gasLimit: 21_000,
      value: 1,
    });
    expect(Transaction.from(signed)).toMatchObject({ type, nonce: 3, to, value: 1n, from: await signer.getAddress() });
  });
});

test('a transaction from somebody else never reaches the service', async () => {
  const signer = signerOf('address of a wallet account');
  await expect(signer.signTransaction({ from: to, to, nonce: 0 })).rejects.toThrow('address mismatch');
});

describe.skipIf(noChain)(`on a chain${noChain}`, () => {
  let chain: Chain;
  let provider: JsonRpcProvider;
  beforeAll(async () => {
    chain = await startAnvil();
    provider = new JsonRpcProvider(chain.url, 31337, { staticNetwork: true, pollingInterval: 20, cacheTimeout: -1 });
  });
  afterAll(async () => {
    provider?.destroy();
    chain?.stop();
  });

  test.each(kinds)('transfers, and a contract deployed and called, by the %s', async (kind) => {
    // Its declarations are CommonJS and ours ESM; for each, ethers has classes of its own.
    const signer = signerOf(kind).connect(provider as never) as unknown as Signer;
    const from = await signer.getAddress();
    await chain.setBalance({ address: from as `0x${string}`, value: parseEther('10') });
    for (const type of [0, 2]) {
      const receipt = await (await signer.sendTransaction({ to, value: 7, type })).wait();
      expect(receipt).toMatchObject({ status: 1, from, type });
    }
    const contract = await new ContractFactory([], storeInitCode, signer).deploy();
    await contract.waitForDeployment();
    const data = toBeHex(42, 32);
    const receipt = await (await signer.sendTransaction({ to: await contract.getAddress(), data })).wait();
    expect(receipt?.status).toBe(1);
    expect(await provider.call({ to: await contract.getAddress() })).toBe(data);
  });
});
