/** The main job: a company's backend makes a user's sub-organization, the user's passkey signs, anybody verifies. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  hashMessage,
  keccak256,
  parseTransaction,
  recoverAddress,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerializable,
  verifyMessage,
  verifyTypedData,
} from 'viem';
import { hashAuthorization } from 'viem/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Service, startService } from '../support/service.ts';
import {
  type Activity,
  ask,
  backendOf,
  carryOut,
  createUser,
  ethereumAccount,
  listActivities,
  type Prepared,
  payloadOf,
  prepareActivity,
  prepareQuery,
  resultOf,
  send,
  signRawPayload,
  type User,
} from './requests.ts';

type Hex = `0x${string}`;
type Signature = { r: string; s: string; v: string };

const serialized = ({ r, s, v }: Signature): Hex => `0x${r}${s}${(27 + Number.parseInt(v, 16)).toString(16)}`;

const dataDir = mkdtempSync(join(tmpdir(), 'countersign-main-job-'));
let service: Service;
let user: User;

beforeAll(async () => {
  service = await startService({ dataDir });
  user = await createUser(service.baseUrl, service.root);
});
afterAll(async () => {
  await service?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const act = (type: string, parameters: object) =>
  carryOut(service.baseUrl, prepareActivity(user, type, parameters)).then(resultOf) as Promise<never>;

const sign = async (parameters: object): Promise<Signature> => act(signRawPayload, parameters);

describe('signatures verify on Ethereum', () => {
  const typedData = {
    domain: { name: 'Shop', version: '1', chainId: 1n, verifyingContract: `0x${'11'.repeat(20)}` },
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
      Order: [
        { name: 'item', type: 'string' },
        { name: 'price', type: 'uint256' },
      ],
    },
    primaryType: 'Order',
    message: { item: 'tea', price: 10n ** 18n },
  } as const;

  test('a personal message', async () => {
    const message = 'I countersigned this: žluťoučký kůň';
    const signature = serialized(
      await sign({
        signWith: user.address,
        payload: hashMessage(message),
        encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
        hashFunction: 'HASH_FUNCTION_NO_OP',
      }),
    );
    expect(await verifyMessage({ address: user.address, message, signature })).toBe(true);
  });

  test('text, hashed by the service', async () => {
    const payload = { payload: 'hello ✓', encoding: 'PAYLOAD_ENCODING_TEXT_UTF8' };
    const signature = serialized(
      await sign({ signWith: user.address, ...payload, hashFunction: 'HASH_FUNCTION_KECCAK256' }),
    );
    expect(await recoverAddress({ hash: keccak256(Buffer.from('hello ✓')), signature })).toBe(user.address);
  });

  test('typed data', async () => {
    const signature = serialized(
      await sign({
        signWith: user.address,
        payload: JSON.stringify(typedData, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
        encoding: 'PAYLOAD_ENCODING_EIP712',
        hashFunction: 'HASH_FUNCTION_NO_OP',
      }),
    );
    expect(await verifyTypedData({ address: user.address, ...typedData, signature })).toBe(true);
  });

  test('an EIP-7702 authorization', async () => {
    const authorization = { chainId: 1, address: `0x${'22'.repeat(20)}`, nonce: 7 } as const;
    const signature = serialized(
      await sign({
        signWith: user.address,
        payload: JSON.stringify(authorization),
        encoding: 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION',
        hashFunction: 'HASH_FUNCTION_NO_OP',
      }),
    );
    expect(await recoverAddress({ hash: hashAuthorization(authorization), signature })).toBe(user.address);
  });

  const to: Hex = `0x${'33'.repeat(20)}`;
  const fees = { maxFeePerGas: 30_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
  const common = { chainId: 1, to, value: 10n ** 18n, gas: 21_000n, nonce: 3 };
  const accessList = [{ address: to, storageKeys: [`0x${'44'.repeat(32)}` as Hex] }];
  const authorization = {
    address: to,
    chainId: 1,
    nonce: 0,
    r: `0x${'55'.repeat(32)}` as Hex,
    s: `0x${'66'.repeat(32)}` as Hex,
    yParity: 1,
  };
  const transactions: readonly TransactionSerializable[] = [
    { ...common, type: 'legacy', gasPrice: 20_000_000_000n },
    { ...common, type: 'eip2930', gasPrice: 20_000_000_000n, accessList },
    { ...common, type: 'eip1559', ...fees, accessList, data: '0xdeadbeef' },
    { ...common, type: 'eip4844', ...fees, maxFeePerBlobGas: 5n, blobVersionedHashes: [`0x01${'77'.repeat(31)}`] },
    { ...common, type: 'eip7702', ...fees, authorizationList: [authorization] },
  ];
  test.each(transactions)('a transaction of type $type', async (transaction) => {
    const { signedTransaction } = await act('ACTIVITY_TYPE_SIGN_TRANSACTION_V2', {
      signWith: user.address,
      unsignedTransaction: serializeTransaction(transaction).slice(2),
      type: 'TRANSACTION_TYPE_ETHEREUM',
    });
    const signed = `0x${signedTransaction}` as Parameters<typeof recoverTransactionAddress>[0]['serializedTransaction'];
    expect(await recoverTransactionAddress({ serializedTransaction: signed })).toBe(user.address);
    const { r, s, v, yParity, ...content } = parseTransaction(signed);
    expect(serializeTransaction(content as TransactionSerializable)).toBe(serializeTransaction(transaction));
  });
});

test('what the user makes is there, signs, and survives a restart', async () => {
  const { baseUrl } = service;
  const { walletId, addresses } = await act('ACTIVITY_TYPE_CREATE_WALLET', {
    walletName: 'second',
    accounts: [ethereumAccount(0), ethereumAccount(1)],
    mnemonicLength: 24,
  });
  const more: { addresses: string[] } = await act('ACTIVITY_TYPE_CREATE_WALLET_ACCOUNTS', {
    walletId,
    accounts: [
      ethereumAccount(2),
      {
        ...ethereumAccount(),
        curve: 'CURVE_ED25519',
        path: "m/44'/501'/0'/0'",
        addressFormat: 'ADDRESS_FORMAT_SOLANA',
      },
    ],
  });
  const { privateKeys }: { privateKeys: { privateKeyId: string; addresses: { address: string }[] }[] } = await act(
    'ACTIVITY_TYPE_CREATE_PRIVATE_KEYS_V2',
    {
      privateKeys: [
        {
          privateKeyName: 'key',
          curve: 'CURVE_SECP256K1',
          privateKeyTags: [],
          addressFormats: ['ADDRESS_FORMAT_ETHEREUM'],
        },
      ],
    },
  );
  const [key] = privateKeys as [(typeof privateKeys)[0]];
  const made = [...(addresses as string[]), ...more.addresses];
  expect(new Set(made).size).toBe(4);
  const signedBefore = prepareActivity(user, signRawPayload, payloadOf(made[2] as string, 'before'));
  const before = await carryOut(baseUrl, signedBefore);

  const look = async (base: string) => {
    const accounts = await ask<{ accounts: { address: string }[] }>(
      base,
      prepareQuery(user, 'list_wallet_accounts', { walletId }),
    );
    const wallets = await ask<{ wallets: { walletId: string }[] }>(base, prepareQuery(user, 'list_wallets'));
    const keys = await ask<{ privateKeys: { privateKeyId: string }[] }>(base, prepareQuery(user, 'list_private_keys'));
    return { accounts, wallets, keys, activities: await listActivities(base, user) };
  };
  const seen = await look(baseUrl);
  expect(seen.accounts.accounts.map(({ address }) => address).sort()).toEqual([...made].sort());
  expect(seen.wallets.wallets.map((wallet) => wallet.walletId)).toContain(walletId);
  expect(seen.keys.privateKeys.map(({ privateKeyId }) => privateKeyId)).toEqual([key.privateKeyId]);
  expect(seen.activities[0]?.id).toBe(before.id);

  await service.kill();
  service = await startService({ dataDir });
  expect(await look(service.baseUrl)).toEqual(seen);
  expect(await carryOut(service.baseUrl, signedBefore)).toEqual(before);
  for (const signWith of [made[0], made[2], key.privateKeyId] as string[]) {
    const { r, s, v } = await sign(payloadOf(signWith, `after ${signWith}`));
    const address = signWith === key.privateKeyId ? key.addresses[0]?.address : signWith;
    const hash = keccak256(Buffer.from(`after ${signWith}`));
    expect(await recoverAddress({ hash, signature: serialized({ r, s, v }) })).toBe(address);
  }
});

test('the parent reads its sub-organization and can do nothing in it', async () => {
  const { baseUrl, root } = service;
  const inPlace = { ...backendOf(root), organizationId: user.organizationId };
  const seen = await ask<{ wallets: unknown[] }>(baseUrl, prepareQuery(inPlace, 'list_wallets'));
  expect(seen.wallets.length).toBeGreaterThan(0);
  const refused = await send(baseUrl, prepareActivity(inPlace, signRawPayload, payloadOf(user.address, 'theirs')));
  expect(refused.status).toBe(400);
  expect(refused.body).toMatchObject({ code: 3, message: expect.stringContaining('organization mismatch') });
});

test('another user sees and signs nothing', async () => {
  const { baseUrl, root } = service;
  const stranger = await createUser(baseUrl, root, 'stranger');
  const inPlace = { ...stranger, organizationId: user.organizationId };
  for (const request of [
    prepareActivity(inPlace, signRawPayload, payloadOf(user.address, 'theirs')),
    prepareQuery(inPlace, 'list_wallets'),
  ]) {
    expect(await send(baseUrl, request)).toMatchObject({ status: 401, body: { code: 16 } });
  }
  const own = prepareActivity(stranger, signRawPayload, payloadOf(user.address, 'theirs'));
  expect((await send(baseUrl, own)).status).toBeGreaterThanOrEqual(400);
});

test('a graceful stop finishes what is in flight', async () => {
  const begun = Array.from({ length: 12 }, (_, index) =>
    begin(service.port, prepareActivity(user, signRawPayload, payloadOf(user.address, `in flight ${index}`))),
  );
  await Promise.all(begun.map(({ connected }) => connected));
  await sleep(200);
  const stopped = service.stop();
  await sleep(200);
  for (const { finish } of begun) finish();
  const answers = await Promise.all(begun.map(({ answer }) => answer));
  expect(answers.map(({ status }) => status)).toEqual(begun.map(() => 200));
  const ids = answers.map(({ body }) => (JSON.parse(body) as { activity: Activity }).activity.id);
  await stopped;

  service = await startService({ dataDir });
  const recorded = (await listActivities(service.baseUrl, user)).map(({ id }) => id);
  expect(recorded).toEqual(expect.arrayContaining(ids));
});

/** Sends all of a request but its last byte, which `finish` sends. */
function begin(port: number, { path, body, headers }: Prepared) {
  const { promise: answer, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const length = Buffer.byteLength(body);
  const options = { port, path, method: 'POST', headers: { ...headers, 'Content-Length': length }, agent: false };
  const outgoing = httpRequest({ host: '127.0.0.1', ...options }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
  });
  outgoing.on('error', reject);
  const connected = new Promise<void>((done) => outgoing.write(body.slice(0, -1), () => done()));
  return { answer, connected, finish: () => outgoing.end(body.slice(-1)) };
}
