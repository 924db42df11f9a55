import { encodeAbiParameters, type Hex, hashMessage, hashTypedData, keccak256, parseAbiParameters } from 'viem';
import { describe, expect, it } from 'vitest';
import { bytesToHex } from '../../../../src/decode/hex.ts';
import {
  type AccountKind,
  accountRules,
  type SmartAccount,
} from '../../../../src/decode/user-operation/account-kinds.ts';
import { digestToSign, wrapSignature } from '../../../../src/decode/user-operation/digest.ts';
import { userOperationHash } from '../../../../src/decode/user-operation/hash.ts';
import { safeOperationTypes } from '../../../../src/decode/user-operation/safe-operation.ts';
import { type EntryPointVersion, entryPoints } from '../../../../src/decode/user-operation/user-operation.ts';
import { thrownBy } from '../thrown-by.ts';
import { entryPointOf, operationOf, paymaster, sender } from './operations.ts';

const kinds = Object.keys(accountRules) as AccountKind[];
const digest = (version: EntryPointVersion, account: SmartAccount) =>
  bytesToHex(digestToSign(operationOf(version), account));
const hash = (version: EntryPointVersion) => bytesToHex(userOperationHash(operationOf(version))) as Hex;

describe('what the key signs', () => {
  it.each(kinds.flatMap((kind) => [...entryPoints.values()].map((version) => [kind, version] as const)))(
    '%s on EntryPoint %s',
    (kind, version) => {
      if (!(accountRules[kind].entryPoints as readonly string[]).includes(version)) {
        expect(thrownBy(() => digest(version, { kind })).message).toBe(
          `there is no ${kind} account for EntryPoint ${version}`,
        );
        return;
      }
      const expected = {
        hash: hash(version),
        personal_message: hashMessage({ raw: hash(version) }),
        safe_operation: kind === 'safe-4337' ? safeDigest(version as '0.6') : '',
      }[accountRules[kind].signs];
      expect(digest(version, { kind })).toBe(expected);
    },
  );

  it('a SafeOp has the type hashes of the modules', () => {
    expect(keccak256(Buffer.from(safeOperationTypes['0.6']))).toBe(
      '0x84aa190356f56b8c87825f54884392a9907c23ee0f8e1ea86336b763faf021bd',
    );
    expect(keccak256(Buffer.from(safeOperationTypes['0.7']))).toBe(
      '0xc03dfc11d8b10bf9cf703d558958c8c42777f785d998c62060d85a4f0ef6ea7f',
    );
  });

  it('binds a SafeOp to a time and to the module', () => {
    const kind = 'safe-4337';
    const bound: SmartAccount = { kind, validAfter: 5n, validUntil: 2n ** 48n - 1n };
    expect(digest('0.7', bound)).toBe(safeDigest('0.7', 5, 2 ** 48 - 1));
    const module = `0x${'99'.repeat(20)}` as Hex;
    expect(digest('0.7', { kind, module })).toBe(safeDigest('0.7', 0, 0, module));
  });

  const modules = {
    '0.6': '0xa581c4A4DB7175302464fF3C06380BC3270b4037',
    '0.7': '0x75cf11467937ce3F2f357CE24ffc3DBF8fD5c226',
  } as const;

  /** By viem, from the module's types. */
  function safeDigest(version: '0.6' | '0.7', validAfter = 0, validUntil = 0, module: Hex = modules[version]) {
    const [, members] = /\((.*)\)/.exec(safeOperationTypes[version]) as unknown as [string, string];
    const fields = members.split(',').map((member) => member.split(' ') as [string, string]);
    const limits = '00000000000000000000000000007530' + '00000000000000000000000000009c40';
    return hashTypedData({
      domain: { chainId: 31337, verifyingContract: module },
      types: { SafeOp: fields.map(([type, name]) => ({ type, name })) },
      primaryType: 'SafeOp',
      message: {
        safe: sender,
        nonce: 7n,
        initCode: '0x',
        callData: `0x${operationOf(version).callData.toString('hex')}`,
        callGasLimit: 100_000n,
        verificationGasLimit: 200_000n,
        preVerificationGas: 50_000n,
        maxFeePerGas: 2_000_000_000n,
        maxPriorityFeePerGas: 1_000_000_000n,
        paymasterAndData: `${paymaster}${version === '0.6' ? '' : limits}abcd`,
        validAfter,
        validUntil,
        entryPoint: entryPointOf(version).address,
      },
    });
  }
});

describe('the signature as the account takes it', () => {
  const signature = Buffer.alloc(65, 7);
  const signed = bytesToHex(signature) as Hex;
  const wrap = (account: SmartAccount) => bytesToHex(wrapSignature(signature, account));
  const typed = (types: string, ...values: unknown[]) =>
    encodeAbiParameters(parseAbiParameters(types) as never, values as never) as Hex;

  it.each([
    'simple-0.6',
    'simple-0.7',
    'simple-0.8',
    'simple-7702',
    'kernel-3',
    'nexus',
    'erc-7579',
    'light-1',
  ] as const)('%s takes it alone', (kind) => expect(wrap({ kind })).toBe(signed));

  it.each<[string, SmartAccount, Hex]>([
    [
      'Coinbase: with the index of the owner',
      { kind: 'coinbase', ownerIndex: 3n },
      typed('(uint256,bytes)', [3n, signed]),
    ],
    ['the first owner otherwise', { kind: 'coinbase' }, typed('(uint256,bytes)', [0n, signed])],
    ['Openfort: with the type of the key', { kind: 'openfort-7702' }, typed('uint8,bytes', 0, signed)],
    [
      'Biconomy: with the module',
      { kind: 'biconomy' },
      typed('bytes,address', signed, '0x0000001c5b32F37F5beA87BDD5374eB2aC54eA8e'),
    ],
    [
      'Biconomy: with a module of its own',
      { kind: 'biconomy', validator: sender },
      typed('bytes,address', signed, sender),
    ],
    ['Light Account 2: with the type of the owner', { kind: 'light-2' }, `0x00${signed.slice(2)}`],
    ['Kernel 2: with the mode', { kind: 'kernel-2' }, `0x00000000${signed.slice(2)}`],
    [
      'Safe: with the times',
      { kind: 'safe-4337', validAfter: 1n, validUntil: 2n ** 48n - 1n },
      `0x000000000001ffffffffffff${signed.slice(2)}`,
    ],
  ])('%s', (_, account, expected) => expect(wrap(account)).toBe(expected));
});
