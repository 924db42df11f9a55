/** The pitfalls of signing for smart accounts that are a matter of decoding, by number and name of their rule. */
import {
  encodeAbiParameters,
  encodeFunctionData,
  encodePacked,
  type Hex,
  maxUint256,
  parseAbi,
  parseAbiParameters,
} from 'viem';
import { describe, expect, it } from 'vitest';
import type { AccountKind } from '../../../../src/decode/user-operation/account-kinds.ts';
import { digestToSign } from '../../../../src/decode/user-operation/digest.ts';
import { isUserOperationDigestDoor } from '../../../../src/decode/user-operation/digest-door.ts';
import { userOperationHash } from '../../../../src/decode/user-operation/hash.ts';
import { knownDelegates } from '../../../../src/decode/user-operation/known-delegates.ts';
import {
  type EntryPointVersion,
  entryPoints,
  readUserOperation,
} from '../../../../src/decode/user-operation/user-operation.ts';
import { compilePolicy } from '../../../../src/policy/policy-set.ts';
import type { JsonObject } from '../../../../src/protocol/json.ts';
import { thrownBy } from '../thrown-by.ts';
import {
  contextOf,
  delegate,
  entryPointOf,
  execute,
  factsOf,
  given,
  mint,
  operationOf,
  owner,
  paymaster,
  sender,
  target,
} from './operations.ts';

const evil = `0x${'66'.repeat(20)}` as Hex;
const batchAbi = parseAbi(['function executeBatch((address,uint256,bytes)[])']);
const batch = (...calls: (readonly [Hex, bigint, Hex])[]) => encodeFunctionData({ abi: batchAbi, args: [calls] });
const modularAbi = parseAbi(['function execute(bytes32,bytes)']);
const modular = (mode: string, data: Hex) =>
  encodeFunctionData({ abi: modularAbi, args: [`0x${mode.padEnd(64, '0')}`, data] });
const packed = (to: Hex, value: bigint, data: Hex) => encodePacked(['address', 'uint256', 'bytes'], [to, value, data]);
const executions = (...calls: (readonly [Hex, bigint, Hex])[]) =>
  encodeAbiParameters(parseAbiParameters('(address,uint256,bytes)[]'), [calls]);
const safeAbi = parseAbi(['function executeUserOp(address,uint256,bytes,uint8)']);
const safe = (to: Hex, data: Hex, operation: number) =>
  encodeFunctionData({ abi: safeAbi, args: [to, 0n, data, operation] });
const abi = (text: string) => parseAbi([text] as never) as never;
const encode = (text: string, ...args: unknown[]) => encodeFunctionData({ abi: abi(text), args } as never) as Hex;

/** Whether a condition holds of these facts, in both languages. */
function holds(condition: string, userop: unknown): boolean {
  const [cel, turnkey] = (['cel', 'turnkey'] as const).map((language) =>
    compilePolicy({ id: 'p', effect: 'EFFECT_ALLOW', condition, language }).condition?.program({ userop } as never),
  );
  expect(turnkey).toBe(cel);
  return cel === true;
}

describe('1 blind hash, 2 the same digest by another door: what may be an operation is not signed as something else', () => {
  const [text, hex, typed] = ['TEXT_UTF8', 'HEXADECIMAL', 'EIP712'].map((name) => `PAYLOAD_ENCODING_${name}`) as [
    string,
    string,
    string,
  ];
  const isDoor = (payload: string, encoding: string, hash: string) =>
    isUserOperationDigestDoor({ payload, encoding, hashFunction: `HASH_FUNCTION_${hash}` });
  const address = (version: EntryPointVersion) => entryPointOf(version).address;
  const document = (primaryType: string, domain: JsonObject): string =>
    JSON.stringify({
      domain,
      primaryType,
      types: { [primaryType]: [{ name: 'nonce', type: 'uint256' }] },
      message: { nonce: 1 },
    });
  const digest = '5a'.repeat(32);
  const personal = Buffer.from('\x19Ethereum Signed Message:\n32').toString('hex');

  it.each([
    ['a bare digest', digest, hex, 'NO_OP'],
    ['a digest as text', 'k'.repeat(32), text, 'NO_OP'],
    ['the personal message of a digest', `0x${personal}${digest}`, hex, 'KECCAK256'],
    ['the same as text', `\x19Ethereum Signed Message:\n32${'k'.repeat(32)}`, text, 'KECCAK256'],
    ['the two hashes of EIP-712', `1901${digest}${digest}`, hex, 'KECCAK256'],
    [
      'what EntryPoint 0.6 hashes',
      `${digest}${address('0.6').slice(2).padStart(64, '0')}${'1'.padStart(64, '0')}`,
      hex,
      'KECCAK256',
    ],
    ['the same without the chain', `${digest}${address('0.6').slice(2).padStart(64, '0')}`, hex, 'KECCAK256'],
    ['typed data of the operation', document('PackedUserOperation', { name: 'ERC4337', version: '1' }), typed, 'NO_OP'],
    ['another type under its domain', document('Other', { name: 'ERC4337' }), typed, 'NO_OP'],
    [
      'an EntryPoint as the contract',
      document('Other', { verifyingContract: address('0.8').toLowerCase() }),
      typed,
      'NO_OP',
    ],
    [
      'an EntryPoint in capitals',
      document('Other', { verifyingContract: `0x${address('0.8').slice(2).toUpperCase()}` }),
      typed,
      'NO_OP',
    ],
    ['the same, escaped', document('Other', { name: 'ERC4337' }).replace('ERC4337', 'ERC\\u0034337'), typed, 'NO_OP'],
    ['a SafeOp for any module', document('SafeOp', { chainId: 1, verifyingContract: evil }), typed, 'NO_OP'],
    [
      'the module of Safe',
      document('Other', { verifyingContract: '0x75cf11467937ce3F2f357CE24ffc3DBF8fD5c226' }),
      typed,
      'NO_OP',
    ],
  ])('%s is one', (_, payload, encoding, hashFunction) => expect(isDoor(payload, encoding, hashFunction)).toBe(true));

  it.each([
    ['a message', `\x19Ethereum Signed Message:\n5hello`, text, 'KECCAK256'],
    ['a text of 32 letters', 'k'.repeat(32), text, 'KECCAK256'],
    ['bytes', digest, hex, 'SHA256'],
    ['96 bytes without an address', digest.repeat(3), hex, 'KECCAK256'],
    ['other typed data', document('Permit', { name: 'USD Coin', chainId: 1, verifyingContract: evil }), typed, 'NO_OP'],
    ['an authorization', '{}', 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION', 'NO_OP'],
  ])('%s is none', (_, payload, encoding, hashFunction) => expect(isDoor(payload, encoding, hashFunction)).toBe(false));

  it('what every version and kind signs is found behind one of them', () => {
    for (const version of entryPoints.values()) {
      const operation = operationOf(version);
      const bare = userOperationHash(operation).toString('hex');
      expect(isDoor(bare, hex, 'NO_OP')).toBe(true);
      expect(isDoor(`${personal}${bare}`, hex, 'KECCAK256')).toBe(true);
    }
  });
});

describe('3 chain and EntryPoint confusion: both are the context’s, and the version follows from the address', () => {
  it('every other chain or EntryPoint gives another hash', () => {
    const hashes = [...entryPoints.values()].flatMap((version) =>
      [1n, 10n, 31337n].map((chainId) =>
        userOperationHash(readUserOperation(given(version), contextOf(version, chainId), '')).toString('hex'),
      ),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('the operation cannot name them', () => {
    for (const field of ['chainId', 'entryPoint', 'entryPointVersion', 'accountKind']) {
      expect(thrownBy(() => operationOf('0.7', { [field]: '0x1' })).code).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('4 initCode: a factory’s call is a fact of its own', () => {
  it('of any factory, and of the data that an EIP-7702 account is initialized with', () => {
    expect(factsOf('kernel-3', '0x', { factory: evil, factoryData: '0x1234' })).toMatchObject({
      deploys: true,
      factory: evil,
      factory_data: '0x1234',
    });
    const authorized = { factory: '0x7702', eip7702Auth: { chainId: 31337, address: delegate, nonce: 0 } };
    expect(factsOf('simple-7702', '0x', authorized).deploys).toBe(false);
    expect(factsOf('simple-7702', '0x', { ...authorized, factoryData: '0x1234' }).deploys).toBe(true);
  });
});

describe('5 no delegate binding: whether the hash binds the code is a fact, and unknown code is opaque', () => {
  const callData = execute(target, 0n, mint);
  const auth = (address: Hex) => ({ eip7702Auth: { chainId: 31337, address, nonce: 0 } });

  it('without the flag nothing is bound', () => {
    expect(factsOf('simple-7702', callData)).toMatchObject({
      delegate: '',
      delegate_bound: false,
      delegate_known: false,
      opaque: false,
    });
    expect(factsOf('simple-7702', callData, auth(delegate))).toMatchObject({
      delegate_bound: false,
      delegate_known: true,
    });
    expect(factsOf('simple-7702', callData, { factory: '0x7702', ...auth(delegate) })).toMatchObject({
      delegate: delegate.toLowerCase(),
      delegate_bound: true,
      delegate_known: true,
      opaque: false,
    });
  });

  it('code that is not known to be of the kind is opaque, unless it is pinned', () => {
    const kernel = [...knownDelegates.values()].find(({ kind }) => kind === 'kernel-3')?.address as Hex;
    for (const address of [evil, kernel]) {
      expect(factsOf('simple-7702', callData, auth(address))).toMatchObject({ delegate_known: false, opaque: true });
    }
    expect(factsOf('simple-7702', callData, auth(evil), { delegate: evil })).toMatchObject({
      delegate_known: true,
      opaque: false,
    });
  });

  it('the known delegates are written in lower case, with their source', () => {
    for (const [address, { kind, name, source, address: own }] of knownDelegates) {
      expect(address).toMatch(/^0x[0-9a-f]{40}$/);
      expect(own).toBe(address);
      expect(name && source).not.toBe('');
      expect(kind === null || factsOf(kind, '0x').account_kind === kind).toBe(true);
    }
  });
});

describe('6 paymaster after signature: every byte of it is in the hash, but for what 0.9 leaves out, which is a fact', () => {
  it('a changed field changes the hash', () => {
    const hash = (changes: JsonObject) => userOperationHash(operationOf('0.8', changes)).toString('hex');
    const changes: JsonObject[] = [
      {},
      { paymaster: evil },
      { paymasterData: '0xabce' },
      { paymasterVerificationGasLimit: '0x7531' },
      { paymasterPostOpGasLimit: '0x9c41' },
    ];
    expect(new Set(changes.map(hash)).size).toBe(changes.length);
    expect(operationOf('0.9', { paymasterSignature: '0x' }).paymasterSigned).toBe(true);
    expect(factsOf('simple-0.8', '0x').paymaster_signs_later).toBe(false);
  });
});

describe('7 paymaster can take tokens: an approval for it is seen', () => {
  it('in the calls of a batch', () => {
    const approve = encode('function approve(address,uint256)', paymaster, maxUint256);
    const facts = factsOf('simple-7702', batch([target, 0n, approve], [target, 0n, mint]));
    const rule = "userop.transfers.all(t, t.kind != 'approval' || t.to != userop.paymaster)";
    expect(holds(rule, facts)).toBe(false);
    expect(holds(rule, factsOf('simple-7702', execute(target, 0n, mint)))).toBe(true);
  });
});

describe('8 delegatecall modes: denied but for MultiSend with calls alone', () => {
  const multiSend = '0x38869bf66a61cF6bDB996A6aE40D5853Fd43B526';
  const sent = (operation: number, to: Hex = target) =>
    encode(
      'function multiSend(bytes)',
      encodePacked(['uint8', 'address', 'uint256', 'uint256', 'bytes'], [operation, to, 0n, 4n, mint]),
    );

  it.each<[string, AccountKind, Hex]>([
    ['ERC-7579’s call type 0xff', 'kernel-3', modular('ff', encodePacked(['address', 'bytes'], [evil, mint]))],
    ['the same, tried', 'nexus', modular('ff01', encodePacked(['address', 'bytes'], [evil, mint]))],
    ['operation 1 of Kernel 2', 'kernel-2', encode('function execute(address,uint256,bytes,uint8)', evil, 0n, mint, 1)],
    ['operation 1 of Safe', 'safe-4337', safe(evil, mint, 1)],
    ['to MultiSend with a delegatecall in it', 'safe-4337', safe(multiSend, sent(1, evil), 1)],
    ['to MultiSend with another function', 'safe-4337', safe(multiSend, mint, 1)],
    ['to MultiSend with the address 0 in it', 'safe-4337', safe(multiSend, sent(0, `0x${'0'.repeat(40)}`), 1)],
    [
      'hidden in a batch of the account in a batch',
      'kernel-3',
      modular('00', packed(sender, 0n, modular('ff', encodePacked(['address', 'bytes'], [evil, mint])))),
    ],
  ])('%s', (_, kind, callData) =>
    expect(factsOf(kind, callData)).toMatchObject({ opaque: true, has_delegatecall: true }),
  );

  it('a batch by MultiSend is shown as its calls', () => {
    expect(factsOf('safe-4337', safe(multiSend, sent(0), 1))).toMatchObject({
      opaque: false,
      has_delegatecall: false,
      calls: [{ kind: 'call', from: sender, to: target, data: mint }],
    });
  });

  it.each<[string, Hex]>([
    ['a call type that is none', modular('fe', packed(target, 0n, mint))],
    ['an exec type that is none', modular('0002', packed(target, 0n, mint))],
    ['a mode with a selector of its own', modular('00000000000078210001', packed(target, 0n, mint))],
    ['a mode with a payload', modular(`00${'0'.repeat(60)}01`, packed(target, 0n, mint))],
  ])('%s is opaque', (_, callData) => expect(factsOf('erc-7579', callData).opaque).toBe(true));
});

describe('9 try mode: a fact', () => {
  it('of single calls and batches', () => {
    expect(factsOf('kernel-3', modular('0001', packed(target, 0n, mint))).try_mode).toBe(true);
    expect(factsOf('nexus', modular('0101', executions([target, 0n, mint]))).try_mode).toBe(true);
    expect(factsOf('kernel-3', modular('00', packed(target, 0n, mint))).try_mode).toBe(false);
    expect(
      factsOf('kernel-3', modular('00', packed(sender, 0n, modular('0101', executions([target, 0n, mint]))))).try_mode,
    ).toBe(true);
  });
});

describe('10 nonce-key side effects: mode 0 alone is plain', () => {
  const nonceOf = (key: string) => `0x${key.padEnd(48, '0')}0000000000000005`;
  it.each<[AccountKind, string, string]>([
    ['kernel-3', '0000', 'plain'],
    ['kernel-3', '0001', 'validator'],
    ['kernel-3', '0002', 'permission'],
    ['kernel-3', '0003', 'unknown'],
    ['kernel-3', '0101', 'enable'],
    ['kernel-3', '0201', 'install'],
    ['kernel-3', '0300', 'unknown'],
    ['nexus', '00000000', 'plain'],
    ['nexus', '12345600', 'plain'],
    ['nexus', '00000001', 'enable'],
    ['nexus', '00000002', 'prep'],
    ['nexus', '00000003', 'unknown'],
    ['coinbase', '000000000000000000000000000000000000000000002105', 'replayable'],
    ['coinbase', '000000000000000000000000000000000000000000002106', 'plain'],
    ['simple-7702', '0101', 'plain'],
  ])('%s %s is %s', (kind, key, mode) => {
    const facts = factsOf(kind, '0x', { nonce: nonceOf(key) });
    expect(facts).toMatchObject({
      nonce_mode: mode,
      nonce_sequence: 5n,
      nonce_key: BigInt(`0x${key.padEnd(48, '0')}`),
    });
  });
});

describe('12 gas griefing: all limits at the highest fee count, also when sponsored', () => {
  it.each<[AccountKind, bigint]>([
    ['simple-0.8', (100_000n + 200_000n + 50_000n + 30_000n + 40_000n) * 2_000_000_000n],
    // EntryPoint 0.6 reserves the verification limit three times with a paymaster.
    ['simple-0.6', (100_000n + 600_000n + 50_000n) * 2_000_000_000n],
  ])('%s', (kind, cost) => {
    expect(factsOf(kind, '0x').max_cost).toBe(cost);
    expect(holds(`userop.max_cost <= ${cost}`, factsOf(kind, '0x'))).toBe(true);
    expect(holds(`userop.max_cost < ${cost}`, factsOf(kind, '0x'))).toBe(false);
  });

  it('the account’s own money counts once', () => {
    const facts = factsOf('simple-0.6', '0x', { paymasterAndData: '0x' });
    expect(facts.max_cost).toBe((100_000n + 200_000n + 50_000n) * 2_000_000_000n);
  });
});

describe('13 value in batch: the sum counts', () => {
  it('over all that leaves the account, however it is split', () => {
    expect(factsOf('simple-7702', batch([target, 60n, '0x'], [evil, 50n, '0x'])).total_value).toBe(110n);
    const inner = batch([target, 60n, '0x'], [evil, 50n, '0x']);
    expect(factsOf('simple-7702', execute(sender, 0n, inner)).total_value).toBe(110n);
    expect(factsOf('simple-7702', execute(sender, 7n, '0x')).total_value).toBe(0n);
    expect(factsOf('simple-7702', batch([target, maxUint256, '0x'], [evil, 1n, '0x'])).total_value).toBe(maxUint256);
  });
});

describe('14 self and EntryPoint calls: named, and denied unless a policy names them', () => {
  const add = encode('function addOwnerAddress(address)', evil);
  it.each<[string, AccountKind, Hex, string[], boolean]>([
    ['a call to itself', 'coinbase', execute(sender, 0n, add), ['addOwnerAddress(address)'], false],
    ['in a batch', 'coinbase', batch([target, 0n, mint], [sender, 0n, add]), ['addOwnerAddress(address)'], false],
    [
      'its own function',
      'nexus',
      encode('function installModule(uint256,address,bytes)', 1n, evil, '0x'),
      ['installModule(uint256,address,bytes)'],
      false,
    ],
    [
      'on every chain',
      'coinbase',
      encode('function executeWithoutChainIdValidation(bytes[])', [add]),
      ['addOwnerAddress(address)'],
      false,
    ],
    [
      'the deposit',
      'simple-7702',
      execute(entryPointOf('0.8').address, 0n, encode('function withdrawTo(address,uint256)', evil, 1n)),
      ['withdrawTo(address,uint256)'],
      false,
    ],
    ['an unknown function of its own', 'simple-7702', execute(sender, 0n, mint), [mint], true],
    [
      'the address 0 of ERC-7821',
      'openfort-7702',
      modular('01', executions([`0x${'0'.repeat(40)}`, 0n, add])),
      ['addOwnerAddress(address)'],
      false,
    ],
  ])('%s', (_, kind, callData, names, opaque) => {
    const facts = factsOf(kind, callData);
    expect(facts).toMatchObject({ is_admin: true, admin_functions: names, opaque, calls_complete: false });
    expect(holds('!userop.is_admin', facts)).toBe(false);
  });

  it('an upper-case EntryPoint is the same one', () => {
    const shouted = `0x${entryPointOf('0.8').address.slice(2).toUpperCase()}` as Hex;
    expect(
      factsOf(
        'simple-7702',
        encodeFunctionData({
          abi: abi('function execute(address,uint256,bytes)'),
          args: [shouted.toLowerCase(), 0n, '0x'],
        } as never),
      ).is_admin,
    ).toBe(true);
  });
});

describe('15 nested routers: what they are told to call is shown, or the calls are not complete', () => {
  it('Multicall3', () => {
    const transfer = encode('function transfer(address,uint256)', evil, 1n);
    const all = encode('function aggregate3((address,bool,bytes)[])', [[target, true, transfer]]);
    const facts = factsOf('simple-7702', execute(`0x${'ca'.repeat(20)}`, 0n, all));
    expect(facts.calls.map(({ to, depth }) => [to, depth])).toEqual([
      [`0x${'ca'.repeat(20)}`, 0n],
      [target, 1n],
    ]);
    expect(holds(`userop.calls.all(c, c.to == '${target}')`, facts)).toBe(false);
  });

  it('executeComposable builds its calls when it runs: opaque', () => {
    for (const callData of ['0x2c958d26', `0x2c958d26${'00'.repeat(64)}`] as const) {
      expect(factsOf('nexus', callData)).toMatchObject({ opaque: true, calls_complete: false });
      expect(factsOf('nexus', modular('00', packed(sender, 0n, callData)))).toMatchObject({ opaque: true });
    }
  });

  it('a call that is not understood is shown, and is not complete', () => {
    expect(factsOf('simple-7702', execute(target, 0n, mint))).toMatchObject({ calls_complete: false, opaque: false });
  });
});

describe('17 double digest encoding: each kind has its own, and it is not the caller’s choice', () => {
  it('SimpleAccount 0.7 signs a personal message, 0.8 the hash', () => {
    const hash = (version: EntryPointVersion) => userOperationHash(operationOf(version)).toString('hex');
    expect(digestToSign(operationOf('0.8'), { kind: 'simple-0.8' }).toString('hex')).toBe(hash('0.8'));
    expect(digestToSign(operationOf('0.7'), { kind: 'simple-0.7' }).toString('hex')).not.toBe(hash('0.7'));
  });
});

describe('21 address case: addresses are compared as 20 bytes', () => {
  it('in facts and conditions', () => {
    const facts = factsOf('simple-7702', execute(delegate, 0n, mint));
    expect(facts.calls[0]?.to).toBe(delegate.toLowerCase());
    for (const written of [delegate, delegate.toLowerCase(), `0x${delegate.slice(2).toUpperCase()}`]) {
      expect(holds(`userop.calls[0].to == '${written}'`, facts)).toBe(true);
    }
  });
});

describe('22 chain 0 and replayable operations: a fact, and not signed', () => {
  it('an authorization for every chain is seen', () => {
    const facts = factsOf('simple-7702', '0x', { eip7702Auth: { chainId: 0, address: delegate, nonce: 3 } });
    expect(facts.authorization).toEqual({ chain_id: 0n, address: delegate.toLowerCase(), nonce: 3n });
  });

  it('Coinbase’s operations for every chain are refused', () => {
    const replayable = encode('function executeWithoutChainIdValidation(bytes[])', []);
    const onEvery = `0x${(8453n << 64n).toString(16)}`;
    for (const changes of [{ callData: replayable }, { nonce: onEvery }, { callData: replayable, nonce: onEvery }]) {
      const error = thrownBy(() => digestToSign(operationOf('0.6', changes), { kind: 'coinbase' }));
      expect(error.message).toMatch(/valid on every chain/);
    }
  });
});

describe('pinned kind: a selector means what it means in this kind alone', () => {
  it.each<[AccountKind, Hex]>([
    ['simple-0.6', batch([target, 0n, mint])],
    ['simple-0.7', batch([target, 0n, mint])],
    ['simple-0.8', modular('01', executions([target, 0n, mint]))],
    ['openfort-7702', modular('00', packed(target, 0n, mint))],
    [
      'openfort-7702',
      modular(
        '01',
        encodeAbiParameters(parseAbiParameters('(address,uint256,bytes)[],bytes'), [[[target, 0n, mint]], '0x12']),
      ),
    ],
    ['kernel-3', execute(target, 0n, mint)],
    ['safe-4337', execute(target, 0n, mint)],
    ['simple-7702', `0x8dd7712f${execute(target, 0n, mint).slice(2)}`],
    ['kernel-3', `0x8dd7712f8dd7712f${modular('00', packed(target, 0n, mint)).slice(2)}`],
    ['simple-7702', batch()],
    ['simple-7702', '0xb61d27'],
    ['simple-7702', '0x00'],
  ])('%s', (kind, callData) => expect(factsOf(kind, callData)).toMatchObject({ opaque: true, calls_complete: false }));

  it('the facts tell who signs for whom', () => {
    expect(factsOf('kernel-3', '0x')).toMatchObject({
      account_kind: 'kernel-3',
      owner,
      sender,
      chain_id: 31337n,
      entry_point: entryPointOf('0.7').address,
      entry_point_version: '0.7',
    });
  });
});
