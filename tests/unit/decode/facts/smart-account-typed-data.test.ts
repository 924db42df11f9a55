import { encodeFunctionData, erc20Abi, type Hex, toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { typedDataFacts } from '../../../../src/decode/facts/typed-data-facts.ts';
import { hashTypedData } from '../../../../src/decode/typed-data.ts';
import { safeOperationTypes } from '../../../../src/decode/user-operation/safe-operation.ts';

const [owner, account, token, friend] = ['a', 'b', 'c', 'd'].map((digit) => `0x${digit.repeat(40)}`) as [
  Hex,
  Hex,
  Hex,
  Hex,
];
const zero = `0x${'0'.repeat(64)}`;

type Document = { domain: object; types: object; primaryType: string; message: object };

const known = (document: Document) => {
  const text = JSON.stringify(document);
  expect(hashTypedData(text)).toHaveLength(32);
  return typedDataFacts(text, owner, () => undefined).known;
};

const typesOf = (...structs: string[]) =>
  Object.fromEntries(
    structs.map((text) => {
      const [, name, members] = /^(\w+)\((.*)\)$/.exec(text) as RegExpExecArray as unknown as [string, string, string];
      const fields = members.split(',').map((member) => member.split(' '));
      return [name, fields.map(([type, field]) => ({ type, name: field }))];
    }),
  );

const unseen = { calls: [], transfers: [], calls_complete: false };
const transfer = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [friend, 5n] });

describe('typed data of smart accounts', () => {
  it('a user operation', () => {
    const type =
      'PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)';
    const message = {
      sender: account,
      nonce: '7',
      initCode: '0x',
      callData: '0x',
      accountGasLimits: zero,
      preVerificationGas: 1,
      gasFees: zero,
      paymasterAndData: '0x',
    };
    const domain = {
      name: 'ERC4337',
      version: '1',
      chainId: 1,
      verifyingContract: '0x4337084d9e255ff0702461cf8895ce9e3b5ff108',
    };
    expect(known({ domain, types: typesOf(type), primaryType: 'PackedUserOperation', message })).toMatchObject({
      kind: 'user_operation',
      owner: account,
      nonce: 7n,
      ...unseen,
    });
  });

  it.each(['0.6', '0.7'] as const)('an operation of a Safe (EntryPoint %s), with its calls', (version) => {
    const message = {
      safe: account,
      nonce: 1,
      initCode: '0x',
      callData: encodeFunctionData({
        abi: [
          {
            type: 'function',
            name: 'executeUserOp',
            stateMutability: 'nonpayable',
            inputs: ['address', 'uint256', 'bytes', 'uint8'].map((type) => ({ type })),
            outputs: [],
          },
        ],
        args: [token, 0n, transfer, 0],
      }),
      verificationGasLimit: 1,
      callGasLimit: 1,
      preVerificationGas: 1,
      maxPriorityFeePerGas: 1,
      maxFeePerGas: 1,
      paymasterAndData: '0x',
      validAfter: 0,
      validUntil: 99,
      entryPoint: '0x0000000071727de22e5e9d8baf0edac6f37da032',
    };
    const types = typesOf(safeOperationTypes[version]);
    const domain = { chainId: 1, verifyingContract: '0x75cf11467937ce3f2f357ce24ffc3dbf8fd5c226' };
    expect(known({ domain, types, primaryType: 'SafeOp', message })).toMatchObject({
      kind: 'safe_operation',
      owner: account,
      nonce: 1n,
      deadline: 99n,
      calls: [{ from: account, to: token }],
      transfers: [{ token, from: account, to: friend, amount: 5n }],
      calls_complete: true,
    });
    const deploying = { ...message, initCode: `${friend}1234` };
    expect(known({ domain, types, primaryType: 'SafeOp', message: deploying }).calls_complete).toBe(false);
    const opaque = { ...message, callData: '0x12345678' };
    expect(known({ domain, types, primaryType: 'SafeOp', message: opaque }).calls_complete).toBe(false);
  });

  // Pitfall 11, signature-field payloads: a policy can deny them by kind.
  it.each([
    [
      'kernel_enable',
      'Enable(bytes21 validationId,uint32 nonce,address hook,bytes validatorData,bytes hookData,bytes selectorData)',
      {
        validationId: `0x${'01'.repeat(21)}`,
        nonce: 1,
        hook: friend,
        validatorData: '0x',
        hookData: '0x',
        selectorData: '0x',
      },
    ],
    [
      'nexus_module_enable',
      'ModuleEnableMode(address module,uint256 moduleType,bytes32 userOpHash,bytes initData)',
      { module: friend, moduleType: 1, userOpHash: zero, initData: '0x' },
    ],
    // Pitfall 20, same owner, many accounts: these bind a digest to one account, and tell no more of it.
    ['coinbase_message', 'CoinbaseSmartWalletMessage(bytes32 hash)', { hash: zero }],
    ['kernel_message', 'Kernel(bytes32 hash)', { hash: zero }],
  ])('%s', (kind, type, message) => {
    const primaryType = type.slice(0, type.indexOf('('));
    const domain = { name: 'Kernel', version: '0.3.1', chainId: 1, verifyingContract: account };
    expect(known({ domain, types: typesOf(type), primaryType, message })).toMatchObject({
      kind,
      owner: account,
      ...unseen,
    });
    expect(known({ domain: { name: 'Kernel' }, types: typesOf(type), primaryType, message }).kind).toBe('unknown');
  });
});

describe('ERC-7739: what is wrapped for an account is shown', () => {
  const wrapper = 'string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)';
  const permit = 'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)';
  const wrapped = (
    type: string,
    contents: object,
    domain: object = { name: 'USD Coin', chainId: 1, verifyingContract: token },
  ) => {
    const name = type.slice(0, type.indexOf('('));
    return {
      domain,
      types: typesOf(`TypedDataSign(${name} contents,${wrapper}`, type),
      primaryType: 'TypedDataSign',
      message: { contents, name: 'Nexus', version: '1', chainId: 1, verifyingContract: account, salt: zero },
    };
  };

  it('typed data of an application, as if the account signed them', () => {
    const contents = { owner: account, spender: friend, value: '5', nonce: 1, deadline: 99 };
    const facts = known(wrapped(permit, contents));
    expect(facts).toMatchObject({
      kind: 'erc7739_typed_data',
      owner: account,
      spender: friend,
      token,
      amount: 5n,
      deadline: 99n,
      transfers: [{ kind: 'approval', token, from: account, to: friend, amount: 5n }],
      calls_complete: true,
    });
    expect(facts.contents).toMatchObject({ kind: 'permit', primary_type: 'Permit', text: undefined });
    expect(facts.contents?.values.get('spender')).toBe(friend);
  });

  it('of Permit2 the assets are those of the account, not of the key', () => {
    const single = 'PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)';
    const document = wrapped(
      single,
      { permitted: { token, amount: 5 }, spender: friend, nonce: 1, deadline: 99 },
      { name: 'Permit2', chainId: 1, verifyingContract: '0x000000000022D473030F116dDEE9F6B43aC78BA3' },
    );
    const types = { ...document.types, ...typesOf('TokenPermissions(address token,uint256 amount)') };
    expect(known({ ...document, types })).toMatchObject({
      kind: 'erc7739_typed_data',
      transfers: [{ from: account, to: friend }],
    });
  });

  it('contents of an unknown type are shown, and what they allow is not known', () => {
    const facts = known(wrapped('Order(uint256 amount)', { amount: 7 }));
    expect(facts).toMatchObject({ kind: 'erc7739_typed_data', owner: account, calls_complete: false });
    expect(facts.contents).toMatchObject({ kind: 'unknown', primary_type: 'Order' });
    expect(facts.contents?.values.get('amount')).toBe(7n);
  });

  it('a struct of that name with other members is not one', () => {
    const document = wrapped(permit, { owner: account, spender: friend, value: 5, nonce: 1, deadline: 99 });
    const types = typesOf('TypedDataSign(Permit contents,string name,address verifyingContract)', permit);
    expect(known({ ...document, types })).toMatchObject({ kind: 'unknown', contents: undefined });
  });

  it('a personal message', () => {
    const personal = (prefixed: string) =>
      known({
        domain: { name: 'Nexus', version: '1', chainId: 1, verifyingContract: account },
        types: typesOf('PersonalSign(bytes prefixed)'),
        primaryType: 'PersonalSign',
        message: { prefixed: toHex(prefixed) },
      });
    expect(personal('\x19Ethereum Signed Message:\n5Hello')).toMatchObject({
      kind: 'erc7739_personal_sign',
      owner: account,
      contents: { kind: 'unknown', primary_type: '', text: 'Hello' },
      calls_complete: false,
    });
    expect(personal('\x19Ethereum Signed Message:\n6Hello').contents).toMatchObject({ text: undefined });
    expect(personal('Hello').contents).toMatchObject({ text: undefined });
  });
});
