import { encodeFunctionData, erc20Abi, maxUint256 } from 'viem';
import { describe, expect, it } from 'vitest';
import { typedDataFacts } from '../../../../src/decode/facts/typed-data-facts.ts';
import { hashTypedData } from '../../../../src/decode/typed-data.ts';
import { thrownBy } from '../thrown-by.ts';

const [me, token, friend, other] = ['a', 'b', 'c', 'd'].map((digit) => `0x${digit.repeat(40)}`) as [
  string,
  string,
  string,
  string,
];
const permit2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3';
const zero = `0x${'0'.repeat(40)}`;

type Document = { domain?: object; types: object; primaryType: string; message?: unknown };

/** The facts, of a document that can be signed. */
const read = (document: Document) => {
  const text = JSON.stringify(document);
  expect(hashTypedData(text)).toHaveLength(32);
  return typedDataFacts(text, me, () => undefined);
};
/** `types` of EIP-712 from its `encodeType` notation. */
const typesOf = (...structs: string[]) =>
  Object.fromEntries(
    structs.map((text) => {
      const [, name, members] = /^(\w+)\((.*)\)$/.exec(text) as RegExpExecArray as unknown as [string, string, string];
      const fields = members.split(',').map((member) => member.split(' '));
      return [name, fields.map(([type, field]) => ({ type, name: field }))];
    }),
  );
const domain = { name: 'USD Coin', version: '2', chainId: 1, verifyingContract: token };

describe('typedDataFacts', () => {
  const order = {
    domain,
    types: typesOf(
      'Order(Item[] items,uint256 amount,string memo,bool open)',
      'Item(address token,int8 delta,bytes data)',
    ),
    primaryType: 'Order',
    message: {
      items: [{ token: `0x${'B'.repeat(40)}`, delta: -5, data: '0xAB' }],
      amount: '100000000000000000000',
      memo: 'Hello',
      open: true,
    },
  };

  it('has the domain, and the message as submitted and by type', () => {
    const facts = read(order);
    expect(facts).toMatchObject({
      primary_type: 'Order',
      domain: { name: 'USD Coin', version: '2', chain_id: 1n, verifying_contract: token, salt: '' },
    });
    expect(facts.message).toEqual(
      new Map<string, unknown>([
        [
          'items',
          [
            new Map<string, unknown>([
              ['token', `0x${'B'.repeat(40)}`],
              ['delta', -5n],
              ['data', '0xAB'],
            ]),
          ],
        ],
        ['amount', '100000000000000000000'],
        ['memo', 'Hello'],
        ['open', true],
      ]),
    );
    expect(facts.values).toEqual(
      new Map<string, unknown>([
        [
          'items',
          [
            new Map<string, unknown>([
              ['token', token],
              ['delta', -5n],
              ['data', '0xab'],
            ]),
          ],
        ],
        ['amount', 10n ** 20n],
        ['memo', 'Hello'],
        ['open', true],
      ]),
    );
    expect(facts.known).toMatchObject({ kind: 'unknown', calls_complete: false, transfers: [], calls: [] });
  });

  it('leaves out what is not signed', () => {
    const facts = read({
      ...order,
      message: { ...order.message, limit: 1, items: [{ ...order.message.items[0], extra: 1 }] },
    });
    expect(facts.message.has('limit')).toBe(false);
    expect((facts.message.get('items') as Map<string, unknown>[])[0]?.has('extra')).toBe(false);
  });

  it('takes members with names of Object.prototype for members', () => {
    const types = typesOf('T(uint256 constructor,uint256 __proto__)');
    const text = `{"domain":{},"types":${JSON.stringify(types)},"primaryType":"T","message":{"constructor":1,"__proto__":2}}`;
    const facts = typedDataFacts(text, me, () => undefined);
    expect([...facts.message]).toEqual([
      ['constructor', 1n],
      ['__proto__', 2n],
    ]);
  });

  it('has empty members of a domain that has none of them', () => {
    const types = typesOf('T(bool a)');
    expect(read({ domain: {}, types, primaryType: 'T', message: { a: true } }).domain).toMatchObject({
      name: '',
      version: '',
      chain_id: 0n,
      verifying_contract: '',
      salt: '',
    });
  });

  it('does not take a member of a domain for what its type is not', () => {
    const types = { ...typesOf('T(bool a)', 'EIP712Domain(string verifyingContract,string chainId,uint256 name)') };
    const document = {
      domain: { verifyingContract: token, chainId: '1', name: 5 },
      types,
      primaryType: 'T',
      message: { a: true },
    };
    expect(read(document).domain).toMatchObject({ verifying_contract: '', chain_id: 0n, name: '' });
  });

  it('has no message where the domain alone is signed', () => {
    const facts = read({ domain, types: {}, primaryType: 'EIP712Domain' });
    expect([facts.primary_type, facts.message.size, facts.values.size]).toEqual(['EIP712Domain', 0, 0]);
  });

  it.each([
    ['a member that is missing', { ...order, message: { ...order.message, memo: undefined } }, /message.memo/],
    ['an integer out of range', { ...order, message: { ...order.message, amount: -1 } }, /out of the range/],
    ['a number that is no integer', { ...order, message: { ...order.message, amount: 1.5 } }, /integer/],
    ['a bad address in the domain', { ...order, domain: { ...domain, verifyingContract: '0x12' } }, /address/],
  ])('refuses %s, as signing it does', (_, document, message) => {
    const text = JSON.stringify(document);
    const error = thrownBy(() => typedDataFacts(text, me, () => undefined));
    expect(error.message).toMatch(message);
    expect(thrownBy(() => hashTypedData(text)).message).toBe(error.message);
  });
});

describe('known typed data', () => {
  const details = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)';
  const permissions = 'TokenPermissions(address token,uint256 amount)';
  const detail = { token, amount: '5', expiration: 9, nonce: 3 };
  const inPermit2 = { name: 'Permit2', chainId: 1, verifyingContract: permit2 };
  const viaPermit2 = { standard: 'Permit2', from: me, to: friend, amount: 5n, token };
  const authorization = 'address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce';
  const authorized = {
    from: other,
    to: friend,
    value: 5,
    validAfter: 1,
    validBefore: 9,
    nonce: `0x${'12'.repeat(32)}`,
  };

  it.each<[string, Document, object]>([
    [
      'permit',
      {
        domain,
        types: typesOf('Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)'),
        primaryType: 'Permit',
        message: { owner: other, spender: friend, value: '0x5', nonce: 3, deadline: 9 },
      },
      {
        owner: other,
        spender: friend,
        token,
        amount: 5n,
        nonce: 3n,
        deadline: 9n,
        transfers: [{ standard: 'ERC-20', kind: 'approval', token, from: other, to: friend, amount: 5n }],
      },
    ],
    [
      'dai_permit',
      {
        domain,
        types: typesOf('Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)'),
        primaryType: 'Permit',
        message: { holder: other, spender: friend, nonce: 3, expiry: 0, allowed: true },
      },
      { owner: other, token, amount: maxUint256, deadline: maxUint256, transfers: [{ kind: 'approval', to: friend }] },
    ],
    [
      'transfer_with_authorization',
      {
        domain,
        types: typesOf(`TransferWithAuthorization(${authorization})`),
        primaryType: 'TransferWithAuthorization',
        message: authorized,
      },
      {
        owner: other,
        spender: friend,
        token,
        amount: 5n,
        deadline: 9n,
        nonce: undefined,
        transfers: [{ kind: 'transfer' }],
      },
    ],
    [
      'receive_with_authorization',
      {
        domain,
        types: typesOf(`ReceiveWithAuthorization(${authorization})`),
        primaryType: 'ReceiveWithAuthorization',
        message: authorized,
      },
      { owner: other, transfers: [{ kind: 'transfer', from: other, to: friend, amount: 5n }] },
    ],
    [
      'permit2_single',
      {
        domain: inPermit2,
        types: typesOf('PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)', details),
        primaryType: 'PermitSingle',
        message: { details: detail, spender: friend, sigDeadline: 9 },
      },
      {
        owner: me,
        spender: friend,
        token,
        amount: 5n,
        nonce: 3n,
        deadline: 9n,
        transfers: [{ ...viaPermit2, kind: 'approval' }],
      },
    ],
    [
      'permit2_batch',
      {
        domain: inPermit2,
        types: typesOf('PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)', details),
        primaryType: 'PermitBatch',
        message: { details: [detail, { ...detail, token: other }], spender: friend, sigDeadline: 9 },
      },
      {
        owner: me,
        token: undefined,
        amount: undefined,
        deadline: 9n,
        transfers: [
          { ...viaPermit2, kind: 'approval' },
          { ...viaPermit2, kind: 'approval', token: other },
        ],
      },
    ],
    [
      'permit2_transfer',
      {
        domain: inPermit2,
        types: typesOf(
          'PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)',
          permissions,
        ),
        primaryType: 'PermitTransferFrom',
        message: { permitted: { token, amount: 5 }, spender: friend, nonce: 3, deadline: 9 },
      },
      { token, amount: 5n, nonce: 3n, deadline: 9n, transfers: [{ ...viaPermit2, kind: 'transfer' }] },
    ],
    [
      'permit2_batch_transfer',
      {
        domain: inPermit2,
        types: typesOf(
          'PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline)',
          permissions,
        ),
        primaryType: 'PermitBatchTransferFrom',
        message: { permitted: [{ token, amount: 5 }], spender: friend, nonce: 3, deadline: 9 },
      },
      { token: undefined, nonce: 3n, transfers: [{ ...viaPermit2, kind: 'transfer' }] },
    ],
  ])('%s', (kind, document, expected) => {
    const { known } = read(document);
    expect(known).toMatchObject({ kind, ...expected, calls: [], calls_complete: true });
    const elsewhere = { ...document, domain: { name: 'A', chainId: 1 } };
    expect(read(elsewhere).known).toMatchObject({ kind: 'unknown', calls_complete: false, transfers: [] });
  });

  const safeTypes = typesOf(
    'SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)',
  );
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [friend as `0x${string}`, 5n] });
  const safe = (message: object) =>
    read({
      domain: { chainId: 1, verifyingContract: other },
      types: safeTypes,
      primaryType: 'SafeTx',
      message: {
        to: token,
        value: 0,
        data,
        operation: 0,
        safeTxGas: 0,
        baseGas: 0,
        gasPrice: 0,
        gasToken: zero,
        refundReceiver: zero,
        nonce: 3,
        ...message,
      },
    }).known;

  it('safe_tx', () => {
    expect(safe({})).toMatchObject({
      kind: 'safe_tx',
      owner: other,
      nonce: 3n,
      calls: [{ depth: 0n, from: other, to: token, name: 'transfer' }],
      transfers: [{ standard: 'ERC-20', from: other, to: friend, amount: 5n }],
      calls_complete: true,
    });
    expect(safe({ data: '0xdeadbeef' }).calls_complete).toBe(false);
    expect(safe({ operation: 1 })).toMatchObject({ calls_complete: false, transfers: [] });
    expect(safe({ operation: 2 })).toMatchObject({ kind: 'safe_tx', calls_complete: false, calls: [] });
    expect(safe({ gasPrice: 1, gasToken: token }).transfers[0]).toMatchObject({
      standard: 'ERC-20',
      token,
      amount: maxUint256,
    });
  });

  it('shows no more transfers than of transactions, and says so', () => {
    const many = (length: number) =>
      typedDataFacts(
        JSON.stringify({
          domain: inPermit2,
          types: typesOf('PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)', details),
          primaryType: 'PermitBatch',
          message: { details: Array.from({ length }, () => detail), spender: friend, sigDeadline: 9 },
        }),
        me,
        () => undefined,
      ).known;
    expect(many(1_024)).toMatchObject({ kind: 'permit2_batch', calls_complete: true });
    const { calls_complete, transfers } = many(1_025);
    expect([calls_complete, transfers.length]).toEqual([false, 1_024]);
  });

  it('is not known by its name alone', () => {
    const { known } = read({
      domain,
      types: typesOf('Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline,bool more)'),
      primaryType: 'Permit',
      message: { owner: other, spender: friend, value: 5, nonce: 3, deadline: 9, more: true },
    });
    expect(known.kind).toBe('unknown');
  });
});
