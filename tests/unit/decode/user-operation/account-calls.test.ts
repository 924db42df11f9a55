import fc from 'fast-check';
import { encodeAbiParameters, encodeFunctionData, encodePacked, type Hex, parseAbi, parseAbiParameters } from 'viem';
import { describe, expect, it } from 'vitest';
import { type AccountKind, accountRules } from '../../../../src/decode/user-operation/account-kinds.ts';
import { execute, factsOf, mint, sender, target } from './operations.ts';

type Made = { to: Hex; value: bigint; data: Hex };

const tuples = parseAbi(['function executeBatch((address,uint256,bytes)[])']);
const lists = parseAbi(['function executeBatch(address[],uint256[],bytes[])']);
const oldLists = parseAbi(['function executeBatch(address[],bytes[])']);
const biconomy = parseAbi([
  'function execute_ncC(address,uint256,bytes)',
  'function executeBatch_y6U(address[],uint256[],bytes[])',
]);
const withOperation = parseAbi([
  'function execute(address,uint256,bytes,uint8)',
  'function executeUserOp(address,uint256,bytes,uint8)',
  'function executeUserOpWithErrorString(address,uint256,bytes,uint8)',
]);
const modular = parseAbi(['function execute(bytes32,bytes)']);
const multiSendAbi = parseAbi(['function multiSend(bytes)']);

const rows = (calls: Made[]) => calls.map(({ to, value, data }) => [to, value, data] as const);
const asTuples = (calls: Made[]) => encodeFunctionData({ abi: tuples, args: [rows(calls)] });
const asLists = (calls: Made[]): readonly [Hex[], bigint[], Hex[]] => [
  calls.map(({ to }) => to),
  calls.map(({ value }) => value),
  calls.map(({ data }) => data),
];
const single = ([call]: Made[]) => execute(call?.to as Hex, call?.value as bigint, call?.data as Hex);

const mode = (start: string) => `0x${start.padEnd(64, '0')}` as Hex;
const executions = (calls: Made[]) =>
  encodeAbiParameters(parseAbiParameters('(address,uint256,bytes)[]'), [rows(calls)]);
const run = (start: string, data: Hex) => encodeFunctionData({ abi: modular, args: [mode(start), data] });
const packed = ([call]: Made[]) =>
  encodePacked(['address', 'uint256', 'bytes'], [call?.to as Hex, call?.value as bigint, call?.data as Hex]);
const hooked = (data: Hex): Hex => `0x8dd7712f${data.slice(2)}`;

const multiSendCallOnly = '0x9641d764fc13c8B624c04430C7356C1C7C8102e2';
const multiSend = (calls: Made[], operation = 0) =>
  encodeFunctionData({
    abi: multiSendAbi,
    args: [
      `0x${calls
        .map(({ to, value, data }) =>
          encodePacked(
            ['uint8', 'address', 'uint256', 'uint256', 'bytes'],
            [operation, to, value, BigInt(data.length / 2 - 1), data],
          ).slice(2),
        )
        .join('')}`,
    ],
  });
const safe = (to: Hex, value: bigint, data: Hex, operation: number, functionName = 'executeUserOp') =>
  encodeFunctionData({
    abi: withOperation,
    functionName: functionName as 'executeUserOp',
    args: [to, value, data, operation],
  });

type Encoder = readonly [kind: AccountKind, name: string, most: number, encode: (calls: Made[]) => Hex];

/** Every way that an account of each kind has to make calls (one, or up to `most`). */
const encoders: readonly Encoder[] = [
  ...(
    ['simple-0.6', 'simple-0.7', 'simple-0.8', 'simple-7702', 'coinbase', 'biconomy', 'light-1', 'light-2'] as const
  ).map((kind): Encoder => [kind, 'execute', 1, single]),
  ...(['simple-0.8', 'simple-7702', 'coinbase', 'kernel-2'] as const).map(
    (kind): Encoder => [kind, 'executeBatch of tuples', 5, asTuples],
  ),
  ...(['simple-0.7', 'biconomy', 'light-1', 'light-2'] as const).map(
    (kind): Encoder => [
      kind,
      'executeBatch of lists',
      5,
      (calls) => encodeFunctionData({ abi: lists, args: asLists(calls) }),
    ],
  ),
  [
    'biconomy',
    'execute_ncC',
    1,
    ([call]) =>
      encodeFunctionData({
        abi: biconomy,
        functionName: 'execute_ncC',
        args: [call?.to as Hex, call?.value as bigint, call?.data as Hex],
      }),
  ],
  [
    'biconomy',
    'executeBatch_y6U',
    5,
    (calls) => encodeFunctionData({ abi: biconomy, functionName: 'executeBatch_y6U', args: asLists(calls) }),
  ],
  ['kernel-2', 'execute', 1, ([call]) => safe(call?.to as Hex, call?.value as bigint, call?.data as Hex, 0, 'execute')],
  ...(['kernel-3', 'nexus', 'erc-7579'] as const).flatMap((kind): Encoder[] => [
    [kind, 'single', 1, (calls) => run('00', packed(calls))],
    [kind, 'batch', 5, (calls) => run('01', executions(calls))],
    [kind, 'batch, tried', 5, (calls) => run('0101', executions(calls))],
  ]),
  ['kernel-3', 'executeUserOp', 5, (calls) => hooked(run('01', executions(calls)))],
  ['nexus', 'executeUserOp', 1, (calls) => hooked(run('00', packed(calls)))],
  ['openfort-7702', 'batch', 5, (calls) => run('01', executions(calls))],
  [
    'openfort-7702',
    'batch of batches',
    5,
    (calls) =>
      run(
        '01000000000078210002',
        encodeAbiParameters(parseAbiParameters('bytes[]'), [calls.map((call) => executions([call]))]),
      ),
  ],
  ['safe-4337', 'executeUserOp', 1, ([call]) => safe(call?.to as Hex, call?.value as bigint, call?.data as Hex, 0)],
  [
    'safe-4337',
    'executeUserOpWithErrorString',
    1,
    ([call]) => safe(call?.to as Hex, call?.value as bigint, call?.data as Hex, 0, 'executeUserOpWithErrorString'),
  ],
  ['safe-4337', 'MultiSend', 5, (calls) => safe(multiSendCallOnly, 0n, multiSend(calls), 1)],
];

const hex = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as Hex);
/** Addresses that are neither 0 nor one of those that mean something. */
const addresses = hex(20, 20).filter((address) => !/^0x0{40}$/.test(address));
/** Data that are of no function that is known: selectors that are not ASCII digits of ours. */
const data = hex(0, 60).map((bytes) => (bytes.length < 10 ? bytes : (`0xffffffff${bytes.slice(10)}` as Hex)));
const made = fc.record({ to: addresses, value: fc.bigInt(0n, 2n ** 128n), data });

const shown = (calls: readonly { to: string; value: bigint; data: string; depth: bigint; from: string }[]) =>
  calls.map(({ to, value, data, depth, from }) => ({ to, value, data, depth, from }));
const outer = (calls: Made[]) => calls.map((call) => ({ ...call, depth: 0n, from: sender }));

describe('the calls of an account', () => {
  it.each(encoders)('%s: %s', (kind, _, most, encode) => {
    fc.assert(
      fc.property(fc.array(made, { minLength: 1, maxLength: most }), (calls) => {
        const facts = factsOf(kind, encode(calls));
        expect(shown(facts.calls)).toEqual(outer(calls));
        expect(facts).toMatchObject({ opaque: false, has_delegatecall: false, is_admin: false });
        expect(facts.total_value).toBe(calls.reduce((sum, { value }) => sum + value, 0n));
      }),
      { numRuns: 30 },
    );
  });

  it('values may be left out of a batch of lists in SimpleAccount 0.7, and there are none in 0.6', () => {
    const without = encodeFunctionData({ abi: lists, args: [[target, target], [], [mint, '0x']] });
    expect(factsOf('simple-0.7', without).calls.map(({ value }) => value)).toEqual([0n, 0n]);
    const old = encodeFunctionData({ abi: oldLists, args: [[target], [mint]] });
    expect(factsOf('simple-0.6', old)).toMatchObject({ opaque: false, calls: [{ to: target, data: mint, value: 0n }] });
    expect(factsOf('simple-0.7', old).opaque).toBe(true);
  });

  it('shows what the calls do, and the calls inside them', () => {
    const transfer = encodeFunctionData({ abi: parseAbi(['function transfer(address,uint256)']), args: [sender, 5n] });
    const aggregate = encodeFunctionData({
      abi: parseAbi(['function aggregate3((address,bool,bytes)[])']),
      args: [[[target, false, transfer]]],
    });
    const router = `0x${'44'.repeat(20)}` as Hex;
    const facts = factsOf('simple-7702', asTuples([{ to: router, value: 1n, data: aggregate }]));
    expect(facts.calls.map(({ to, depth, from }) => [to, depth, from])).toEqual([
      [router, 0n, sender],
      [target, 1n, router],
    ]);
    expect(facts.calls_complete).toBe(true);
    expect(facts.transfers.map(({ standard, token, to, amount }) => [standard, token, to, amount])).toEqual([
      ['native', '', router, 1n],
      ['ERC-20', target, sender, 5n],
    ]);
    expect(facts.total_value).toBe(1n);
  });

  it('an operation without calldata makes no call', () => {
    expect(factsOf('simple-7702', '0x')).toMatchObject({
      calls: [],
      calls_complete: true,
      opaque: false,
      selector: '',
    });
  });

  describe('nests of own batches', () => {
    const nests = fc.letrec<{ nest: Made[] }>((tie) => ({
      nest: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.array(made, { minLength: 1, maxLength: 3 }),
        tie('nest').map((calls) => [{ to: sender, value: 0n, data: asTuples(calls) }]),
      ),
    })).nest;

    it('are all shown, and more than a batch in a batch is refused as opaque', () => {
      fc.assert(
        fc.property(nests, (calls) => {
          let depth = 0;
          for (let next = calls; next[0]?.to === sender; depth++) {
            next = factsOf('simple-7702', next[0].data).calls.map(
              ({ to, value, data }) => ({ to, value, data }) as Made,
            );
          }
          const facts = factsOf('simple-7702', asTuples(calls));
          expect(facts.opaque).toBe(depth > 1);
          expect(facts.is_admin).toBe(depth > 0);
          const deepest = facts.calls.filter((call) => call.to !== sender);
          if (depth <= 1) expect(deepest.every((call) => call.depth === BigInt(depth))).toBe(true);
        }),
        { numRuns: 50 },
      );
    });
  });

  it('a batch of more than is shown is opaque', () => {
    const calls = Array.from({ length: 257 }, () => ({ to: target, value: 1n, data: '0x' as Hex }));
    expect(factsOf('simple-7702', asTuples(calls)).opaque).toBe(true);
    expect(factsOf('simple-7702', asTuples(calls.slice(1)))).toMatchObject({ opaque: false, total_value: 256n });
  });

  it('Openfort takes 9 calls in all', () => {
    const calls = Array.from({ length: 10 }, () => ({ to: target, value: 0n, data: mint as Hex }));
    expect(factsOf('openfort-7702', run('01', executions(calls))).opaque).toBe(true);
    expect(factsOf('openfort-7702', run('01', executions(calls.slice(1)))).opaque).toBe(false);
  });

  it('are read from any calldata without an error', () => {
    const selectors = encoders.map(([, , , encode]) => encode([{ to: target, value: 0n, data: mint }]).slice(0, 10));
    const words = fc.oneof(
      fc.constantFrom(...['20', '40', '60', '0', '1', 'ffffffff'].map((word) => word.padStart(64, '0'))),
      hex(32, 32).map((word) => word.slice(2)),
      fc.constant(`0100000000007821000${'2'.padEnd(45, '0')}`),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(accountRules) as AccountKind[])),
        fc.constantFrom(...selectors),
        fc.array(words, { maxLength: 12 }),
        (kind, selector, rest) => {
          const { calls, opaque, call_data } = factsOf(kind, `${selector}${rest.join('')}` as Hex);
          expect(call_data.startsWith(selector)).toBe(true);
          if (!opaque) expect(calls.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('the hook of the EntryPoint is none in a call of the account to itself', () => {
    const call = (data: Hex) => run('00', packed([{ to: sender, value: 0n, data }]));
    const inner = run('00', packed([{ to: target, value: 0n, data: mint }]));
    expect(factsOf('kernel-3', hooked(call(inner))).opaque).toBe(false);
    expect(factsOf('kernel-3', call(hooked(inner))).opaque).toBe(true);
  });

  describe('any byte that is changed', () => {
    const shownOf = (kind: AccountKind, callData: Hex) => {
      const { calls, opaque, try_mode, has_delegatecall, is_admin } = factsOf(kind, callData);
      return opaque
        ? 'opaque'
        : { calls: shown(calls), kinds: calls.map((call) => call.kind), try_mode, has_delegatecall, is_admin };
    };
    const calls: Made[] = [
      { to: target, value: 3n, data: mint },
      { to: `0x${'44'.repeat(20)}`, value: 0n, data: `0xa9059cbb${'00'.repeat(64)}` },
    ];

    it.each(encoders)('is seen, or makes it opaque: %s, %s', (kind, _, most, encode) => {
      const callData = encode(calls.slice(0, most));
      const before = shownOf(kind, callData);
      expect(before).not.toBe('opaque');
      const bytes = Buffer.from(callData.slice(2), 'hex');
      for (let at = 0; at < bytes.length; at++) {
        for (const change of [1 << (at % 8)]) {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] as number) ^ change;
          const after = shownOf(kind, `0x${changed.toString('hex')}`);
          if (after !== 'opaque') expect(after, `byte ${at}`).not.toEqual(before);
        }
      }
      for (const rest of ['00', '0'.repeat(64), 'ff']) expect(shownOf(kind, `${callData}${rest}`)).not.toEqual(before);
      expect(shownOf(kind, callData.slice(0, -2) as Hex)).not.toEqual(before);
    });
  });
});
