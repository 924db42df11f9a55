import { randomBytes } from 'node:crypto';
import {
  encodeFunctionData,
  erc20Abi,
  type Hex,
  multicall3Abi,
  parseAbi,
  serializeTransaction,
  type TransactionSerializable,
} from 'viem';
import { createSiweMessage } from 'viem/siwe';
import { beforeAll, describe, expect, test } from 'vitest';
import { activityFacts } from '../../../src/enclave/policy-facts.ts';
import { put, type User } from '../../../src/enclave/state.ts';
import type { Submission } from '../../../src/enclave/submission.ts';
import { countVotes } from '../../../src/enclave/votes.ts';
import { conditionSchema } from '../../../src/policy/schema/condition.ts';
import { consensusSchema } from '../../../src/policy/schema/consensus.ts';
import { timeSchema } from '../../../src/policy/schema/time.ts';
import type { Field, Schema, Type, Value } from '../../../src/policy/types.ts';
import type { Facts } from '../../../src/policy/values.ts';
import { parseParameters } from '../../../src/protocol/parse-parameters.ts';
import { activities, findActivity } from '../../../src/protocol/registry.ts';
import { createWorld, newApiKey, now, type World } from '../../support/effect-context.ts';

// What `decide` relies on, as it evaluates strict clauses that cannot err in short: of a namespace that is there, every field is.

type Fields = { readonly [name: string]: Field };

/** What facts have that the schema does not say, and the other way round; `seen` gets every place of the schema that was met. */
function misfits(fields: Fields, values: object, path: string, seen: Set<string>): string[] {
  const given = values as { readonly [name: string]: Value | undefined };
  const unknown = namesIn(values).filter((name) => given[name] !== undefined && !Object.hasOwn(fields, name));
  return [
    ...unknown.map((name) => `${path}.${name}: not in the schema`),
    ...Object.entries(fields).flatMap(([name, field]) => {
      const value = given[name];
      const place = `${path}.${name}`;
      if (value === undefined) return mayBeAbsent(field) ? [] : [`${place}: absent`];
      seen.add(place);
      return misfit(field.type, value, place, seen);
    }),
  ];
}

/** Of a group of namespaces, such as `eth`, all may be absent. */
const mayBeAbsent = ({ namespace, optional, default: preset, type }: Field): boolean =>
  namespace === true ||
  optional === true ||
  preset !== undefined ||
  (type.kind === 'struct' && Object.values(type.fields).every((field) => field.namespace));

/** Inherited ones too: some are worked out when they are first read. */
function namesIn(values: object): string[] {
  const names: string[] = [];
  for (const name in values) names.push(name);
  return names;
}

function misfit(type: Type, value: Value, path: string, seen: Set<string>): string[] {
  if (type.kind === 'struct') {
    if (!isPlain(value)) return [`${path}: no struct`];
    return 'toString' in value ? [`${path}: inherits`] : misfits(type.fields, value, path, seen);
  }
  if (type.kind === 'list') {
    if (!Array.isArray(value)) return [`${path}: no list`];
    const tooLong = value.length > type.maxItems ? [`${path}: more than ${type.maxItems} items`] : [];
    return [...tooLong, ...value.flatMap((item) => misfit(type.element, item, `${path}[]`, seen))];
  }
  if (type.kind === 'map') {
    if (!(value instanceof Map)) return [`${path}: no map`];
    return [...value].flatMap(([key, item]) => [
      ...misfit(type.key, key, `${path} key`, seen),
      ...misfit(type.value, item, `${path}{}`, seen),
    ]);
  }
  return isScalar(type, value) ? [] : [`${path}: ${typeof value} ${String(value)} is no ${type.kind}`];
}

const isPlain = (value: Value): value is { readonly [name: string]: Value | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);

function isScalar(type: Type, value: Value): boolean {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'caseless':
      return typeof value === 'string' && value === value.toLowerCase();
    case 'address':
      return typeof value === 'string' && /^(?:0x[0-9a-f]{40})?$/.test(value);
    case 'int':
      return typeof value === 'bigint' && BigInt.asIntN(type.wide ? 257 : 64, value) === value;
    case 'uint':
      return typeof value === 'bigint' && BigInt.asUintN(type.wide ? 256 : 64, value) === value;
    case 'timestamp':
    case 'duration':
      return typeof value === 'bigint';
    case 'value':
      return isDecoded(value);
    default:
      return false;
  }
}

/** An argument or a member: only the data tell its type. */
function isDecoded(value: Value): boolean {
  if (Array.isArray(value)) return value.every(isDecoded);
  if (value instanceof Map) return [...value.values()].every(isDecoded);
  return ['string', 'bigint', 'boolean'].includes(typeof value);
}

const schema: Schema = { ...conditionSchema, ...timeSchema };
const seenInFacts = new Set<string>();
const expectFit = (facts: Facts): void => expect(misfits(schema, facts, 'facts', seenInFacts)).toEqual([]);

let world: World;
let address: Hex;
let bitcoinAddress: string;
let keyAddress: string;
let keyId: string;
beforeAll(async () => {
  world = createWorld();
  const { id } = world.parent;
  const { addresses } = await world.run(id, 'CREATE_WALLET', {
    walletName: 'w',
    accounts: ['ETHEREUM', 'BITCOIN_MAINNET_P2TR'].map((format, index) => account(index, format)),
  });
  [address, bitcoinAddress] = addresses;
  const { privateKeys } = await world.run(id, 'CREATE_PRIVATE_KEYS_V2', {
    privateKeys: [
      {
        privateKeyName: 'k',
        curve: 'CURVE_SECP256K1',
        privateKeyTags: [],
        addressFormats: ['ADDRESS_FORMAT_ETHEREUM'],
      },
    ],
  });
  keyId = privateKeys[0].privateKeyId;
  keyAddress = privateKeys[0].addresses[0].address;
  await world.run(id, 'CREATE_SMART_CONTRACT_INTERFACE', {
    smartContractAddress: token,
    smartContractInterface: JSON.stringify(parseAbi(['function transfer(address to, uint256 amount)'])),
    type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM',
    label: 'token',
  });
});

const account = (index: number, format = 'ETHEREUM') => ({
  curve: 'CURVE_SECP256K1',
  pathFormat: 'PATH_FORMAT_BIP32',
  path: `m/44'/60'/0'/0/${index}`,
  addressFormat: `ADDRESS_FORMAT_${format}`,
});

const factsOf = (name: string, parameters: unknown, origin: string | null = null): Facts[] => {
  const type = `ACTIVITY_TYPE_${name}`;
  const found = findActivity(type);
  if (!found) throw new Error(`no activity of type ${type}`);
  const submission = { ...found, type, parameters: parseParameters(found.version, parameters) };
  return activityFacts(submission as unknown as Submission, world.organization(world.parent.id), now, origin);
};

const [token, other] = ['a', 'b'].map((digit) => `0x${digit.repeat(40)}`) as [Hex, Hex];
const transfer = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [other, 5n] });
const multicall = encodeFunctionData({
  abi: multicall3Abi,
  functionName: 'aggregate3',
  args: [[{ target: other, allowFailure: false, callData: transfer }]],
});
const base = { chainId: 10, nonce: 5, gas: 60_000n, to: token, value: 7n, data: transfer } as const;
const fees = { maxFeePerGas: 30n, maxPriorityFeePerGas: 2n } as const;
const accessList = [{ address: other, storageKeys: [`0x${'22'.repeat(32)}`] }] as const;
const authorization = { chainId: 10, address: token, nonce: 3, r: '0x01', s: '0x02', yParity: 0 } as const;

const transactions: readonly (readonly [string, TransactionSerializable])[] = [
  ['legacy', { type: 'legacy', ...base, gasPrice: 9n }],
  ['bound to no chain, creating a contract', { type: 'legacy', nonce: 5, gas: 60_000n, gasPrice: 9n, data: '0x6001' }],
  ['EIP-2930', { type: 'eip2930', ...base, gasPrice: 9n, accessList }],
  ['EIP-1559', { type: 'eip1559', ...base, ...fees }],
  ['with a call inside', { type: 'eip1559', ...base, ...fees, data: multicall, to: other }],
  ['with arguments that are not decoded', { type: 'eip1559', ...base, ...fees, data: `${transfer}00` }],
  ['with an unknown function', { type: 'eip1559', ...base, ...fees, data: '0xdeadbeef' }],
  ['without calldata', { type: 'eip1559', ...base, ...fees, data: '0x' }],
  [
    'EIP-4844',
    { type: 'eip4844', ...base, ...fees, blobVersionedHashes: [`0x01${'33'.repeat(31)}`], maxFeePerBlobGas: 4n },
  ],
  ['EIP-7702', { type: 'eip7702', ...base, ...fees, authorizationList: [authorization] }],
];

test.each(transactions)('a transaction: %s', (_, transaction) => {
  const unsignedTransaction = serializeTransaction(transaction);
  const type = 'TRANSACTION_TYPE_ETHEREUM';
  for (const signWith of [address, keyId, bitcoinAddress]) {
    const [facts, ...others] = factsOf('SIGN_TRANSACTION_V2', { signWith, type, unsignedTransaction });
    expect(others).toEqual([]);
    expectFit(facts as Facts);
  }
  expectFit(raw(unsignedTransaction, 'HEXADECIMAL', 'KECCAK256'));
});

const raw = (payload: string, encoding: string, hashFunction: string): Facts => {
  const [facts] = factsOf(
    'SIGN_RAW_PAYLOAD_V2',
    {
      signWith: keyAddress,
      payload,
      encoding: `PAYLOAD_ENCODING_${encoding}`,
      hashFunction: `HASH_FUNCTION_${hashFunction}`,
    },
    'https://wallet.example',
  );
  return facts as Facts;
};
const kindOf = (facts: Facts): Value | undefined => (facts.payload as { readonly kind: Value }).kind;

describe('typed data', () => {
  const typesOf = (...structs: string[]) =>
    Object.fromEntries(
      structs.map((text) => {
        const [, name = '', members = ''] = /^(\w+)\((.*)\)$/.exec(text) ?? [];
        const fields = members.split(',').map((member) => member.split(' '));
        return [name, fields.map(([type, field]) => ({ type, name: field }))];
      }),
    );
  const domain = { name: 'D', version: '1', chainId: 1, verifyingContract: token };
  const permit2 = { ...domain, verifyingContract: '0x000000000022D473030F116dDEE9F6B43aC78BA3' };
  const details = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)';
  const permitted = 'TokenPermissions(address token,uint256 amount)';
  const detail = { token, amount: 5, expiration: 9, nonce: 1 };
  const taking = { spender: other, nonce: 1, deadline: 9 };
  const authorized = '(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)';
  const transferred = {
    from: token,
    to: other,
    value: '5',
    validAfter: 0,
    validBefore: 9,
    nonce: `0x${'44'.repeat(32)}`,
  };
  const safe =
    'SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)';
  const zero = `0x${'0'.repeat(40)}`;
  const wrapped = ',string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)';

  test.each<[string, object, readonly string[], object]>([
    [
      'unknown',
      { name: 'D', salt: `0x${'55'.repeat(32)}` },
      ['Order(Item[] items,uint256 amount,string memo,bool open,bytes4 tag)', 'Item(address token,int8 delta)'],
      { items: [{ token, delta: -5 }], amount: '9', memo: 'Hi', open: true, tag: '0xABCDEF01' },
    ],
    [
      'permit',
      domain,
      ['Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)'],
      { owner: other, spender: token, value: 5, nonce: 0, deadline: 9 },
    ],
    [
      'dai_permit',
      domain,
      ['Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)'],
      { holder: other, spender: token, nonce: 0, expiry: 0, allowed: true },
    ],
    ['transfer_with_authorization', domain, [`TransferWithAuthorization${authorized}`], transferred],
    ['receive_with_authorization', domain, [`ReceiveWithAuthorization${authorized}`], transferred],
    [
      'permit2_single',
      permit2,
      ['PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)', details],
      { details: detail, spender: other, sigDeadline: 9 },
    ],
    [
      'permit2_batch',
      permit2,
      ['PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)', details],
      { details: [detail, detail], spender: other, sigDeadline: 9 },
    ],
    [
      'permit2_transfer',
      permit2,
      ['PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)', permitted],
      { permitted: { token, amount: 5 }, ...taking },
    ],
    [
      'permit2_batch_transfer',
      permit2,
      [
        'PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline)',
        permitted,
      ],
      { permitted: [{ token, amount: 5 }], ...taking },
    ],
    [
      'safe_tx',
      domain,
      [safe],
      {
        to: other,
        value: 1,
        data: transfer,
        operation: 0,
        safeTxGas: 0,
        baseGas: 0,
        gasPrice: 0,
        gasToken: zero,
        refundReceiver: zero,
        nonce: 3,
      },
    ],
    [
      'erc7739_typed_data',
      domain,
      [
        `TypedDataSign(Permit contents${wrapped}`,
        'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)',
      ],
      {
        contents: { owner: other, spender: token, value: 5, nonce: 0, deadline: 9 },
        ...{ name: 'A', version: '1', chainId: 1, verifyingContract: other, salt: `0x${'0'.repeat(64)}` },
      },
    ],
    [
      'erc7739_personal_sign',
      domain,
      ['PersonalSign(bytes prefixed)'],
      { prefixed: `0x${Buffer.from('\x19Ethereum Signed Message:\n5Hello').toString('hex')}` },
    ],
  ])('%s', (kind, given, structs, message) => {
    const types = typesOf(...structs);
    const text = JSON.stringify({ domain: given, types, primaryType: Object.keys(types)[0], message });
    const facts = raw(text, 'EIP712', 'NO_OP');
    const { eip_712 } = facts.eth as { readonly eip_712: { readonly known: { readonly kind: string } } };
    expect(eip_712.known.kind).toBe(kind);
    expectFit(facts);
  });
});

describe('payloads', () => {
  const personal = (message: string): string => `\x19Ethereum Signed Message:\n${Buffer.byteLength(message)}${message}`;
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  const transaction = serializeTransaction({ type: 'eip1559', ...base, ...fees });
  const siwe = {
    domain: 'example.com',
    address: `0x${'52908400098527886e0f7030069857d2e4169ee7'.toUpperCase()}`,
    uri: 'https://example.com',
    version: '1',
    chainId: 10,
    nonce: 'abcd1234',
  } as const;
  const fullSiwe = {
    ...siwe,
    scheme: 'https',
    statement: 'Hello',
    requestId: '7',
    resources: ['https://example.com/a'],
    issuedAt: new Date(now),
    expirationTime: new Date(now + 1),
    notBefore: new Date(now),
  };

  test.each<[string, string, string, string]>([
    ['digest', 'ab'.repeat(32), 'HEXADECIMAL', 'NO_OP'],
    ['personal_message', hex(personal('hello')), 'HEXADECIMAL', 'KECCAK256'],
    ['personal_message', personal('hello'), 'TEXT_UTF8', 'KECCAK256'],
    ['siwe', personal(createSiweMessage(siwe)), 'TEXT_UTF8', 'KECCAK256'],
    ['siwe', personal(createSiweMessage(fullSiwe)), 'TEXT_UTF8', 'KECCAK256'],
    ['malformed_siwe', personal(`${createSiweMessage(siwe)} `), 'TEXT_UTF8', 'KECCAK256'],
    ['text', 'hello', 'TEXT_UTF8', 'SHA256'],
    ['bytes', 'ff00ff', 'HEXADECIMAL', 'KECCAK256'],
    ['transaction', transaction, 'HEXADECIMAL', 'KECCAK256'],
    ['authorization', `05d70194${token.slice(2)}03`, 'HEXADECIMAL', 'KECCAK256'],
    ['typed_data_hashes', `1901${'ab'.repeat(64)}`, 'HEXADECIMAL', 'KECCAK256'],
    ['validator_data', `1900${'ab'.repeat(64)}`, 'HEXADECIMAL', 'KECCAK256'],
    ['authorization', JSON.stringify({ chainId: 1, address: token, nonce: '3' }), 'EIP7702_AUTHORIZATION', 'NO_OP'],
  ])('%s', (kind, payload, encoding, hashFunction) => {
    const facts = raw(payload, encoding, hashFunction);
    expect(kindOf(facts)).toBe(kind);
    expectFit(facts);
  });

  test('several', () => {
    const form = { encoding: 'PAYLOAD_ENCODING_TEXT_UTF8', hashFunction: 'HASH_FUNCTION_KECCAK256' };
    const all = factsOf('SIGN_RAW_PAYLOADS', { signWith: address, payloads: [personal('one'), 'two'], ...form });
    expect(all.map(kindOf)).toEqual(['personal_message', 'text']);
    for (const facts of all) expectFit(facts);
  });
});

test('user operations', async () => {
  const safe = { signWith: address, address: other, entryPoint: '0x0000000071727De22E5E9d8BAf0edAc6f37da032' };
  await world.run(world.parent.id, 'CREATE_SMART_ACCOUNT', {
    smartAccountName: 's',
    accountKind: 'safe-4337',
    ...safe,
  });
  const executeUserOp = parseAbi(['function executeUserOp(address,uint256,bytes,uint8)']);
  const gas = {
    ...{ callGasLimit: '0x1', verificationGasLimit: '0x1', preVerificationGas: '0x1' },
    ...{ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x1' },
  };
  const timed = factsOf('SIGN_USER_OPERATION', {
    ...{ signWith: address, chainId: '1', entryPoint: safe.entryPoint, validUntil: '9' },
    userOperation: {
      ...{
        sender: other,
        nonce: '0x1',
        callData: encodeFunctionData({ abi: executeUserOp, args: [token, 1n, transfer, 0] }),
      },
      ...gas,
    },
  });
  const eip7702Auth = { chainId: '0x1', address: '0xe6Cae83BdE06E4c305530e199D7217f42808555B', nonce: '0x0' };
  const authorizing = factsOf('SIGN_USER_OPERATION', {
    ...{ signWith: address, chainId: '1', entryPoint: '0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108' },
    userOperation: { sender: address, nonce: '0x1', callData: '0x12345678', factory: '0x7702', eip7702Auth, ...gas },
  });
  for (const facts of [...timed, ...authorizing]) expectFit(facts);
});

test('what signs nothing', () => {
  const ids = [world.parent.id];
  expectFit(factsOf('DELETE_USERS', { userIds: ids })[0] as Facts);
  expectFit(factsOf('CREATE_API_KEYS_V2', { userId: ids[0], apiKeys: [newApiKey()] })[0] as Facts);
  expectFit(factsOf('DELETE_API_KEYS', { userId: ids[0], apiKeyIds: ids })[0] as Facts);
  expectFit(factsOf('UPDATE_WALLET', { walletId: ids[0], walletName: 'x' })[0] as Facts);
});

test('what changes or deletes wallets and keys', () => {
  const { wallets, accounts } = world.organization(world.parent.id);
  const [[walletId = ''] = [], accountIds] = [[...wallets.keys()], [...accounts.keys()]];
  const namesOf = (name: string, parameters: object): string[] => {
    const [facts, ...others] = factsOf(name, parameters) as [Facts, ...Facts[]];
    expect(others).toEqual([]);
    expectFit(facts);
    return Object.keys(facts).filter((root) => /wallet|key/.test(root));
  };
  expect(namesOf('UPDATE_WALLET', { walletId, walletName: 'x' })).toEqual(['wallet']);
  expect(namesOf('CREATE_WALLET_ACCOUNTS', { walletId, accounts: [account(5)] })).toEqual(['wallet']);
  expect(namesOf('DELETE_WALLETS', { walletIds: [walletId] })).toEqual(['wallets']);
  expect(namesOf('DELETE_WALLET_ACCOUNTS', { walletAccountIds: accountIds })).toEqual(['wallets', 'wallet_accounts']);
  expect(namesOf('DELETE_PRIVATE_KEYS', { privateKeyIds: [keyId] })).toEqual(['private_keys']);
  // What is not there is for the effect to refuse.
  expect(namesOf('UPDATE_WALLET', { walletId: keyId, walletName: 'x' })).toEqual([]);
});

test('every kind that signs is here', () => {
  const signing = activities.map(({ name }) => name).filter((name) => name.startsWith('sign_'));
  expect(signing.sort()).toEqual([
    'sign_raw_payload',
    'sign_raw_payloads',
    'sign_transaction',
    'sign_user_operation',
    'sign_user_operation_intent',
  ]);
});

test('all that the schema says of what is signed was there once', () => {
  // What no activity of today carries.
  const absent = /^facts\.(?:solana|tron|bitcoin|tempo|secret)\b|\.path_(?:indexes|hardened)$|\.params\./;
  const missing = placesIn(schema, 'facts').filter((place) => !seenInFacts.has(place) && !absent.test(place));
  expect(missing).toEqual([]);
});

function placesIn(fields: Fields, path: string): string[] {
  return Object.entries(fields).flatMap(([name, { type }]) => [
    `${path}.${name}`,
    ...placesOf(type, `${path}.${name}`),
  ]);
}

function placesOf(type: Type, path: string): string[] {
  if (type.kind === 'struct') return placesIn(type.fields, path);
  return type.kind === 'list' ? placesOf(type.element, `${path}[]`) : [];
}

test('approvers and their credentials', () => {
  const organization = world.organization(world.parent.id);
  const [root] = organization.users.values() as Iterable<User>;
  if (!root) throw new Error('no user');
  const passkey = {
    id: 'passkey',
    name: 'passkey',
    credentialId: 'AAAA',
    publicKey: randomBytes(77),
    rpId: 'localhost',
    aaguid: Buffer.alloc(16),
    transports: [],
    backupEligible: true,
    createdAt: now - 5,
    updatedAt: now,
  };
  const person: User = {
    ...root,
    id: 'person',
    email: 'a@example.com',
    tagIds: ['tag'],
    apiKeys: [],
    authenticators: [passkey],
  };
  const authenticatorData = Buffer.concat([Buffer.alloc(32), Buffer.from('1d00000007', 'hex')]);
  const { credentialId, publicKey } = passkey;
  const stamps = [
    [
      'person',
      {
        kind: 'passkey',
        credentialId,
        publicKey,
        authenticatorData,
        clientDataJson: Buffer.alloc(0),
        signature: Buffer.alloc(0),
      },
    ],
    [root.id, { kind: 'apiKey', publicKey: root.apiKeys[0]?.publicKey as string, scheme: '', signature: '' }],
  ] as const;
  const votes = stamps.map(([userId, stamp]) => ({
    id: userId,
    userId,
    stamp,
    selection: 'VOTE_SELECTION_APPROVED' as const,
    createdAt: now,
  }));
  const users = put(organization.users, person);
  const { approvers, credentials } = countVotes(votes, { ...organization, users }, now);
  expect([approvers.length, credentials.length]).toEqual([2, 2]);
  const [common] = factsOf('UPDATE_WALLET', { walletId: organization.id, walletName: 'x' });
  const seen = new Set<string>();
  const facts = { organization: common?.organization, now: common?.now, approvers, credentials };
  expect(misfits(consensusSchema, facts, 'facts', seen)).toEqual([]);
  expect(placesIn(consensusSchema, 'facts').filter((place) => !seen.has(place))).toEqual([]);
  // Of those who have not voted as well.
  const imagined = countVotes([], { ...organization, users }, now).others();
  expect(imagined).toHaveLength(2);
  const all = {
    ...facts,
    approvers: imagined.map(({ user }) => user),
    credentials: imagined.flatMap((each) => each.credentials),
  };
  expect(misfits(consensusSchema, all, 'facts', seen)).toEqual([]);
});
