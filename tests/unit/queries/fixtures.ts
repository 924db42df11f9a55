/** One organization with something of everything, and a context to ask it in. */
import type { QueryContext } from '../../../src/enclave/answer.ts';
import { answers } from '../../../src/enclave/queries/index.ts';
import {
  type ApiKey,
  type Authenticator,
  noContent,
  type Organization,
  type Policy,
  type PrivateKey,
  type SmartContractInterface,
  type Tag,
  type User,
  type Wallet,
  type WalletAccount,
} from '../../../src/enclave/state.ts';
import { parseJson } from '../../../src/protocol/json.ts';
import { parseRequest } from '../../../src/protocol/parse-request.ts';
import { findQuery } from '../../../src/protocol/queries/index.ts';

/** A UUID that ends in `number`. */
export const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

const times = { createdAt: 1_743_191_135_999, updatedAt: 1_743_191_136_000 };
const byId = <T extends { readonly id: string }>(...entities: T[]): ReadonlyMap<string, T> =>
  new Map(entities.map((entity) => [entity.id, entity]));

export const passkey: Authenticator = {
  id: id(21),
  name: 'Phone',
  credentialId: 'Y3JlZGVudGlhbA',
  publicKey: Uint8Array.from([0xa5, 1, 2, 3, 0x26]),
  rpId: 'localhost',
  aaguid: new Uint8Array(16),
  transports: ['AUTHENTICATOR_TRANSPORT_INTERNAL'],
  backupEligible: true,
  ...times,
};

export const apiKey: ApiKey = {
  id: id(31),
  name: 'Backend',
  publicKey: `02${'ab'.repeat(32)}`,
  curve: 'API_KEY_CURVE_P256',
  type: 'CREDENTIAL_TYPE_API_KEY_P256',
  expirationSeconds: 3600,
  ...times,
};

const { expirationSeconds: _, ...lasting } = apiKey;

export const alice: User = {
  id: id(1),
  name: 'Alice',
  email: 'Alice@Example.com',
  phoneNumber: '+13214567890',
  authenticators: [passkey],
  apiKeys: [apiKey, { ...lasting, id: id(32), publicKey: `03${'cd'.repeat(32)}` }],
  tagIds: [],
  ...times,
};

export const bob: User = { id: id(2), name: 'Bob', authenticators: [], apiKeys: [], tagIds: [id(91)], ...times };

export const wallet: Wallet = { id: id(41), name: 'Main', seedDigest: 'ff', exported: false, imported: true, ...times };

const account = (number: number, change: Partial<WalletAccount> = {}): WalletAccount => ({
  id: id(50 + number),
  walletId: wallet.id,
  curve: 'CURVE_SECP256K1',
  path: `m/44'/60'/0'/0/${number}`,
  addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
  address: `0xAb${String(number).padStart(38, '0')}`,
  publicKey: `02${'ef'.repeat(32)}`,
  ...times,
  ...change,
});

export const privateKey: PrivateKey = {
  id: id(71),
  name: 'Treasury',
  curve: 'CURVE_SECP256K1',
  publicKey: `02${'12'.repeat(32)}`,
  addresses: [{ format: 'ADDRESS_FORMAT_ETHEREUM', address: `0x${'34'.repeat(20)}` }],
  tagIds: [id(92)],
  exported: true,
  imported: false,
  ...times,
};

export const policy: Policy = {
  id: id(81),
  name: 'No transfers',
  effect: 'EFFECT_DENY',
  condition: 'true',
  consensus: 'true',
  notes: '',
  ...times,
};

export const userTag: Tag = { id: id(91), name: 'Ops', type: 'TAG_TYPE_USER', ...times };
export const privateKeyTag: Tag = { id: id(92), name: 'Cold', type: 'TAG_TYPE_PRIVATE_KEY', ...times };

export const contractInterface: SmartContractInterface = {
  id: id(95),
  address: `0x${'56'.repeat(20)}`,
  type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM',
  json: '[ ]',
  label: 'Token',
  notes: '',
  ...times,
};

export const parentId = id(100);

export const organization: Organization = {
  id: id(101),
  parentId,
  settings: {
    name: 'Acme',
    ...times,
    rootQuorum: { threshold: 1, userIds: [alice.id] },
    features: [{ name: 'FEATURE_NAME_OTP_EMAIL_AUTH', value: '' }],
    origins: null,
    rpIds: null,
  },
  ...noContent,
  users: byId(alice, bob),
  policies: byId(policy),
  wallets: byId(wallet, { ...wallet, id: id(42), name: 'Second' }),
  // Made later than the others and yet the first of the map, as after a page was refilled.
  accounts: byId(
    account(9, { walletId: id(42), createdAt: times.createdAt + 1, name: 'Savings' }),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12].map((number) => account(number)),
  ),
  privateKeys: byId(privateKey),
  tags: byId(privateKeyTag, userTag),
  interfaces: byId({ ...contractInterface, id: id(96), createdAt: times.createdAt + 1 }, contractInterface),
  deleted: false,
};

const unasked = () => {
  throw new Error('not asked for here');
};

export const noActivities = { get: async () => undefined, list: async () => [], receipt: async () => undefined };

const nothing: Pick<QueryContext, 'identities' | 'activities' | 'questions' | 'subOrganizations' | 'parentProfiles'> = {
  identities: { find: () => [] },
  activities: noActivities,
  questions: {
    record: async () => undefined,
    records: async () => [],
    idOf: unasked,
    ofRecord: unasked,
    ofPast: unasked,
    ofRequest: unasked,
    ofCaller: unasked,
  },
  subOrganizations: { list: async () => [] },
  parentProfiles: async () => new Map(),
};

export const contextOf = (asked: Organization, change: Partial<QueryContext> = {}): QueryContext => ({
  organization: asked,
  caller: { organization: asked, user: alice },
  now: 1_743_191_140_000,
  ...nothing,
  ...change,
});

/** Asks as a request would: the body is parsed, and the answer is what JSON makes of it. */
export async function ask(
  name: keyof typeof answers,
  fields: object = {},
  context = contextOf(organization),
): Promise<unknown> {
  const query = findQuery(name);
  if (!query) throw new Error(`no query ${name}`);
  const body = { organizationId: context.organization.id, ...fields };
  const request = parseRequest(query, parseJson(Buffer.from(JSON.stringify(body))));
  const answer = answers[name] as (context: QueryContext, request: unknown) => unknown;
  return JSON.parse(JSON.stringify(await answer(context, request)));
}
