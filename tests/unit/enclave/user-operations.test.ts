/** User operations on the whole enclave: what is signed, what is pinned, and what a stamped intent allows to be filled in. */
import { randomBytes } from 'node:crypto';
import { encodeFunctionData, parseAbi, recoverAddress, recoverMessageAddress, zeroHash } from 'viem';
import {
  entryPoint07Address,
  entryPoint08Address,
  getUserOperationHash,
  getUserOperationTypedData,
} from 'viem/account-abstraction';
import { recoverAuthorizationAddress } from 'viem/utils';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { createResident, type Resident, signing } from '../../support/resident.ts';
import { activityBody, type Caller, query, reasonOf, resultOf, submit, type WireAnswer } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterAll(() => enclave.remove());

let owner: Resident;
let address: `0x${string}`;
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, randomBytes(4).toString('hex'));
  address = owner.addresses[0] as `0x${string}`;
});

const simple7702 = '0xe6Cae83BdE06E4c305530e199D7217f42808555B';
const nft = '0x2222222222222222222222222222222222222222';
const paymaster = '0x3333333333333333333333333333333333333333';
const account7702 = parseAbi(['function execute(address target, uint256 value, bytes data)']);
const mint = (value = 0n, target: `0x${string}` = nft) =>
  encodeFunctionData({ abi: account7702, functionName: 'execute', args: [target, value, '0x1249c58b'] });

const gas = {
  callGasLimit: '0x186a0',
  verificationGasLimit: '0x30d40',
  preVerificationGas: '0xc350',
  maxFeePerGas: '0x77359400',
  maxPriorityFeePerGas: '0x3b9aca00',
};
const sponsor = {
  paymaster,
  paymasterVerificationGasLimit: '0x7530',
  paymasterPostOpGasLimit: '0x9c40',
  paymasterData: '0xabcd',
};
const eip7702Auth = { chainId: '0x7a69', address: simple7702, nonce: '0x0' };
/** (100,000 + 200,000 + 50,000 + 30,000 + 40,000) gas at 2 gwei. */
const maxCost = 420_000n * 2_000_000_000n;

const bare = (callData = mint()) => ({
  sender: address,
  nonce: '0x7',
  factory: '0x7702',
  factoryData: '0x',
  callData,
  eip7702Auth,
});
const operation = (more: object = {}) => ({ ...bare(), ...gas, ...sponsor, ...more });
const asked = (more: object = {}) => ({
  signWith: address,
  chainId: '31337',
  entryPoint: entryPoint08Address,
  userOperation: operation(),
  ...more,
});
const signOperation = (parameters: object = asked(), caller: Caller = owner.byPasskey) =>
  submit(enclave.wire, caller, 'sign_user_operation', 'SIGN_USER_OPERATION', parameters);

type Signed = {
  readonly userOpHash: `0x${string}`;
  readonly signature: `0x${string}`;
  readonly userOperation: Readonly<Record<string, unknown>> & {
    readonly eip7702Auth: Readonly<Record<'r' | 's' | 'yParity', `0x${string}`>>;
  };
  readonly decoded: object;
};
const signedOf = (answer: WireAnswer) => resultOf(answer) as unknown as Signed;

/** As viem hashes what the enclave gives back. */
const hashByViem = (userOperation: object, version: '0.7' | '0.8' = '0.8') => {
  const { eip7702Auth: auth, ...given } = userOperation as Record<string, never>;
  const numbers = ['nonce', ...Object.keys(gas), 'paymasterVerificationGasLimit', 'paymasterPostOpGasLimit'];
  const read = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, numbers.includes(name) ? BigInt(value) : value]),
  );
  return getUserOperationHash({
    chainId: 31_337,
    entryPointAddress: version === '0.8' ? entryPoint08Address : entryPoint07Address,
    entryPointVersion: version,
    userOperation: { ...read, ...((auth as unknown) ? { authorization: { address: simple7702 } } : {}) } as never,
  });
};

describe('an operation of the signing address (EIP-7702)', () => {
  test('is hashed by the enclave, signed, and comes back ready to be sent with its authorization', async () => {
    const result = signedOf(await signOperation());
    expect(result.userOpHash).toBe(hashByViem(result.userOperation));
    expect(await recoverAddress({ hash: result.userOpHash, signature: result.signature })).toBe(address);
    const auth = result.userOperation.eip7702Auth;
    const authorization = { chainId: 31_337, address: simple7702, nonce: 0 } as const;
    const signature = { r: auth.r, s: auth.s, yParity: Number(auth.yParity) };
    expect(await recoverAuthorizationAddress({ authorization, signature })).toBe(address);
    expect(result.decoded).toMatchObject({
      calls: [{ to: nft, value: '0', data: '0x1249c58b', depth: 0 }],
      opaque: false,
      paymaster,
      maxCost: String(maxCost),
    });
  });

  test.each([
    ['does not bind its code', { factory: undefined, eip7702Auth: undefined }],
    ['runs unknown code', { eip7702Auth: { ...eip7702Auth, address: nft } }],
    ['authorizes its code on every chain', { eip7702Auth: { ...eip7702Auth, chainId: '0x0' } }],
    ['is deployed by a factory', { factory: nft, eip7702Auth: undefined }],
    ['is of another sender', { sender: nft }],
  ])('is refused when it %s', async (_, more) => {
    const answer = await signOperation(asked({ userOperation: operation(more) }));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  test('is refused for an EntryPoint that nobody knows', async () => {
    expect((await signOperation(asked({ entryPoint: nft }))).status).toBe(400);
  });
});

describe('a pinned smart account', () => {
  const sender = '0x1111111111111111111111111111111111111111';
  const pin = (more: object = {}) =>
    submit(enclave.wire, owner.byPasskey, 'create_smart_account', 'CREATE_SMART_ACCOUNT', {
      smartAccountName: 'simple',
      address: sender,
      signWith: address,
      accountKind: 'simple-0.7',
      entryPoint: entryPoint07Address,
      chainIds: ['31337'],
      ...more,
    });
  const ofSender = (more: object = {}) => {
    const { factory: _, factoryData: __, eip7702Auth: ___, ...rest } = operation();
    return asked({ entryPoint: entryPoint07Address, userOperation: { ...rest, sender, ...more } });
  };

  test('has its operations signed as its kind wants it, and is listed', async () => {
    const { smartAccountId } = resultOf(await pin());
    const result = signedOf(await signOperation(ofSender()));
    expect(result.userOpHash).toBe(hashByViem(result.userOperation, '0.7'));
    const message = { raw: result.userOpHash };
    expect(await recoverMessageAddress({ message, signature: result.signature })).toBe(address);
    const { body } = await query(enclave.wire, owner.byPasskey, 'list_smart_accounts');
    expect(body.smartAccounts).toMatchObject([{ smartAccountId, address: sender, accountKind: 'simple-0.7' }]);
  });

  test('that is not pinned has nothing signed', async () => {
    expect((await signOperation(ofSender())).status).toBe(404);
  });

  test('is bound to its chains, its EntryPoint, its key and the one way to deploy it', async () => {
    resultOf(await pin({ factory: nft, factoryData: '0x01' }));
    const refused = [
      { ...ofSender(), chainId: '1' },
      { ...ofSender(), entryPoint: entryPoint08Address },
      { ...ofSender(), signWith: owner.addresses[1] },
      ofSender({ factory: nft, factoryData: '0x02' }),
      ofSender({ factory: paymaster, factoryData: '0x01' }),
    ];
    for (const parameters of refused) expect([400, 404]).toContain((await signOperation(parameters)).status);
    resultOf(await signOperation(ofSender({ factory: nft, factoryData: '0x01' })));
  });

  test('goes with its key', async () => {
    resultOf(await pin());
    resultOf(
      await submit(enclave.wire, owner.byPasskey, 'delete_wallets', 'DELETE_WALLETS', {
        walletIds: [owner.walletId],
        deleteWithoutExport: true,
      }),
    );
    const { body } = await query(enclave.wire, owner.byPasskey, 'list_smart_accounts');
    expect(body.smartAccounts).toEqual([]);
  });

  test('closes the other doors to its digest, unless a policy opens them', async () => {
    const digest = () =>
      submit(enclave.wire, owner.byPasskey, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', signing(address));
    resultOf(await digest());
    resultOf(await pin());
    expect((await digest()).status).toBe(403);
    resultOf(
      await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
        policyName: 'blind',
        effect: 'EFFECT_ALLOW',
        condition: 'payload.blind',
        consensus: 'true',
        notes: '',
      }),
    );
    resultOf(await digest());
  });
});

describe('typed data of an operation', () => {
  const typed = (callData: `0x${string}`) => {
    const { domain, types, primaryType, message } = getUserOperationTypedData({
      chainId: 31_337,
      entryPointAddress: entryPoint08Address,
      userOperation: {
        sender: address,
        nonce: 7n,
        factory: '0x7702',
        factoryData: '0x',
        callData,
        callGasLimit: 1n,
        verificationGasLimit: 2n,
        preVerificationGas: 3n,
        maxFeePerGas: 4n,
        maxPriorityFeePerGas: 5n,
        authorization: { address: simple7702 },
        signature: '0x',
      } as never,
    });
    const payload = JSON.stringify({ domain, types, primaryType, message }, (_, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    return submit(enclave.wire, owner.byPasskey, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
      signWith: address,
      payload,
      encoding: 'PAYLOAD_ENCODING_EIP712',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    });
  };

  test('are one to guards as well', async () => {
    resultOf(
      await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
        policyName: 'no ether',
        effect: 'EFFECT_GUARD',
        condition: 'userop.total_value > 0',
        notes: '',
        language: 'cel',
      }),
    );
    resultOf(await typed(mint()));
    expect((await typed(mint(1n))).status).toBe(403);
  });

  test('that cannot be read as one are signed by nobody, root users included', async () => {
    const payload = {
      domain: { name: 'ERC4337', version: '1', chainId: 1, verifyingContract: entryPoint08Address },
      types: { PackedUserOperation: [{ name: 'hidden', type: 'bytes32' }] },
      primaryType: 'PackedUserOperation',
      message: { hidden: zeroHash },
    };
    const answer = await submit(enclave.wire, owner.byPasskey, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
      signWith: address,
      payload: JSON.stringify(payload),
      encoding: 'PAYLOAD_ENCODING_EIP712',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    });
    expect(answer.status).toBe(403);
  });
});

describe('a stamped intent', () => {
  const intent = (limits: object = {}, userOperation: object = bare()) => ({
    ...asked({ userOperation }),
    limits: {
      maxCost: String(maxCost),
      validUntil: String(Math.floor(Date.now() / 1000) + 600),
      paymasters: [paymaster],
      ...limits,
    },
  });
  const complete = (body: string, completion: object | undefined) =>
    enclave.wire({
      kind: 'submit',
      name: 'sign_user_operation_intent',
      body,
      stamp: owner.byPasskey.stamp(body),
      ...(completion && { completion: Buffer.from(JSON.stringify(completion)).toString('base64url') }),
    });
  const stamped = (parameters: object) =>
    activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_USER_OPERATION_INTENT', parameters);

  test('is signed with the gas and the paymaster that were filled in, within its limits', async () => {
    const result = signedOf(await complete(stamped(intent()), { ...gas, ...sponsor }));
    expect(result.userOpHash).toBe(hashByViem(result.userOperation));
    expect(await recoverAddress({ hash: result.userOpHash, signature: result.signature })).toBe(address);
  });

  test('may be filled in again, with other fees, and gives the same for the same', async () => {
    const body = stamped(intent());
    const first = await complete(body, { ...gas, ...sponsor });
    const cheaper = await complete(body, { ...gas, ...sponsor, maxFeePerGas: '0x3b9aca00' });
    expect(resultOf(cheaper).userOpHash).not.toBe(resultOf(first).userOpHash);
    const again = await complete(body, { ...gas, ...sponsor });
    expect(again.body.activity?.id).toBe(first.body.activity?.id);
  });

  test.each([
    ['costs 1 wei more', { maxCost: String(maxCost - 1n) }, {}],
    ['comes too late', { validUntil: '1' }, {}],
    ['has another paymaster', { paymasters: [nft] }, {}],
    ['has a paymaster where none was stamped', { paymasters: [] }, {}],
    ['changes what was stamped', {}, { callData: mint(1n) }],
    ['changes the nonce', {}, { nonce: '0x8' }],
    ['adds a factory', {}, { factory: nft }],
  ])('is refused when the operation %s', async (_, limits, more) => {
    const answer = await complete(stamped(intent(limits)), { ...gas, ...sponsor, ...more });
    expect(answer.status).toBe(400);
    expect(reasonOf(answer)).not.toMatch(/internal/i);
  });

  test('is refused without what has to be filled in, and with what is no JSON', async () => {
    expect((await complete(stamped(intent()), undefined)).status).toBe(400);
    const body = stamped(intent());
    const stamp = owner.byPasskey.stamp(body);
    for (const completion of ['e30', '%', 'bm8', 'W10']) {
      const request = { kind: 'submit', name: 'sign_user_operation_intent', body, stamp, completion } as const;
      expect((await enclave.wire(request)).status).toBe(400);
    }
  });
});
