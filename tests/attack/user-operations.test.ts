/**
 * A backend that forwards somebody's requests, or an agent with a policy of its own, tries to get more out of a smart account
 * than was stamped or allowed (facts: pitfalls of account abstraction, by number and rule).
 */
import { createHash, randomBytes } from 'node:crypto';
import { concat, encodeAbiParameters, type Hex, pad, parseEther, serializeTransaction, toHex } from 'viem';
import {
  entryPoint06Address,
  entryPoint07Address,
  entryPoint08Address,
  entryPoint09Address,
} from 'viem/account-abstraction';
import { beforeEach, describe, expect, test } from 'vitest';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { addUser, signing } from '../support/resident.ts';
import {
  ask,
  asked,
  batch,
  enclave,
  execute,
  nft,
  owner,
  policy,
  sender,
  simple7702,
  sponsor,
  statusOf,
  thief,
  useSmartAccount,
} from '../support/smart-account.ts';
import { activityBody, type Caller, query, resultOf, submit } from '../support/wire.ts';

useSmartAccount();
const agent = () => addUser(enclave.wire, owner.byPasskey, 'agent');

describe('what was stamped is what is signed', () => {
  test('by nobody but the owner', async () => {
    expect(await statusOf(asked(execute(nft)), enclave.parent)).toBe(404);
    const asParent = { ...enclave.parent, organizationId: owner.organizationId };
    expect(await statusOf(asked(execute(nft)), asParent)).toBe(400);
  });

  test('a body with other gas, calls or paymaster has no stamp', async () => {
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_USER_OPERATION', asked(execute(nft)));
    const stamp = owner.byPasskey.stamp(body);
    for (const [from, to] of [
      ['0x186a0', '0x186a1'],
      ['22'.repeat(20), '66'.repeat(20)],
      ['"chainId":"1"', '"chainId":"2"'],
      ['"factory"', `"paymaster":"${sponsor}","factory"`],
    ] as const) {
      const altered = body.replace(from, to);
      expect(altered).not.toBe(body);
      const answer = await enclave.wire({ kind: 'submit', name: 'sign_user_operation', body: altered, stamp });
      expect(answer.status).toBe(401);
    }
  });

  test('what fills in an intent cannot be used for another activity, nor bring more than gas and a paymaster', async () => {
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_USER_OPERATION', asked(execute(nft)));
    const completion = Buffer.from(JSON.stringify({ callData: execute(thief) })).toString('base64url');
    const answer = await enclave.wire({
      kind: 'submit',
      name: 'sign_user_operation',
      body,
      stamp: owner.byPasskey.stamp(body),
      completion,
    });
    const { decoded } = resultOf(answer) as { decoded: { calls: { to: string }[] } };
    expect(decoded.calls.map(({ to }) => to)).toEqual([nft]);
  });
});

describe('an agent with a policy for one contract', () => {
  let caller: Caller;
  beforeEach(async () => {
    caller = await agent();
    await policy(
      'EFFECT_ALLOW',
      `userop.chain_id == 1 && !userop.opaque && !userop.is_admin && userop.paymaster == address('${sponsor}') && ` +
        `userop.max_cost <= 0.01 ether && userop.total_value == 0 && userop.calls.all(c, c.to == address('${nft}'))`,
    );
  });
  const sponsored = { paymaster: sponsor, paymasterVerificationGasLimit: '0x1', paymasterPostOpGasLimit: '0x1' };

  test('gets what the policy allows', async () => {
    expect(await statusOf(asked(execute(nft), sponsored), caller)).toBe(200);
    const two = batch({ target: nft, value: 0n, data: '0x1249c58b' }, { target: nft, value: 0n, data: '0x1249c58b' });
    expect(await statusOf(asked(two, sponsored), caller)).toBe(200);
  });

  test.each<[string, () => object]>([
    ['3. another chain', () => asked(execute(nft), sponsored, { chainId: '10' })],
    ['7. another paymaster', () => asked(execute(nft), { ...sponsored, paymaster: thief })],
    ['8. a delegatecall', () => asked(concat(['0xe9ae5c53', pad('0xff', { dir: 'right', size: 32 })]), sponsored)],
    ['8. a function that nobody can read', () => asked('0xdeadbeef', sponsored)],
    [
      '12. gas that costs 1 wei more',
      () => asked(execute(nft), { ...sponsored, maxFeePerGas: toHex(parseEther('0.01')) }),
    ],
    ['13. value in one call of a batch', () => asked(batch(...twoCalls(1n)), sponsored)],
    ['14. a call to the account itself', () => asked(execute(sender), sponsored)],
    ['14. a call to the EntryPoint', () => asked(execute(entryPoint08Address), sponsored)],
    ['15. another contract inside a batch', () => asked(batch(...twoCalls(0n, thief)), sponsored)],
    ['15. a byte after the arguments', () => asked(concat([execute(nft), '0x00']), sponsored)],
  ])('does not get %s', async (_, parameters) => {
    expect([400, 403]).toContain(await statusOf(parameters(), caller));
  });

  const twoCalls = (value: bigint, second: Hex = nft) => [
    { target: nft, value: 0n, data: '0x1249c58b' as Hex },
    { target: second, value, data: '0x1249c58b' as Hex },
  ];

  test('1, 2. does not get the digest by another door', async () => {
    const raw = (parameters: object) =>
      submit(enclave.wire, caller, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', parameters);
    expect((await raw(signing(sender))).status).toBe(403);
    const message = Buffer.concat([Buffer.from('\x19Ethereum Signed Message:\n32'), randomBytes(32)]).toString('hex');
    expect((await raw({ ...signing(sender, message), hashFunction: 'HASH_FUNCTION_KECCAK256' })).status).toBe(403);
  });
});

describe('guards bind the owner as well', () => {
  test('4. a factory that was not pinned, 5. code that is not bound, 22. a chain id of 0 are refused without any', async () => {
    const auth = { chainId: '0x0', address: simple7702, nonce: '0x0' };
    expect(await statusOf(asked(execute(nft), { factory: nft, factoryData: '0x01' }))).toBe(400);
    expect(await statusOf(asked(execute(nft), { factory: undefined }))).toBe(400);
    expect(await statusOf(asked(execute(nft), { eip7702Auth: auth }))).toBe(400);
    expect(await statusOf(asked(execute(nft), {}, { delegate: thief }))).toBe(400);
    expect(await statusOf(asked(execute(nft), {}, { entryPoint: thief }))).toBe(400);
    expect(await statusOf(asked(execute(nft), {}, { entryPoint: entryPoint07Address }))).toBe(400);
  });

  test('13. a daily limit counts what user operations, batches and transactions spend together', async () => {
    await policy('EFFECT_GUARD', "spent('eip155:1', '24h') + spending('eip155:1') > 1 ether");
    expect(await statusOf(asked(execute(nft, parseEther('0.6'), '0x')))).toBe(200);
    expect(await statusOf(asked(execute(nft, parseEther('0.6'), '0x')))).toBe(403);
    const half = { target: nft, value: parseEther('0.3'), data: '0x' as Hex };
    expect(await statusOf(asked(batch(half, half)))).toBe(403);
    expect(await statusOf(asked(batch(half)))).toBe(200);
    // What cannot be read could spend anything.
    expect(await statusOf(asked('0xdeadbeef'))).toBe(403);
  });

  test('14. installing another owner of the account is an administrative call', async () => {
    await policy('EFFECT_GUARD', 'userop.is_admin || userop.opaque');
    const call = encodeAbiParameters([{ type: 'address' }], [thief]);
    const data = concat(['0x0f0f3f24', call]);
    expect(await statusOf(asked(execute(sender, 0n, data)))).toBe(403);
    expect(await statusOf(asked(execute(nft)))).toBe(200);
  });
});

const smart = `0x${'11'.repeat(20)}` as const;
const pin = (more: object = {}, caller: Caller = owner.byPasskey) =>
  submit(enclave.wire, caller, 'create_smart_account', 'CREATE_SMART_ACCOUNT', {
    smartAccountName: randomBytes(8).toString('hex'),
    address: smart,
    signWith: sender,
    accountKind: 'simple-0.7',
    entryPoint: entryPoint07Address,
    ...more,
  });
const ofSmart = (callData: Hex, more: object = {}, parameters: object = {}) =>
  asked(
    callData,
    { sender: smart, factory: undefined, ...more },
    { entryPoint: entryPoint07Address, delegate: undefined, ...parameters },
  );
const raw = (parameters: object, caller: Caller = owner.byPasskey) =>
  submit(enclave.wire, caller, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', { ...signing(sender), ...parameters });
const typedData = (payload: object) => ({
  payload: JSON.stringify(payload),
  encoding: 'PAYLOAD_ENCODING_EIP712',
});

/** The typed data of an operation of the signing address, as EntryPoint 0.8 hashes them. */
const packedFields = [
  ['sender', 'address'],
  ['nonce', 'uint256'],
  ['initCode', 'bytes'],
  ['callData', 'bytes'],
  ['accountGasLimits', 'bytes32'],
  ['preVerificationGas', 'uint256'],
  ['gasFees', 'bytes32'],
  ['paymasterAndData', 'bytes'],
].map(([name, type]) => ({ name, type }));
const typedOperation = (callData: Hex, more: object = {}, domain: object = {}, types: object = {}) => ({
  domain: { name: 'ERC4337', version: '1', chainId: 1, verifyingContract: entryPoint08Address, ...domain },
  types: { PackedUserOperation: packedFields, ...types },
  primaryType: 'PackedUserOperation',
  message: {
    sender,
    nonce: '7',
    initCode: simple7702,
    callData,
    accountGasLimits: pad('0x01'),
    preVerificationGas: 1,
    gasFees: pad('0x01'),
    paymasterAndData: '0x',
    ...more,
  },
});

describe('the digest by another door', () => {
  const domainType = ['name:string', 'version:string', 'chainId:uint256', 'verifyingContract:address'].map((field) => {
    const [name, type] = field.split(':');
    return { name, type };
  });

  test.each<[string, (callData: Hex) => string]>([
    ['as it is', (data) => JSON.stringify(typedOperation(data))],
    ['with the chain as text', (data) => JSON.stringify(typedOperation(data, {}, { chainId: '1' }))],
    ['with the chain in hex', (data) => JSON.stringify(typedOperation(data, {}, { chainId: '0x01' }))],
    ['with zeros before the chain', (data) => JSON.stringify(typedOperation(data, {}, { chainId: '0001' }))],
    [
      'with the EntryPoint in capitals',
      (data) =>
        JSON.stringify(
          typedOperation(data, {}, { verifyingContract: `0x${entryPoint08Address.slice(2).toUpperCase()}` }),
        ),
    ],
    [
      'with the type of the domain',
      (data) => JSON.stringify(typedOperation(data, {}, {}, { EIP712Domain: domainType })),
    ],
    [
      'with types that are not used',
      (data) => JSON.stringify(typedOperation(data, {}, {}, { Mail: [{ name: 'to', type: 'address' }] })),
    ],
    [
      'with members that are not signed',
      (data) => JSON.stringify(typedOperation(data, { callGasLimit: '1', value: '0' })),
    ],
    [
      'with numbers in hex',
      (data) => JSON.stringify(typedOperation(data, { nonce: '0x7', preVerificationGas: '0x1' })),
    ],
    [
      'with its names in escapes',
      (data) =>
        JSON.stringify(typedOperation(data))
          .replaceAll('PackedUser', '\\u0050acked\\u0055ser')
          .replace('ERC4337', '\\u0045RC4337'),
    ],
  ])('is what guards know as the operation: typed data %s', async (_, write) => {
    await policy('EFFECT_GUARD', 'userop.total_value > 0');
    expect((await raw({ encoding: 'PAYLOAD_ENCODING_EIP712', payload: write(execute(nft)) })).status).toBe(200);
    expect((await raw({ encoding: 'PAYLOAD_ENCODING_EIP712', payload: write(execute(nft, 1n)) })).status).toBe(403);
  });

  test.each<[string, (data: Hex) => object]>([
    ['of another sender', (data) => typedOperation(data, { sender: thief })],
    ['with code that nobody knows', (data) => typedOperation(data, { initCode: thief })],
    [
      'with the flag in place of its code',
      (data) => typedOperation(data, { initCode: pad('0x7702', { dir: 'right', size: 20 }) }),
    ],
    ['without code', (data) => typedOperation(data, { initCode: '0x' })],
    ['with a paymaster cut short', (data) => typedOperation(data, { paymasterAndData: sponsor })],
    ['for an EntryPoint that nobody knows', (data) => typedOperation(data, {}, { verifyingContract: thief })],
    ['with a salt', (data) => typedOperation(data, {}, { salt: pad('0x01') })],
    ['with a version of its own', (data) => typedOperation(data, {}, { version: '2' })],
    ['without a chain', (data) => typedOperation(data, {}, { chainId: undefined })],
    [
      'under an EntryPoint alone',
      () => ({
        domain: { verifyingContract: entryPoint07Address },
        types: { Mail: [{ name: 'to', type: 'address' }] },
        primaryType: 'Mail',
        message: { to: thief },
      }),
    ],
    [
      'of a Safe',
      () => ({
        domain: { chainId: 1, verifyingContract: thief },
        types: { SafeOp: [{ name: 'safe', type: 'address' }] },
        primaryType: 'SafeOp',
        message: { safe: smart },
      }),
    ],
  ])('is signed for no root user where it cannot be read: %s', async (_, write) => {
    expect((await raw(typedData(write(execute(nft))))).status).toBe(403);
  });

  test.each<[string, object]>([
    ['a digest', {}],
    ['a digest as a personal message', personal(randomBytes(32))],
    ['what an EIP-712 digest is hashed from', hashed(Buffer.concat([Buffer.of(0x19, 1), randomBytes(64)]))],
    [
      'what an older EntryPoint hashes',
      hashed(
        Buffer.concat([randomBytes(32), Buffer.from(pad(entryPoint07Address).slice(2), 'hex'), Buffer.alloc(32, 1)]),
      ),
    ],
    [
      'what holds on every chain',
      hashed(Buffer.concat([randomBytes(32), Buffer.from(pad(entryPoint06Address).slice(2), 'hex')])),
    ],
    [
      'a personal message as text',
      {
        ...hashed(Buffer.alloc(0)),
        encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
        payload: `\x19Ethereum Signed Message:\n32${'a'.repeat(32)}`,
      },
    ],
  ])('is shut for the owner of a smart account, by any name of its key and among others: %s', async (_, door) => {
    resultOf(await pin());
    const accounts = await walletAccountIds();
    for (const signWith of [sender, sender.toLowerCase(), `0x${sender.slice(2).toUpperCase()}`, ...accounts]) {
      expect((await raw({ ...door, signWith })).status, signWith).toBe(403);
    }
    const { payload, ...form } = { ...signing(sender), ...door };
    const harmless = {
      payload: Buffer.from('hello').toString('hex'),
      ...form,
      hashFunction: 'HASH_FUNCTION_KECCAK256',
    };
    const all = [payload, harmless.payload];
    for (const payloads of [all, all.toReversed()]) {
      const parameters = { ...form, payloads };
      const answer = await submit(enclave.wire, owner.byPasskey, 'sign_raw_payloads', 'SIGN_RAW_PAYLOADS', parameters);
      expect([400, 403]).toContain(answer.status);
    }
    // Other keys of the organization own nothing.
    expect((await raw({ ...door, signWith: owner.addresses[1] })).status).toBe(200);
  });

  function personal(digest: Buffer) {
    return hashed(Buffer.concat([Buffer.from('\x19Ethereum Signed Message:\n32'), digest]));
  }
  function hashed(bytes: Buffer) {
    return {
      payload: bytes.toString('hex'),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_KECCAK256',
    };
  }
  async function walletAccountIds(): Promise<string[]> {
    const { body } = await query(enclave.wire, owner.byPasskey, 'list_wallet_accounts', { walletId: owner.walletId });
    const accounts = body.accounts as { walletAccountId: string; address: string }[];
    return accounts.filter(({ address }) => address === sender).map(({ walletAccountId }) => walletAccountId);
  }

  test('is shut for a private key by its id and by its address', async () => {
    const { body } = await query(enclave.wire, owner.byPasskey, 'get_private_key', {
      privateKeyId: owner.privateKeyId,
    });
    const { addresses } = body.privateKey as { addresses: { address: string }[] };
    resultOf(await pin({ signWith: addresses[0]?.address }));
    for (const signWith of [owner.privateKeyId, addresses[0]?.address as string]) {
      expect((await raw({ signWith })).status).toBe(403);
    }
  });
});

describe('what is pinned', () => {
  test('is one account for a sender, a key and an EntryPoint, however they are written', async () => {
    const address = '0xabababababababababababababababababababab';
    resultOf(await pin({ address }));
    const again = [
      { address: `0x${address.slice(2).toUpperCase()}` },
      { address, entryPoint: entryPoint07Address.toLowerCase() },
      { address, signWith: sender.toLowerCase(), accountKind: 'nexus' },
    ];
    for (const more of again) expect((await pin(more)).status).toBe(400);
  });

  test('is not authorized to run code that was not pinned', async () => {
    resultOf(await pin({ address: sender, accountKind: 'simple-0.8', entryPoint: entryPoint08Address }));
    for (const address of [thief, simple7702]) {
      const auth = { chainId: '0x1', address, nonce: '0x0' };
      for (const factory of [undefined, '0x7702']) {
        expect(await statusOf(asked(execute(nft), { factory, eip7702Auth: auth }, { delegate: undefined }))).toBe(400);
      }
    }
  });

  test('is not what chains, EntryPoints, factories and delegates of requests say', async () => {
    const factory = { factory: nft, factoryData: '0x01' };
    resultOf(await pin({ chainIds: ['1'], ...factory }));
    expect(await statusOf(ofSmart(execute(nft)))).toBe(200);
    const refused = [
      ofSmart(execute(nft), {}, { chainId: '10' }),
      ofSmart(execute(nft), { factory: nft, factoryData: '0x02' }),
      ofSmart(execute(nft), { factory: nft, factoryData: null }),
      ofSmart(execute(nft), { factory: '0x7702' }),
      ofSmart(execute(nft), { factory: pad('0x7702', { dir: 'right', size: 20 }) }),
      ofSmart(execute(nft), { initCode: '0x' }),
    ];
    for (const parameters of refused) expect(await statusOf(parameters)).toBe(400);
    expect(await statusOf(ofSmart(execute(nft), {}, { entryPoint: entryPoint08Address }))).toBe(404);
    expect(await statusOf(ofSmart(execute(nft), {}, { signWith: owner.addresses[1] }))).toBe(404);
  });

  test('says what code runs the data that go with the flag of EIP-7702: nobody sees what they do', async () => {
    await policy('EFFECT_GUARD', 'userop.opaque');
    expect(await statusOf(asked(execute(nft)))).toBe(200);
    expect(await statusOf(asked(execute(nft), { factoryData: '0xdeadbeef' }))).toBe(403);
    const bound = pad(simple7702, { size: 20 });
    expect(
      (await raw(typedData(typedOperation(execute(nft), { initCode: concat([bound, '0xdeadbeef']) })))).status,
    ).toBe(403);
  });

  test('is not signed with a time that its account does not know', async () => {
    resultOf(await pin());
    expect(await statusOf(ofSmart(execute(nft), {}, { validUntil: '1' }))).toBe(400);
    expect(await statusOf(ofSmart(execute(nft), {}, { validAfter: '1' }))).toBe(400);
    expect(await statusOf(ofSmart(execute(nft), {}, { validUntil: '0' }))).toBe(200);
  });

  test('stays what guards read operations by for as long as the guards would have stayed', async () => {
    await policy('EFFECT_GUARD', 'userop.total_value > 0', { delaySeconds: 3600 });
    const { smartAccountId } = resultOf(await pin()) as { smartAccountId: string };
    const accounts = await query(enclave.wire, owner.byPasskey, 'list_wallet_accounts', { walletId: owner.walletId });
    const [first, second] = (accounts.body.accounts as { walletAccountId: string; address: string }[]).toSorted((a) =>
      a.address === sender ? -1 : 1,
    );
    const deletions = [
      ['delete_smart_accounts', { smartAccountIds: [smartAccountId] }],
      ['delete_wallet_accounts', { walletAccountIds: [first?.walletAccountId], deleteWithoutExport: true }],
    ] as const;
    for (const [name, parameters] of deletions) {
      const answer = await submit(enclave.wire, owner.byPasskey, name, name.toUpperCase(), parameters);
      expect(answer.body.activity?.status, name).toBe('ACTIVITY_STATUS_PENDING');
    }
    expect((await raw({})).status).toBe(403);
    expect(await statusOf(ofSmart(execute(nft, 1n)))).toBe(403);
    // A key that owns no smart account goes at once.
    const other = { walletAccountIds: [second?.walletAccountId], deleteWithoutExport: true };
    resultOf(await submit(enclave.wire, owner.byPasskey, 'delete_wallet_accounts', 'DELETE_WALLET_ACCOUNTS', other));
  });
});

describe('a session key with a scope', () => {
  let session: Caller;
  beforeEach(async () => {
    const profile = {
      sessionProfileName: 'mints',
      scope: `!userop.opaque && !has(eth.eip_7702_authorization) && userop.calls.all(c, c.to == '${nft}')`,
    };
    const { sessionProfileId } = resultOf(
      await submit(enclave.wire, owner.byPasskey, 'create_session_profile', 'CREATE_SESSION_PROFILE', profile),
    );
    const key = generateApiKey();
    const apiKeys = [{ apiKeyName: 'k', publicKey: key.publicKey, curveType: 'API_KEY_CURVE_P256', sessionProfileId }];
    const parameters = { userId: owner.userId, apiKeys };
    resultOf(await submit(enclave.wire, owner.byPasskey, 'create_api_keys', 'CREATE_API_KEYS_V2', parameters));
    session = { organizationId: owner.organizationId, stamp: (body) => makeApiKeyStamp(body, key) };
  });

  test('of a root user signs what is within it, by either door', async () => {
    expect(await statusOf(asked(execute(nft)), session)).toBe(200);
    expect((await raw(typedData(typedOperation(execute(nft))), session)).status).toBe(200);
  });

  test('signs nothing else, and pins nothing', async () => {
    const auth = { chainId: '0x1', address: simple7702, nonce: '0x0' };
    expect(await statusOf(asked(execute(thief)), session)).toBe(403);
    expect(await statusOf(asked(execute(nft), { factoryData: '0x01' }), session)).toBe(403);
    expect(await statusOf(asked(execute(nft), { eip7702Auth: auth }), session)).toBe(403);
    expect((await raw(typedData(typedOperation(execute(thief))), session)).status).toBe(403);
    expect((await raw({}, session)).status).toBe(403);
    const authorization = { encoding: 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION', payload: JSON.stringify(auth) };
    expect((await raw(authorization, session)).status).toBe(403);
    expect((await pin({}, session)).status).toBe(403);
    const both = [typedOperation(execute(nft)), typedOperation(execute(thief))].map((each) => JSON.stringify(each));
    const { payload: _, ...form } = { ...signing(sender), encoding: 'PAYLOAD_ENCODING_EIP712' };
    for (const payloads of [both, both.toReversed()]) {
      const parameters = { ...form, payloads };
      const answer = await submit(enclave.wire, session, 'sign_raw_payloads', 'SIGN_RAW_PAYLOADS', parameters);
      expect(answer.status).toBe(403);
    }
  });
});

describe('a spending limit', () => {
  const guard = "spent('eip155:1', '24h') + spending('eip155:1') > 1 ether";
  const sixTenths = parseEther('0.6');
  const transaction = (to: Hex, data: Hex, value = 0n) =>
    submit(enclave.wire, owner.byPasskey, 'sign_transaction', 'SIGN_TRANSACTION_V2', {
      signWith: sender,
      type: 'TRANSACTION_TYPE_ETHEREUM',
      unsignedTransaction: serializeTransaction({
        chainId: 1,
        nonce: randomBytes(2).readUInt16BE(),
        to,
        data,
        value,
        gas: 100_000n,
        maxFeePerGas: 1n,
        maxPriorityFeePerGas: 1n,
      }).slice(2),
    });

  test('counts what the smart account of a key spends, as an operation or called by its owner', async () => {
    await policy('EFFECT_GUARD', guard);
    resultOf(await pin());
    expect(await statusOf(ofSmart(execute(thief, sixTenths, '0x')))).toBe(200);
    expect(await statusOf(ofSmart(execute(thief, sixTenths, '0x')))).toBe(403);
    // SimpleAccount takes calls from its owner, too.
    expect((await transaction(smart, execute(thief, sixTenths, '0x'))).status).toBe(403);
    expect((await transaction(smart, execute(thief, parseEther('0.4'), '0x'))).status).toBe(200);
    expect((await transaction(thief, '0x', 1n)).status).toBe(403);
  });

  test('counts what a contract signature gives away of the smart account', async () => {
    const token = `0x${'99'.repeat(20)}`;
    const asset = `eip155:1/${token}`;
    await policy('EFFECT_GUARD', `spent('${asset}', '24h') + spending('${asset}') > 1000`);
    resultOf(await pin());
    const permit = (amount: string) =>
      raw(
        typedData({
          domain: { name: 'token', version: '1', chainId: 1, verifyingContract: token },
          types: {
            Permit: ['owner:address', 'spender:address', 'value:uint256', 'nonce:uint256', 'deadline:uint256'].map(
              (field) => {
                const [name, type] = field.split(':');
                return { name, type };
              },
            ),
          },
          primaryType: 'Permit',
          message: { owner: smart, spender: thief, value: amount, nonce: '1', deadline: '9999999999' },
        }),
      );
    expect((await permit('600')).status).toBe(200);
    expect((await permit('600')).status).toBe(403);
  });

  test('has no answer where the code that runs the calls is another than was read', async () => {
    await policy('EFFECT_GUARD', guard);
    resultOf(await pin({ address: sender, accountKind: 'simple-0.8', entryPoint: entryPoint08Address }));
    expect(await statusOf(asked(execute(nft, 0n, '0x'), {}, { delegate: simple7702 }))).toBe(403);
    const [, other] = owner.addresses;
    const askedOfOther = (more: object = {}) =>
      asked(execute(nft, 0n, '0x'), { sender: other, ...more }, { signWith: other });
    expect(await statusOf(askedOfOther())).toBe(200);
    expect(await statusOf(askedOfOther({ factoryData: '0xdeadbeef' }))).toBe(403);
  });

  test('and new recipients are told of calls inside batches, not of the account itself', async () => {
    await policy('EFFECT_GUARD', 'size(newRecipients()) > 1');
    const pay = (...targets: Hex[]) => batch(...targets.map((target) => ({ target, value: 1n, data: '0x' as Hex })));
    expect(await statusOf(asked(pay(nft, thief)))).toBe(403);
    expect(await statusOf(asked(pay(nft)))).toBe(200);
    expect(await statusOf(asked(pay(nft, thief)))).toBe(200);
    expect(await statusOf(asked('0xdeadbeef'))).toBe(403);
  });
});

describe('what fills in an intent', () => {
  const gas = ['callGasLimit', 'verificationGasLimit', 'preVerificationGas', 'maxFeePerGas', 'maxPriorityFeePerGas'];
  const gasFields = Object.fromEntries(gas.map((name) => [name, '0x64']));
  const sponsored = { paymaster: sponsor, paymasterVerificationGasLimit: '0x1', paymasterPostOpGasLimit: '0x1' };
  const bare = (more: object = {}) => ({ sender, nonce: '0x7', factory: '0x7702', callData: execute(nft), ...more });
  const intent = (more: object = {}, limits: object = {}, parameters: object = {}) =>
    activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_USER_OPERATION_INTENT', {
      ...asked(execute(nft), {}, parameters),
      userOperation: bare(more),
      limits: {
        maxCost: String(parseEther('0.01')),
        validUntil: String(Math.floor(Date.now() / 1000) + 600),
        paymasters: [sponsor],
        ...limits,
      },
    });
  const encoded = (completion: object | string) =>
    Buffer.from(typeof completion === 'string' ? completion : JSON.stringify(completion)).toString('base64url');
  const send = (body: string, completion: string, caller: Caller = owner.byPasskey) =>
    enclave.wire({ kind: 'submit', name: 'sign_user_operation_intent', body, stamp: caller.stamp(body), completion });
  const fill = (body: string, completion: object | string) => send(body, encoded(completion));

  test.each<[string, object | string]>([
    ['other calls', { ...gasFields, callData: execute(thief) }],
    ['names of prototypes', `{"__proto__":{"callData":"0x"},${JSON.stringify(gasFields).slice(1)}`],
    ['a constructor', { ...gasFields, constructor: {} }],
    ['a name twice', `{"callGasLimit":"0x1",${JSON.stringify(gasFields).slice(1)}`],
    ['an authorization', { ...gasFields, eip7702Auth: { chainId: '0x1', address: simple7702, nonce: '0x0' } }],
    ['a factory', { ...gasFields, factoryData: '0x01' }],
    ['the fields of another version', { ...gasFields, paymasterAndData: sponsor }],
    [
      'the signature of a paymaster that this version has not',
      { ...gasFields, ...sponsored, paymasterSignature: '0x01' },
    ],
    ['data without a paymaster', { ...gasFields, paymasterData: '0x01' }],
    ['another paymaster', { ...gasFields, ...sponsored, paymaster: thief }],
    ['nothing for the gas', { ...gasFields, callGasLimit: null }],
    ['gas that is none', { ...gasFields, callGasLimit: '-1' }],
    ['gas without a bound', { ...gasFields, preVerificationGas: toHex(2n ** 120n) }],
    ['a cost beyond the limit', { ...gasFields, maxFeePerGas: toHex(parseEther('0.01')) }],
    ['nested data', { ...gasFields, callGasLimit: { toString: '0x1' } }],
  ])('brings nothing that was not left open: %s', async (_, completion) => {
    expect((await fill(intent(), completion)).status).toBe(400);
  });

  test('is not what was stamped, not even as nothing', async () => {
    for (const paymaster of ['0x', sponsor]) {
      expect((await fill(intent({ paymaster }), { ...gasFields, ...sponsored })).status).toBe(400);
    }
    expect(
      (await fill(intent({ paymasterData: '0x' }), { ...gasFields, ...sponsored, paymasterData: '0x01' })).status,
    ).toBe(400);
    expect((await fill(intent({ signature: '0x' }), { ...gasFields, signature: '0x01' })).status).toBe(400);
  });

  test('comes once, in one header', async () => {
    const body = intent();
    const one = encoded(gasFields);
    for (const value of [`${one}, ${one}`, `${one},${one}`, `${one}=`, ` ${one}`, `${one}%`, '']) {
      expect((await send(body, value)).status, value).toBe(400);
    }
  });

  test('of EntryPoint 0.6 keeps to the same sponsors and counts what its paymaster may take', async () => {
    resultOf(await pin({ accountKind: 'simple-0.6', entryPoint: entryPoint06Address }));
    const stamped = (limits: object = {}) =>
      intent({ sender: smart, factory: undefined }, limits, { entryPoint: entryPoint06Address, delegate: undefined });
    const filled = (paymasterAndData: Hex) => ({ ...gasFields, paymasterAndData });
    expect((await fill(stamped(), filled(concat([sponsor, '0xabcd'])))).status).toBe(200);
    expect((await fill(stamped(), filled(concat([thief, '0xabcd'])))).status).toBe(400);
    expect((await fill(stamped(), filled('0x33'))).status).toBe(400);
    // 100 gas for calls, before and three times for verification, at 100 wei.
    expect((await fill(stamped({ maxCost: '50000' }), filled(sponsor))).status).toBe(200);
    expect((await fill(stamped({ maxCost: '49999' }), filled(sponsor))).status).toBe(400);
  });

  test('of EntryPoint 0.9 shows that the paymaster signs later', async () => {
    await policy('EFFECT_GUARD', 'userop.paymaster_signs_later');
    const stamped = () => intent({}, {}, { entryPoint: entryPoint09Address });
    expect((await fill(stamped(), { ...gasFields, ...sponsored })).status).toBe(200);
    for (const paymasterSignature of ['0x', '0x01']) {
      expect((await fill(stamped(), { ...gasFields, ...sponsored, paymasterSignature })).status).toBe(403);
    }
    const magic = '0x0122e325a297439656';
    expect((await fill(stamped(), { ...gasFields, ...sponsored, paymasterData: magic })).status).toBe(400);
  });

  test('does not bring back what was called off', async () => {
    const key = await rootKey();
    const body = intent();
    const digest = createHash('sha256').update(body).digest('hex');
    const held = await fill(body, gasFields);
    expect(held.body.activity?.status).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    const vote = (name: string, caller: Caller) => {
      const voted = activityBody(caller.organizationId, `ACTIVITY_TYPE_${name.toUpperCase()}`, {
        fingerprint: `sha256:${digest}`,
      });
      return enclave.wire({ kind: 'submit', name, body: voted, stamp: caller.stamp(voted) });
    };
    const calledOff = await vote('reject_activity', owner.byPasskey);
    expect(calledOff.body.activity?.status).toBe('ACTIVITY_STATUS_REJECTED');
    const again = await fill(body, { ...gasFields, callGasLimit: '0x65' });
    expect(again.body.activity?.id).toBe(held.body.activity?.id);
    expect(again.body.activity?.status).toBe('ACTIVITY_STATUS_REJECTED');
    const approved = await vote('approve_activity', key);
    expect(approved.body.activity?.status).not.toBe('ACTIVITY_STATUS_COMPLETED');
  });

  test('stays what it was while votes are awaited, across restarts', async () => {
    const key = await rootKey();
    const body = intent();
    const digest = createHash('sha256').update(body).digest('hex');
    const held = await fill(body, gasFields);
    const other = await fill(body, { ...gasFields, callGasLimit: '0x65' });
    expect(other.body.activity?.id).toBe(held.body.activity?.id);
    await enclave.restart();
    const parameters = { fingerprint: `sha256:${digest}` };
    const approved = resultOf(await submit(enclave.wire, key, 'approve_activity', 'APPROVE_ACTIVITY', parameters));
    expect(approved.userOperation).toMatchObject({ callGasLimit: '0x64' });
  });

  /** A second root user, without whom nothing is done any more. */
  async function rootKey(): Promise<Caller> {
    const key = generateApiKey();
    const users = [
      {
        userName: 'second',
        apiKeys: [{ apiKeyName: 'key', publicKey: key.publicKey }],
        authenticators: [],
        userTags: [],
      },
    ];
    const { userIds } = resultOf(
      await submit(enclave.wire, owner.byPasskey, 'create_users', 'CREATE_USERS_V2', { users }),
    ) as { userIds: [string] };
    resultOf(
      await submit(enclave.wire, owner.byPasskey, 'update_root_quorum', 'UPDATE_ROOT_QUORUM', {
        threshold: 2,
        userIds: [owner.userId, ...userIds],
      }),
    );
    return { organizationId: owner.organizationId, stamp: (body) => makeApiKeyStamp(body, key) };
  }
});

describe('bad input is refused with the place where it is', () => {
  const deep = (levels: number): object => (levels === 0 ? {} : { deeper: deep(levels - 1) });
  const fields = [
    'sender',
    'nonce',
    'factory',
    'factoryData',
    'callData',
    'callGasLimit',
    'paymaster',
    'paymasterData',
  ];
  const wrong = [true, 1.5, -1, {}, [], [{}], { toString: 1 }, 'x', '0xzz', '', deep(8), 'f'.repeat(100_000)];

  test.each(fields)('%s', async (name) => {
    for (const value of wrong) {
      // A flag or an address is what a factory may be, and a short number is a nonce.
      const answer = await ask(asked(execute(nft), { ...sponsoredBy(name), [name]: value }));
      expect(answer.status, JSON.stringify(value).slice(0, 60)).toBe(400);
      expect(JSON.stringify(answer.body.details)).toContain('parameters.userOperation');
    }
  });
  const sponsoredBy = (name: string) => (name === 'paymasterData' ? { paymaster: sponsor } : {});

  test('an operation, an authorization and limits that are none', async () => {
    const auths = [1, 'x', [], {}, { chainId: {}, address: {}, nonce: {} }, { chainId: '0x1', address: simple7702 }];
    for (const eip7702Auth of auths) expect(await statusOf(asked(execute(nft), { eip7702Auth }))).toBe(400);
    for (const userOperation of [1, 'x', [], [[]], null, {}, deep(20)]) {
      expect(await statusOf(asked(execute(nft), {}, { userOperation }))).toBe(400);
    }
    for (const chainId of ['0', '-1', '0x1', '1e3', 1, {}, '9'.repeat(40)]) {
      expect(await statusOf(asked(execute(nft), {}, { chainId }))).toBe(400);
    }
    for (const name of ['toString', 'initCode', 'x'.repeat(10_000)]) {
      const body = JSON.stringify(asked(execute(nft))).replace('"sender"', `"${name}":"0x","sender"`);
      expect([400], name).toContain(await statusOf(JSON.parse(body)));
    }
  });

  test('more data than an operation may have, and deep nesting', async () => {
    expect(await statusOf(asked(`0x${'00'.repeat(131_073)}`))).toBe(400);
    expect(await statusOf(asked(`0x${'00'.repeat(131_073)}`, { sender: {} }))).toBe(400);
    expect(await statusOf(asked(execute(nft), { sender: deep(40) }))).toBe(400);
    const calls = Array.from({ length: 300 }, () => ({ target: nft, value: 0n, data: '0x' as Hex }));
    expect(await statusOf(asked(batch(...calls)))).toBe(200);
    await policy('EFFECT_GUARD', 'userop.opaque');
    expect(await statusOf(asked(batch(...calls)))).toBe(403);
  });

  test('typed data whose types make objects of what has to be an address', async () => {
    const object = [{ name: 'x', type: 'bool' }];
    const domain = ['name:string', 'verifyingContract:Thing'].map((field) => {
      const [name, type] = field.split(':');
      return { name, type };
    });
    const asDomain = {
      ...typedOperation(execute(nft), {}, {}, { Thing: object, EIP712Domain: domain }),
      domain: { name: 'ERC4337', verifyingContract: { x: true } },
    };
    const asSender = typedOperation(
      execute(nft),
      { sender: { x: true } },
      {},
      {
        Thing: object,
        PackedUserOperation: packedFields.map((field) =>
          field.name === 'sender' ? { name: 'sender', type: 'Thing' } : field,
        ),
      },
    );
    for (const payload of [asDomain, asSender]) expect([400, 403]).toContain((await raw(typedData(payload))).status);
  });
});
