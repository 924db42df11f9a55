/**
 * The pitfalls of account abstraction by number and rule, as far as they take an enclave to show (others are among the unit
 * tests of src/decode/user-operation): docs/account-abstraction.md lists them all with the tests that hold them.
 */
import { randomBytes } from 'node:crypto';
import { concat, encodeFunctionData, encodePacked, erc20Abi, type Hex, parseAbi, recoverAddress, toHex } from 'viem';
import {
  entryPoint06Address,
  entryPoint07Address,
  entryPoint08Address,
  entryPoint09Address,
} from 'viem/account-abstraction';
import { describe, expect, test } from 'vitest';
import { templates } from '../../src/policy/templates.ts';
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
import { activityBody, type Caller, resultOf, submit } from '../support/wire.ts';

useSmartAccount();
const agent = () => addUser(enclave.wire, owner.byPasskey, 'agent');

/** The policies of a template, whose examples of a delegate and a paymaster are those of these tests. */
async function adopt(name: string): Promise<void> {
  const template = templates[name] as unknown as { file: { policies: { effect: string; condition: string }[] } };
  for (const { effect, condition } of template.file.policies) await policy(effect, condition);
}

type Signed = {
  readonly userOpHash: Hex;
  readonly signature: Hex;
  readonly userOperation: { readonly eip7702Auth?: Readonly<Record<'yParity' | 'r' | 's', Hex>> };
};
const signed = async (parameters: object) => resultOf(await ask(parameters)) as unknown as Signed;
const halfOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n / 2n;

const signPayload = (payload: string, encoding = 'HEXADECIMAL', caller: Caller = owner.byPasskey) =>
  submit(enclave.wire, caller, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
    signWith: sender,
    payload,
    encoding: `PAYLOAD_ENCODING_${encoding}`,
    hashFunction: 'HASH_FUNCTION_NO_OP',
  });
const signTypedData = (document: object, caller?: Caller) => signPayload(JSON.stringify(document), 'EIP712', caller);

/** Pins an account of another kind; its operations have no factory. */
const modular = `0x${'11'.repeat(20)}` as Hex;
async function pin(accountKind: string, entryPoint: Hex, more: object = {}): Promise<void> {
  resultOf(
    await submit(enclave.wire, owner.byPasskey, 'create_smart_account', 'CREATE_SMART_ACCOUNT', {
      smartAccountName: accountKind,
      address: modular,
      signWith: sender,
      accountKind,
      entryPoint,
      ...more,
    }),
  );
}
const ofModular = (entryPoint: Hex, callData: Hex, more: object = {}, parameters: object = {}) =>
  asked(callData, { sender: modular, factory: undefined, ...more }, { entryPoint, delegate: undefined, ...parameters });
const modularAbi = parseAbi(['function execute(bytes32 mode, bytes data)']);
const execution = (mode: string, data: Hex) =>
  encodeFunctionData({ abi: modularAbi, args: [`0x${mode.padEnd(64, '0')}`, data] });
const packed = (to: Hex, data: Hex = '0x1249c58b') => encodePacked(['address', 'uint256', 'bytes'], [to, 0n, data]);

describe('what is signed holds nowhere else', () => {
  test('3, 16. replay across chains, EntryPoints and accounts: another hash for each, and a signature of one is none of another', async () => {
    const given = { nonce: '0x7' };
    const all = [
      await signed(asked(execute(nft), given)),
      await signed(asked(execute(nft), given, { chainId: '10' })),
      await signed(asked(execute(nft), given, { entryPoint: entryPoint09Address })),
      await signed(asked(execute(nft), { nonce: '0x8' })),
    ];
    expect(new Set(all.map(({ userOpHash }) => userOpHash)).size).toBe(all.length);
    for (const { userOpHash } of all) {
      const signers = await Promise.all(all.map(({ signature }) => recoverAddress({ hash: userOpHash, signature })));
      expect(signers.filter((each) => each === sender)).toHaveLength(1);
    }
  });

  test('3. a pinned account has its operations signed for its chains and its EntryPoint alone', async () => {
    await pin('kernel-3', entryPoint07Address, { chainIds: ['1'] });
    const call = execution('00', packed(nft));
    expect(await statusOf(ofModular(entryPoint07Address, call))).toBe(200);
    expect(await statusOf(ofModular(entryPoint07Address, call, {}, { chainId: '10' }))).toBe(400);
    expect(await statusOf(ofModular(entryPoint08Address, call))).toBe(404);
  });

  test('16. replay of a stamp: the same body is the same activity, and there is no second signature of it', async () => {
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_USER_OPERATION', asked(execute(nft)));
    const stamp = owner.byPasskey.stamp(body);
    const request = { kind: 'submit', name: 'sign_user_operation', body, stamp } as const;
    const [first, again] = [await enclave.wire(request), await enclave.wire(request)];
    expect(first.status).toBe(200);
    expect(again.body.activity?.id).toBe(first.body.activity?.id);
    expect(resultOf(again)).toEqual(resultOf(first));
  });

  test('16. how long a Safe’s signature holds is a fact, which a policy can cap', async () => {
    await pin('safe-4337', entryPoint07Address);
    await policy(
      'EFFECT_GUARD',
      '!has(userop.valid_until) || userop.valid_until == 0 || userop.valid_until > 2000000000',
    );
    const abi = parseAbi(['function executeUserOp(address to, uint256 value, bytes data, uint8 operation)']);
    const call = encodeFunctionData({ abi, args: [nft, 0n, '0x1249c58b', 0] });
    expect(await statusOf(ofModular(entryPoint07Address, call))).toBe(403);
    expect(await statusOf(ofModular(entryPoint07Address, call, {}, { validUntil: '2000000001' }))).toBe(403);
    expect(await statusOf(ofModular(entryPoint07Address, call, {}, { validUntil: '1999999999' }))).toBe(200);
  });

  test('18. signatures have a low s, 19. yParity is 0 or 1, and v is 27 or 28', async () => {
    for (let index = 0; index < 8; index++) {
      const eip7702Auth = { chainId: '0x1', address: simple7702, nonce: toHex(index) };
      const { signature, userOperation } = await signed(asked(execute(nft), { eip7702Auth }));
      expect(BigInt(`0x${signature.slice(66, 130)}`) <= halfOrder).toBe(true);
      expect(['1b', '1c']).toContain(signature.slice(130));
      expect(BigInt(userOperation.eip7702Auth?.s ?? -1) <= halfOrder).toBe(true);
      expect(['0x0', '0x1']).toContain(userOperation.eip7702Auth?.yParity);
    }
  });

  test('17. each kind has one encoding of the digest, whatever the caller would like', async () => {
    await pin('simple-0.7', entryPoint07Address);
    const { userOpHash, signature } = await signed(ofModular(entryPoint07Address, execute(nft)));
    expect(await recoverAddress({ hash: userOpHash, signature })).not.toBe(sender);
    expect(await statusOf(ofModular(entryPoint07Address, execute(nft), {}, { hashFunction: 'NO_OP' }))).toBe(400);
  });

  test('22. operations of Coinbase Smart Wallet for every chain are signed by nobody', async () => {
    await pin('coinbase', entryPoint06Address);
    const abi = parseAbi(['function executeWithoutChainIdValidation(bytes[] calls)']);
    const everywhere = encodeFunctionData({ abi, args: [['0x12345678']] });
    const nonce = toHex(8453n << 64n);
    expect(await statusOf(ofModular(entryPoint06Address, execute(nft)))).toBe(200);
    expect(await statusOf(ofModular(entryPoint06Address, everywhere, { nonce }))).toBe(400);
    expect(await statusOf(ofModular(entryPoint06Address, execute(nft), { nonce }))).toBe(400);
  });
});

describe('the templates for smart accounts bind the owner as well', () => {
  test.each<[string, () => Hex]>([
    ['8. a delegatecall', () => execution('ff', encodePacked(['address', 'bytes'], [thief, '0x1249c58b']))],
    ['9. calls that go on where one fails', () => execution('0001', packed(nft))],
    ['14. a module that is installed', () => execution('00', packed(modular, '0x9517e29f'))],
  ])('no-opaque-operations: not %s', async (_, callData) => {
    await pin('kernel-3', entryPoint07Address);
    await adopt('no-opaque-operations');
    expect(await statusOf(ofModular(entryPoint07Address, execution('00', packed(nft))))).toBe(200);
    expect(await statusOf(ofModular(entryPoint07Address, callData()))).toBe(403);
  });

  test('no-opaque-operations: 10. not a nonce that installs a plugin', async () => {
    await pin('kernel-3', entryPoint07Address);
    await adopt('no-opaque-operations');
    const enable = `0x01${'00'.repeat(31)}`;
    expect(await statusOf(ofModular(entryPoint07Address, execution('00', packed(nft)), { nonce: enable }))).toBe(403);
  });

  test('no-opaque-operations: 11. not what installs code from beside the operation', async () => {
    await adopt('no-opaque-operations');
    const domain = { name: 'Nexus', version: '1', chainId: 1, verifyingContract: modular };
    const enable = {
      domain,
      primaryType: 'ModuleEnableMode',
      types: {
        ModuleEnableMode: [
          { name: 'module', type: 'address' },
          { name: 'moduleType', type: 'uint256' },
          { name: 'userOpHash', type: 'bytes32' },
          { name: 'initData', type: 'bytes' },
        ],
      },
      message: { module: thief, moduleType: 1, userOpHash: `0x${'00'.repeat(32)}`, initData: '0x' },
    };
    expect((await signTypedData(enable)).status).toBe(403);
    const kernel = {
      domain: { ...domain, name: 'Kernel' },
      primaryType: 'Enable',
      types: {
        Enable: [
          { name: 'validationId', type: 'bytes21' },
          { name: 'nonce', type: 'uint32' },
          { name: 'hook', type: 'address' },
          { name: 'validatorData', type: 'bytes' },
          { name: 'hookData', type: 'bytes' },
          { name: 'selectorData', type: 'bytes' },
        ],
      },
      message: {
        validationId: `0x${'01'.repeat(21)}`,
        nonce: 1,
        hook: thief,
        validatorData: '0x',
        hookData: '0x',
        selectorData: '0x',
      },
    };
    expect((await signTypedData(kernel)).status).toBe(403);
    const types = { Vote: [{ name: 'choice', type: 'uint256' }] };
    expect((await signTypedData({ domain, primaryType: 'Vote', types, message: { choice: 1 } })).status).toBe(200);
  });

  test('no-opaque-operations: 1. no bare digest, 22. no code for every chain and none that is not known, by any door', async () => {
    await adopt('no-opaque-operations');
    const authorization = (address: Hex, chainId: string) =>
      signPayload(JSON.stringify({ address, chainId, nonce: '0' }), 'EIP7702_AUTHORIZATION');
    expect((await authorization(simple7702, '1')).status).toBe(200);
    expect((await authorization(thief, '1')).status).toBe(403);
    expect((await authorization(simple7702, '0')).status).toBe(403);
    // The same with its own bytes: 0x05 and the list of chain, address and nonce.
    const bytes = concat(['0x05', '0xd7', '0x01', '0x94', thief, '0x80']).slice(2);
    const byHand = { ...signing(sender, bytes), hashFunction: 'HASH_FUNCTION_KECCAK256' };
    const raw = await submit(enclave.wire, owner.byPasskey, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', byHand);
    expect(raw.status).toBe(403);
    expect((await signPayload(randomBytes(32).toString('hex'))).status).toBe(403);
  });

  test('listed-paymaster: 6. none whose signature comes later, 7. none that can take tokens', async () => {
    await adopt('listed-paymaster');
    const by = (paymaster: Hex, more: object = {}) => ({ paymaster, paymasterData: '0xabcd', ...more });
    expect(await statusOf(asked(execute(nft), by(sponsor)))).toBe(200);
    expect(await statusOf(asked(execute(nft)))).toBe(403);
    expect(await statusOf(asked(execute(nft), by(thief)))).toBe(403);
    const later = asked(execute(nft), by(sponsor, { paymasterSignature: '0x' }), { entryPoint: entryPoint09Address });
    expect(await statusOf(later)).toBe(403);
    const approve = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [sponsor, 1n] });
    expect(await statusOf(asked(execute(nft, 0n, approve), by(sponsor)))).toBe(403);
    const calls = [nft, nft].map((target) => ({ target, value: 0n, data: approve }));
    expect(await statusOf(asked(batch(...calls), by(sponsor)))).toBe(403);
  });
});

describe('an agent who may have one account call one contract', () => {
  test('15. does not reach another by a router, 21. nor by the case of letters', async () => {
    const caller = await agent();
    const multicall = '0xcA11bde05977b3631167028862bE2a173976CA11';
    const isListed = `userop.calls.all(c, c.to in [address('${nft}'), address('${multicall}')])`;
    await policy('EFFECT_ALLOW', `userop.chain_id == 1 && !userop.opaque && userop.total_value == 0 && ${isListed}`);
    const abi = parseAbi([
      'struct Call3 { address target; bool allowFailure; bytes callData; }',
      'function aggregate3(Call3[] calls)',
    ]);
    const routed = (target: Hex) =>
      execute(
        multicall,
        0n,
        encodeFunctionData({ abi, args: [[{ target, allowFailure: false, callData: '0x1249c58b' }]] }),
      );
    expect(await statusOf(asked(routed(nft)), caller)).toBe(200);
    expect(await statusOf(asked(routed(thief)), caller)).toBe(403);
    const shouted = `0x${simple7702.slice(2).toUpperCase()}` as Hex;
    expect(await statusOf(asked(execute(nft), {}, { delegate: shouted }), caller)).toBe(200);
    const mistyped = simple7702.replace('Cae', 'cAe') as Hex;
    expect(await statusOf(asked(execute(nft), { paymaster: mistyped }), caller)).toBe(400);
  });

  test('20. does not get a message for the account of somebody else with the same owner (ERC-7739)', async () => {
    const caller = await agent();
    await policy(
      'EFFECT_ALLOW',
      `eth.eip_712.known.kind == 'erc7739_typed_data' && has(eth.eip_712.known.owner) && eth.eip_712.known.owner == address('${modular}')`,
    );
    const wrapped = (account: Hex) => ({
      domain: { name: 'App', version: '1', chainId: 1, verifyingContract: nft },
      primaryType: 'TypedDataSign',
      types: {
        TypedDataSign: [
          { name: 'contents', type: 'Order' },
          { name: 'name', type: 'string' },
          { name: 'version', type: 'string' },
          { name: 'chainId', type: 'uint256' },
          { name: 'verifyingContract', type: 'address' },
          { name: 'salt', type: 'bytes32' },
        ],
        Order: [{ name: 'amount', type: 'uint256' }],
      },
      message: {
        contents: { amount: 1 },
        name: 'Account',
        version: '1',
        chainId: 1,
        verifyingContract: account,
        salt: `0x${'00'.repeat(32)}`,
      },
    });
    expect((await signTypedData(wrapped(modular), caller)).status).toBe(200);
    expect((await signTypedData(wrapped(thief), caller)).status).toBe(403);
  });
});
