import fc from 'fast-check';
import {
  type Abi,
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  encodePacked,
  erc20Abi,
  erc721Abi,
  type Hex,
  multicall3Abi,
  pad,
  parseAbi,
  toHex,
} from 'viem';
import { describe, expect, it } from 'vitest';
import type { CallSite } from '../../../../src/decode/facts/call.ts';
import { limits, readCall, readCalls } from '../../../../src/decode/facts/calls.ts';
import { parseContractInterface } from '../../../../src/decode/facts/contract-interface.ts';

const [me, token, friend, account, nft] = ['a', 'b', 'c', 'd', 'e'].map((digit) => `0x${digit.repeat(40)}`) as [
  Hex,
  Hex,
  Hex,
  Hex,
  Hex,
];
const zero = `0x${'0'.repeat(40)}` as Hex;
const maxUint256 = 2n ** 256n - 1n;

const site = (to: Hex, data: Hex, value = 0n): CallSite => ({ kind: 'call', from: me, to, value, data, self: to });
const none = () => undefined;
const read = (to: Hex, data: Hex, value = 0n) => readCalls([site(to, data, value)], none);
const encode = (abi: Abi | readonly unknown[], functionName: string, args: readonly unknown[]) =>
  encodeFunctionData({ abi: abi as Abi, functionName, args });

const transfer = (amount = 5n) => encode(erc20Abi, 'transfer', [friend, amount]);
const moved = { standard: 'ERC-20', kind: 'transfer', token, to: friend, amount: 5n, id: 0n };

const permit2 = parseAbi([
  'struct Details { address token; uint160 amount; uint48 expiration; uint48 nonce; }',
  'struct Single { Details details; address spender; uint256 sigDeadline; }',
  'struct Batch { Details[] details; address spender; uint256 sigDeadline; }',
  'struct Permission { address token; uint256 amount; }',
  'struct Permit { Permission permitted; uint256 nonce; uint256 deadline; }',
  'struct BatchPermit { Permission[] permitted; uint256 nonce; uint256 deadline; }',
  'struct Transfer { address to; uint256 requestedAmount; }',
  'function approve(address token, address spender, uint160 amount, uint48 expiration)',
  'function transferFrom(address from, address to, uint160 amount, address token)',
  'function permit(address owner, Single permitSingle, bytes signature)',
  'function permit(address owner, Batch permitBatch, bytes signature)',
  'function permitTransferFrom(Permit permit, Transfer transferDetails, address owner, bytes signature)',
  'function permitTransferFrom(BatchPermit permit, Transfer[] transferDetails, address owner, bytes signature)',
]);
const details = { token, amount: 5n, expiration: 9, nonce: 1 };

describe('what calls of tokens move', () => {
  const more = parseAbi([
    'function permit(address owner,address spender,uint256 value,uint256 deadline,uint8 v,bytes32 r,bytes32 s)',
    'function safeTransferFrom(address from,address to,uint256 id,uint256 amount,bytes data)',
    'function safeBatchTransferFrom(address from,address to,uint256[] ids,uint256[] amounts,bytes data)',
    'function deposit() payable',
  ]);
  const word = pad('0x1');
  const shared = { standard: 'ERC-20 or ERC-721', token, to: friend, amount: 5n, id: 5n };
  const viaPermit2 = { standard: 'Permit2', token, to: friend, amount: 5n, id: 0n };
  const cases: [string, Hex, object[]][] = [
    ['ERC-20 transfer', transfer(), [{ ...moved, from: me }]],
    ['approve', encode(erc20Abi, 'approve', [friend, 5n]), [{ ...shared, kind: 'approval', from: me }]],
    [
      'transferFrom',
      encode(erc20Abi, 'transferFrom', [account, friend, 5n]),
      [{ ...shared, kind: 'transfer', from: account }],
    ],
    [
      'permit',
      encode(more, 'permit', [account, friend, 5n, 9n, 27, word, word]),
      [{ ...moved, kind: 'approval', from: account }],
    ],
    [
      'setApprovalForAll',
      encode(erc721Abi, 'setApprovalForAll', [friend, true]),
      [
        {
          standard: 'ERC-721 or ERC-1155',
          kind: 'operator_approval',
          token,
          from: me,
          to: friend,
          amount: maxUint256,
          id: 0n,
        },
      ],
    ],
    [
      'ERC-721 safeTransferFrom',
      encode(erc721Abi, 'safeTransferFrom', [me, friend, 7n]),
      [{ ...moved, standard: 'ERC-721', from: me, amount: 1n, id: 7n }],
    ],
    [
      'ERC-1155 safeTransferFrom',
      encode(more, 'safeTransferFrom', [me, friend, 7n, 5n, '0x']),
      [{ ...moved, standard: 'ERC-1155', from: me, id: 7n }],
    ],
    [
      'ERC-1155 safeBatchTransferFrom',
      encode(more, 'safeBatchTransferFrom', [me, friend, [7n, 8n], [5n, 6n], '0x']),
      [
        { ...moved, standard: 'ERC-1155', from: me, id: 7n },
        { ...moved, standard: 'ERC-1155', from: me, id: 8n, amount: 6n },
      ],
    ],
    ['WETH9 deposit', encode(more, 'deposit', []), []],
    [
      'Permit2 approve',
      encode(permit2, 'approve', [token, friend, 5n, 9]),
      [{ ...viaPermit2, kind: 'approval', from: me }],
    ],
    [
      'Permit2 transferFrom',
      encode(permit2, 'transferFrom', [account, friend, 5n, token]),
      [{ ...viaPermit2, kind: 'transfer', from: account }],
    ],
    [
      'Permit2 permit',
      encode(permit2, 'permit', [account, { details, spender: friend, sigDeadline: 9n }, '0x12']),
      [{ ...viaPermit2, kind: 'approval', from: account }],
    ],
    [
      'Permit2 permit of several',
      encode(permit2, 'permit', [
        account,
        { details: [details, { ...details, token: nft }], spender: friend, sigDeadline: 9n },
        '0x12',
      ]),
      [
        { ...viaPermit2, kind: 'approval', from: account },
        { ...viaPermit2, kind: 'approval', from: account, token: nft },
      ],
    ],
    [
      'Permit2 permitTransferFrom',
      encode(permit2, 'permitTransferFrom', [
        { permitted: { token, amount: 9n }, nonce: 1n, deadline: 2n },
        { to: friend, requestedAmount: 5n },
        account,
        '0x12',
      ]),
      [{ ...viaPermit2, kind: 'transfer', from: account }],
    ],
    [
      'Permit2 permitTransferFrom of several',
      encode(permit2, 'permitTransferFrom', [
        {
          permitted: [
            { token, amount: 9n },
            { token: nft, amount: 8n },
          ],
          nonce: 1n,
          deadline: 2n,
        },
        [
          { to: friend, requestedAmount: 5n },
          { to: me, requestedAmount: 6n },
        ],
        account,
        '0x12',
      ]),
      [
        { ...viaPermit2, kind: 'transfer', from: account },
        { ...viaPermit2, kind: 'transfer', from: account, token: nft, to: me, amount: 6n },
      ],
    ],
  ];
  it.each(cases)('%s', (_, data, transfers) => {
    const { calls, complete, ...found } = read(token, data);
    expect(found.transfers.map((found) => ({ ...found }))).toEqual(transfers.map((one) => ({ ...one, depth: 0n })));
    expect(calls).toHaveLength(1);
    expect(complete).toBe(true);
  });

  it('the value of the call, with whatever else it moves', () => {
    expect(read(token, transfer(), 3n).transfers).toMatchObject([
      { standard: 'native', kind: 'transfer', token: '', from: me, to: token, amount: 3n, depth: 0n },
      { ...moved, from: me },
    ]);
    expect(read(friend, '0x', 3n)).toMatchObject({ complete: true, transfers: [{ standard: 'native', to: friend }] });
  });

  it('shows the arguments by name', () => {
    const data =
      '0xa9059cbb00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c800000000000000000000000000000000000000000000000000000000000f4240';
    const { call } = readCall(site(token, data), none);
    expect(call).toMatchObject({
      name: 'transfer',
      signature: 'transfer(address,uint256)',
      selector: '0xa9059cbb',
      standard: 'ERC-20',
      decoded: true,
    });
    expect(call.args).toEqual(
      new Map<string, unknown>([
        ['to', '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'],
        ['amount', 1_000_000n],
      ]),
    );
  });
});

describe('what is not understood', () => {
  it.each([
    ['an unknown selector', '0xdeadbeef'],
    ['less than a selector', '0xa9059c'],
    ['arguments with bytes behind them', concatHex([transfer(), '0x00'])],
    ['an address with dirt above it', transfer().replace('a9059cbb00', 'a9059cbb01') as Hex],
    ['arguments cut short', transfer().slice(0, -2) as Hex],
  ])('%s: shown as not decoded, with no transfers', (_, data) => {
    const { calls, transfers, complete } = read(token, data as Hex);
    expect(complete).toBe(false);
    expect(transfers).toEqual([]);
    expect(calls[0]).toMatchObject({ decoded: false, args: new Map() });
  });

  it('keeps the name of the function where only its arguments are wrong', () => {
    expect(readCall(site(token, concatHex([transfer(), '0x00'])), none).call.name).toBe('transfer');
  });

  it('the creation of a contract', () => {
    const creation: CallSite = { kind: 'create', from: me, to: '', value: 1n, data: transfer(), self: '' };
    const { calls, complete } = readCalls([creation], none);
    expect(complete).toBe(false);
    expect(calls[0]).toMatchObject({ kind: 'create', name: '', selector: '', decoded: false });
  });
});

describe('uploaded interfaces', () => {
  const uploaded = (functions: readonly object[]) => {
    const parsed = parseContractInterface(JSON.stringify(functions));
    return (address: string) => (address === token ? parsed : undefined);
  };
  const named = {
    name: 'transfer',
    inputs: [
      { name: 'dst', type: 'address' },
      { name: 'wad', type: 'uint256' },
    ],
  };

  it('win over what is built in, which still says what the function does where the signature is the same', () => {
    const { calls, transfers } = readCalls([site(token, transfer())], uploaded([named]));
    expect(calls[0]).toMatchObject({ standard: 'uploaded', name: 'transfer', decoded: true });
    expect([...(calls[0]?.args.keys() ?? [])]).toEqual(['dst', 'wad']);
    expect(transfers).toMatchObject([{ ...moved, from: me }]);
  });

  it('of another function with the same selector take its meaning away', () => {
    // many_msg_babbage(bytes1) has the selector of transfer(address,uint256).
    const other = { name: 'many_msg_babbage', inputs: [{ name: 'a', type: 'bytes1' }] };
    const { calls, transfers, complete } = readCalls([site(token, transfer())], uploaded([other]));
    expect(calls[0]).toMatchObject({ name: 'many_msg_babbage', decoded: false });
    expect({ transfers, complete }).toEqual({ transfers: [], complete: false });
  });

  it('of other contracts, and without the selector, change nothing', () => {
    expect(readCall(site(nft, transfer()), uploaded([named])).call.standard).toBe('ERC-20');
    expect(readCall(site(token, transfer()), uploaded([{ ...named, name: 'other' }])).call.standard).toBe('ERC-20');
  });
});

const accounts = parseAbi([
  'function execute(address dest, uint256 value, bytes func)',
  'function executeBatch(address[] dest, bytes[] func)',
  'function executeBatch(address[] dest, uint256[] value, bytes[] func)',
  'struct Call { address target; uint256 value; bytes data; }',
  'function executeBatch(Call[] calls)',
  'function execute(bytes32 mode, bytes executionCalldata)',
  'function multicall(bytes[] data)',
  'function multicall(uint256 deadline, bytes[] data)',
  'function multiSend(bytes transactions)',
  'function execTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,bytes signatures)',
]);
const mode = (callType: string, rest = '') => `0x${callType}${rest}`.padEnd(66, '0') as Hex;
const inSafe = (data: Hex, operation: number, gasPrice = 0n) =>
  encode(accounts, 'execTransaction', [token, 0n, data, operation, 0n, 0n, gasPrice, zero, zero, '0x']);
const packed = (operation: number, to: Hex, value: bigint, data: Hex) =>
  encodePacked(
    ['uint8', 'address', 'uint256', 'uint256', 'bytes'],
    [operation, to, value, BigInt(data.length / 2 - 1), data],
  );

describe('calls inside calls', () => {
  const executions = encodeAbiParameters(
    [{ type: 'tuple[]', components: [{ type: 'address' }, { type: 'uint256' }, { type: 'bytes' }] }],
    [[[token, 0n, transfer()]]] as never,
  );
  const cases: [string, Hex, string?][] = [
    [
      'aggregate3',
      encode(multicall3Abi, 'aggregate3', [[{ target: token, allowFailure: false, callData: transfer() }]]),
    ],
    ['execute', encode(accounts, 'execute', [token, 0n, transfer()])],
    ['executeBatch without values', encode(accounts, 'executeBatch', [[token], [transfer()]])],
    ['executeBatch with values', encode(accounts, 'executeBatch', [[token], [0n], [transfer()]])],
    ['executeBatch of structs', encode(accounts, 'executeBatch', [[{ target: token, value: 0n, data: transfer() }]])],
    [
      'ERC-7579 single',
      encode(accounts, 'execute', [mode('00'), concatHex([token, pad('0x', { size: 32 }), transfer()])]),
    ],
    ['ERC-7579 batch', encode(accounts, 'execute', [mode('01'), executions])],
    ['ERC-7579 batch that goes on after failures', encode(accounts, 'execute', [mode('0101'), executions])],
    ['Safe', inSafe(transfer(), 0)],
  ];
  it.each(cases)('%s', (_, data) => {
    const { calls, transfers, complete } = read(account, data);
    expect(complete).toBe(true);
    expect(calls).toMatchObject([
      { depth: 0n, from: me, to: account, batch: true, decoded: true },
      { depth: 1n, kind: 'call', from: account, to: token, name: 'transfer', batch: false, decoded: true },
    ]);
    expect(transfers.map((found) => ({ ...found }))).toEqual([{ ...moved, from: account, depth: 1n }]);
  });

  it('multicall on the contract itself acts for the caller', () => {
    const data = encode(accounts, 'multicall', [[transfer(), transfer(6n)]]);
    const { calls, transfers, complete } = read(token, data, 3n);
    expect(complete).toBe(true);
    expect(calls.map(({ kind }) => kind)).toEqual(['call', 'delegatecall', 'delegatecall']);
    expect(transfers).toMatchObject([
      { standard: 'native', amount: 3n },
      { ...moved, from: me },
      { ...moved, from: me, amount: 6n },
    ]);
  });

  it('the values that inner calls take along', () => {
    const data = encode(accounts, 'executeBatch', [
      [friend, token],
      [4n, 0n],
      ['0x', transfer()],
    ]);
    expect(read(account, data).transfers).toMatchObject([
      { standard: 'native', from: account, to: friend, amount: 4n, depth: 1n },
      { ...moved, from: account },
    ]);
  });

  it('a Safe that delegates to MultiSend makes its calls itself', () => {
    const batch = concatHex([packed(0, token, 0n, transfer()), packed(0, friend, 4n, '0x')]);
    const { calls, transfers, complete } = read(account, inSafe(encode(accounts, 'multiSend', [batch]), 1));
    expect(complete).toBe(true);
    expect(calls.map(({ kind, depth, name }) => [kind, depth, name])).toEqual([
      ['call', 0n, 'execTransaction'],
      ['delegatecall', 1n, 'multiSend'],
      ['call', 2n, 'transfer'],
      ['call', 2n, ''],
    ]);
    expect(transfers).toMatchObject([
      { ...moved, from: account, depth: 2n },
      { standard: 'native', from: account, to: friend, amount: 4n },
    ]);
  });

  it('a Safe that pays for gas may pay any amount', () => {
    expect(read(account, inSafe(transfer(), 0, 1n)).transfers).toMatchObject([
      { standard: 'native', from: account, to: zero, amount: maxUint256 },
      { ...moved, from: account },
    ]);
  });

  it('calls inside calls inside calls', () => {
    const twice = encode(accounts, 'execute', [nft, 0n, encode(accounts, 'execute', [token, 0n, transfer()])]);
    expect(read(account, twice)).toMatchObject({
      complete: true,
      calls: [
        { from: me, to: account },
        { from: account, to: nft },
        { from: nft, to: token },
      ],
      transfers: [{ ...moved, from: nft, depth: 2n }],
    });
  });

  it.each<[string, Hex]>([
    ['an unknown call inside', encode(accounts, 'execute', [token, 0n, '0xdeadbeef'])],
    ['dirty arguments inside', encode(accounts, 'execute', [token, 0n, concatHex([transfer(), '0x00'])])],
    ['lists of other lengths', encode(accounts, 'executeBatch', [[token], [transfer(), transfer()]])],
    ['values of another number', encode(accounts, 'executeBatch', [[token, token], [1n], ['0x', '0x']])],
    ['a Safe that delegates to a token', inSafe(transfer(), 1)],
    ['a Safe with operation 2', inSafe(transfer(), 2)],
    [
      'ERC-7579 with a mode of another selector',
      encode(accounts, 'execute', [mode('01', '00000000007821'), executions]),
    ],
    ['ERC-7579 with a static call', encode(accounts, 'execute', [mode('fe'), executions])],
    ['ERC-7579 that delegates', encode(accounts, 'execute', [mode('ff'), concatHex([token, transfer()])])],
    ['ERC-7579 with a single call cut short', encode(accounts, 'execute', [mode('00'), token])],
    ['ERC-7579 with a dirty batch', encode(accounts, 'execute', [mode('01'), concatHex([executions, '0x00'])])],
    [
      'multiSend with bytes left',
      encode(accounts, 'multiSend', [concatHex([packed(0, token, 0n, transfer()), '0x00'])]),
    ],
    [
      'multiSend with a length beyond the end',
      encode(accounts, 'multiSend', [packed(0, token, 0n, transfer()).slice(0, -2) as Hex]),
    ],
    ['multiSend with operation 2', encode(accounts, 'multiSend', [packed(2, token, 0n, transfer())])],
  ])('%s: not complete', (_, data) => {
    expect(read(account, data).complete).toBe(false);
  });
});

describe('limits', () => {
  it('on the number of calls', () => {
    const many = Array.from({ length: limits.calls }, () => transfer());
    const { calls, complete } = read(token, encode(accounts, 'multicall', [many]));
    expect(calls).toHaveLength(limits.calls);
    expect(complete).toBe(false);
    expect(read(token, encode(accounts, 'multicall', [many.slice(1)])).complete).toBe(true);
  });

  it('on depth', () => {
    const nested = (depth: number): Hex =>
      depth === 0 ? transfer() : encode(accounts, 'execute', [token, 0n, nested(depth - 1)]);
    expect(read(account, nested(limits.depth)).complete).toBe(true);
    expect(read(account, nested(limits.depth + 1))).toMatchObject({ complete: false, transfers: [] });
  });

  it('on the number of transfers', () => {
    const amounts = Array.from({ length: limits.transfers + 1 }, () => 1n);
    const abi = parseAbi(['function safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)']);
    const { transfers, complete } = read(
      nft,
      encode(abi, 'safeBatchTransferFrom', [me, friend, amounts, amounts, '0x']),
    );
    expect(transfers).toHaveLength(limits.transfers);
    expect(complete).toBe(false);
  });

  it('never throws, whatever the data', () => {
    const selectors = [
      transfer(),
      inSafe('0x', 0),
      ...['execute', 'executeBatch', 'multiSend', 'multicall'].map((name) => {
        const args: Record<string, unknown[]> = {
          execute: [token, 0n, '0x'],
          executeBatch: [[token], ['0x']],
          multiSend: ['0x'],
          multicall: [['0x']],
        };
        return encode(accounts, name, args[name] as unknown[]);
      }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...selectors), fc.nat(), fc.uint8Array({ maxLength: 40 }), (data, at, noise) => {
        const bytes = Buffer.from(data.slice(2), 'hex');
        bytes.set(noise.subarray(0, Math.max(0, bytes.length - (at % bytes.length))), at % bytes.length);
        expect(read(account, toHex(bytes)).calls.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });
});
