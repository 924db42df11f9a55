/**
 * The parent organization as the attacker of DESIGN §1: it made the sub-organizations and reads them. It cannot sign with,
 * change, add a credential to, or delete one that it holds no credential in.
 */
import { entryPoint08Address } from 'viem/account-abstraction';
import { serializeTransaction } from 'viem/utils';
import { beforeAll, describe, expect, test } from 'vitest';
import { orderDone, placeOrder } from '../../src/cli/orders.ts';
import { newCredentials } from '../../src/cli/root-file.ts';
import { activities, queries } from '../../src/protocol/registry.ts';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import type { Stamp } from '../../src/stamping/stamp.ts';
import { newRegistration } from '../support/registration.ts';
import {
  createResident,
  ethereumAccount,
  newPasskey,
  type Resident,
  readAll,
  sign,
  signing,
} from '../support/resident.ts';
import { parent, service, useService, wire } from '../support/use-service.ts';
import { activityBody, type Caller, query, reasonOf, resultOf, rootCaller, submit } from '../support/wire.ts';

useService();
let otherParent: Caller;
let alice: Resident;

beforeAll(async () => {
  alice = await createResident(wire, parent, 'Alice');
  const credentials = newCredentials(service.baseUrl);
  const names = { organizationName: 'Other company', userName: 'Root user', apiKeyName: 'Root key' };
  placeOrder(service.dataDir, credentials, names);
  await orderDone(service.dataDir, credentials.organizationId, AbortSignal.timeout(60_000));
  otherParent = rootCaller({ ...service.root, ...credentials });
});

const inside = (caller: Caller, organizationId: string): Caller => ({ ...caller, organizationId });
const apiKeyParameters = ({ publicKey } = generateApiKey()) => ({
  apiKeyName: 'another key',
  publicKey,
  curveType: 'API_KEY_CURVE_P256',
});
const passkeyParameters = (passkey = newPasskey()) => ({ authenticatorName: 'another', ...passkey.register() });
const rootUserParameters = (name: string) => ({
  userName: name,
  apiKeys: [apiKeyParameters()],
  authenticators: [passkeyParameters()],
  oauthProviders: [],
});
const userParameters = (name: string) => ({ ...rootUserParameters(name), userTags: [] });

/** What there is to be named in an organization, beyond what every resident has. */
type Things = {
  otherUserId: string;
  otherApiKeyId: string;
  otherAuthenticatorId: string;
  policyIds: [string, string, string];
  accountId: string;
  smartAccountId: string;
  userTagId: string;
  privateKeyTagId: string;
  smartContractInterfaceId: string;
  mfaPolicyId: string;
  sessionProfileId: string;
};

const abi = (index: number) => ({
  smartContractAddress: `0x${String(index).padStart(40, '0')}`,
  smartContractInterface: '[]',
  ...{ type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM', label: 'abi' },
});

const sessionProfile = { sessionProfileName: 'signing', scope: "activity.action == 'SIGN'" };
const mfaPolicy = (userId: string, order: number) => ({
  ...{ userId, mfaPolicyName: 'a', condition: "activity.action == 'EXPORT'", order },
  requiredAuthenticationMethods: [{ any: [{ type: 'AUTHENTICATION_TYPE_PASSKEY' }] }],
});

async function furnish(owner: Resident): Promise<Things> {
  const users = [userParameters('Housemate')];
  const made = resultOf(await submit(wire, owner.byPasskey, 'create_users', 'CREATE_USERS_V4', { users }));
  const [otherUserId] = made.userIds as [string];
  const policy = { policyName: 'a', effect: 'EFFECT_ALLOW', condition: 'true', consensus: 'true', notes: '' };
  const policies = ['a', 'b', 'c'].map((policyName) => ({ ...policy, policyName }));
  const stored = resultOf(await submit(wire, owner.byPasskey, 'create_policies', 'CREATE_POLICIES', { policies }));
  const { body } = await query(wire, owner.byPasskey, 'get_user', { userId: otherUserId });
  const user = body.user as { apiKeys: [{ apiKeyId: string }]; authenticators: [{ authenticatorId: string }] };
  const listed = await query(wire, owner.byPasskey, 'list_wallet_accounts', { walletId: owner.walletId });
  const idFrom = async (name: string, parameters: object, member: string) =>
    resultOf(await submit(wire, owner.byPasskey, name, newestType(name), parameters))[member] as string;
  const userTag = { userTagName: 'a', userIds: [otherUserId] };
  const privateKeyTag = { privateKeyTagName: 'a', privateKeyIds: [owner.privateKeyId] };
  return {
    userTagId: await idFrom('create_user_tag', userTag, 'userTagId'),
    privateKeyTagId: await idFrom('create_private_key_tag', privateKeyTag, 'privateKeyTagId'),
    smartContractInterfaceId: await idFrom('create_smart_contract_interface', abi(1), 'smartContractInterfaceId'),
    mfaPolicyId: await idFrom('create_mfa_policy', mfaPolicy(otherUserId, 0), 'mfaPolicyId'),
    smartAccountId: await idFrom('create_smart_account', smartAccount(owner, 1), 'smartAccountId'),
    sessionProfileId: await idFrom('create_session_profile', sessionProfile, 'sessionProfileId'),
    otherUserId,
    otherApiKeyId: user.apiKeys[0].apiKeyId,
    otherAuthenticatorId: user.authenticators[0].authenticatorId,
    policyIds: stored.policyIds as [string, string, string],
    accountId: (listed.body.accounts as { walletAccountId: string }[])[1]?.walletAccountId as string,
  };
}

const transaction = serializeTransaction({
  ...({ type: 'eip1559', chainId: 1, nonce: 0, gas: 21_000n, value: 1n } as const),
  ...{ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, to: '0x0000000000000000000000000000000000000001' },
});

const smartAccount = ({ addresses }: Resident, index: number) => ({
  smartAccountName: `account ${index}`,
  address: `0x${String(index).repeat(40)}`,
  signWith: addresses[1],
  accountKind: 'simple-0.8',
  entryPoint: entryPoint08Address,
});
const operation = ({ addresses }: Resident) => ({
  signWith: addresses[0],
  chainId: '1',
  entryPoint: entryPoint08Address,
  delegate: '0xe6cae83bde06e4c305530e199d7217f42808555b',
});
const calls = ({ addresses }: Resident) => ({ sender: addresses[0], nonce: '0x0', factory: '0x7702', callData: '0x' });
const gas = {
  ...{ callGasLimit: '0x1', verificationGasLimit: '0x1', preVerificationGas: '0x1' },
  ...{ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x1' },
};
const limits = { maxCost: '3', validUntil: '9999999999', paymasters: [] };
/** What is filled in of an intent. */
const completing = (name: string) =>
  name === 'sign_user_operation_intent' ? { completion: Buffer.from(JSON.stringify(gas)).toString('base64url') } : {};

/** Parameters with which the owner carries out each activity, in an order in which all of them can be. */
function plausible(owner: Resident, things: Things): Record<string, object> {
  const { userId, walletId, addresses, privateKeyId } = owner;
  const { otherUserId, otherApiKeyId, otherAuthenticatorId, policyIds, accountId } = things;
  const { userTagId, privateKeyTagId, smartContractInterfaceId } = things;
  const { payload, ...form } = signing(addresses[0]);
  const policy = { effect: 'EFFECT_ALLOW', condition: 'true', consensus: 'true', notes: '' };
  const rootUsers = [rootUserParameters('Root')];
  return {
    create_sub_organization: { subOrganizationName: 'sub', rootQuorumThreshold: 1, rootUsers },
    update_organization_name: { organizationName: 'renamed' },
    update_root_quorum: { threshold: 1, userIds: [userId, otherUserId] },
    set_organization_feature: { name: 'FEATURE_NAME_WEBAUTHN_ORIGINS', value: 'http://localhost:3000' },
    remove_organization_feature: { name: 'FEATURE_NAME_WEBAUTHN_ORIGINS' },
    create_users: { users: [userParameters('New')] },
    create_api_only_users: {
      apiOnlyUsers: [
        { userName: 'Robot', apiKeys: [{ apiKeyName: 'k', publicKey: generateApiKey().publicKey }], userTags: [] },
      ],
    },
    update_user: { userId: otherUserId, userName: 'a' },
    update_user_name: { userId: otherUserId, userName: 'b' },
    update_user_email: { userId: otherUserId, userEmail: 'evil@example.com' },
    update_user_phone_number: { userId: otherUserId, userPhoneNumber: '+491701234567' },
    create_authenticators: { userId, authenticators: [passkeyParameters()] },
    create_api_keys: { userId, apiKeys: [apiKeyParameters()] },
    create_wallet: { walletName: 'new', accounts: [ethereumAccount(0)] },
    update_wallet: { walletId, walletName: 'renamed' },
    create_wallet_accounts: { walletId, accounts: [ethereumAccount(7)] },
    create_private_keys: {
      privateKeys: [{ privateKeyName: 'new', curve: 'CURVE_ED25519', privateKeyTags: [], addressFormats: [] }],
    },
    create_user_tag: { userTagName: 'b', userIds: [userId] },
    update_user_tag: { userTagId, addUserIds: [userId], removeUserIds: [otherUserId] },
    create_private_key_tag: { privateKeyTagName: 'b', privateKeyIds: [privateKeyId] },
    update_private_key_tag: { privateKeyTagId, newPrivateKeyTagName: 'renamed' },
    create_smart_contract_interface: abi(2),
    sign_raw_payload: { ...form, payload },
    sign_raw_payloads: { ...form, payloads: [payload] },
    sign_user_operation: { ...operation(owner), userOperation: { ...calls(owner), ...gas } },
    sign_user_operation_intent: { ...operation(owner), userOperation: calls(owner), limits },
    sign_transaction: { signWith: addresses[0], unsignedTransaction: transaction, type: 'TRANSACTION_TYPE_ETHEREUM' },
    create_policy: { policyName: 'd', ...policy },
    create_policies: { policies: [{ policyName: 'e', ...policy }] },
    update_policy: { policyId: policyIds[0], policyEffect: 'EFFECT_DENY' },
    delete_policy: { policyId: policyIds[1] },
    delete_policies: { policyIds: [policyIds[2]] },
    create_smart_account: smartAccount(owner, 2),
    delete_smart_accounts: { smartAccountIds: [things.smartAccountId] },
    create_session_profile: sessionProfile,
    create_mfa_policy: mfaPolicy(otherUserId, 1),
    update_mfa_policy: { userId: otherUserId, mfaPolicyId: things.mfaPolicyId, order: 2 },
    delete_mfa_policy: { userId: otherUserId, mfaPolicyId: things.mfaPolicyId },
    delete_user_tags: { userTagIds: [userTagId] },
    delete_private_key_tags: { privateKeyTagIds: [privateKeyTagId] },
    delete_smart_contract_interface: { smartContractInterfaceId },
    delete_api_keys: { userId: otherUserId, apiKeyIds: [otherApiKeyId] },
    delete_authenticators: { userId: otherUserId, authenticatorIds: [otherAuthenticatorId] },
    delete_wallet_accounts: { walletAccountIds: [accountId], deleteWithoutExport: true },
    delete_private_keys: { privateKeyIds: [privateKeyId], deleteWithoutExport: true },
    delete_wallets: { walletIds: [walletId], deleteWithoutExport: true },
    delete_users: { userIds: [otherUserId] },
    delete_sub_organization: { deleteWithoutExport: true },
  };
}

const newestType = (name: string): string => {
  const activity = activities.find((each) => each.name === name);
  return Object.keys(activity?.versions ?? {})
    .at(-1)
    ?.replace('ACTIVITY_TYPE_', '') as string;
};

/** What each query asks, by what the organization has. */
async function questions(owner: Resident, things: Things): Promise<Record<string, object>> {
  const { userId, walletId, privateKeyId, addresses } = owner;
  const listed = await query(wire, owner.byPasskey, 'list_activities');
  const [activity] = listed.body.activities as [{ id: string }];
  return {
    ...{ whoami: {}, get_organization: {}, get_organization_configs: {}, list_users: {}, list_wallets: {} },
    ...{ list_private_keys: {}, list_policies: {}, list_activities: {}, get_user: { userId } },
    get_authenticator: { authenticatorId: things.otherAuthenticatorId },
    get_authenticators: { userId },
    get_api_key: { apiKeyId: things.otherApiKeyId },
    ...{ get_api_keys: { userId }, get_oauth_providers: { userId }, get_wallet: { walletId } },
    get_wallet_account: { walletId, address: addresses[0] },
    list_wallet_accounts: { walletId },
    get_private_key: { privateKeyId },
    get_policy: { policyId: things.policyIds[0] },
    ...{ get_activity: { activityId: activity.id }, get_receipt: { activityId: activity.id } },
    get_mfa_policies: { userId: things.otherUserId },
    get_mfa_policy: { userId: things.otherUserId, mfaPolicyId: things.mfaPolicyId },
    get_mfa_status: { activityId: activity.id },
    ...{ get_session_profiles: {}, get_session_profile: { sessionProfileId: things.sessionProfileId } },
    ...{ list_user_tags: {}, list_private_key_tags: {}, list_smart_contract_interfaces: {}, list_smart_accounts: {} },
    get_smart_contract_interface: { smartContractInterfaceId: things.smartContractInterfaceId },
    ...{ list_suborgs: {}, list_verified_suborgs: {} },
    ...{ check_policy: { condition: 'true' }, format_policy: { condition: 'true' } },
    ...{ get_policy_evaluations: { activityId: activity.id }, explain_activity: { activityId: activity.id } },
    replay_policies: { policies: [], activityIds: [activity.id] },
    explain_request: { request: sentBy(owner.byApiKey) },
    get_activity_facts: { activityId: activity.id },
    dry_run: { activity: { type: 'ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION', parameters: { deleteWithoutExport: true } } },
  };
}

/** A request as somebody sent it. */
function sentBy({ organizationId, stamp }: Caller): { body: string; stamp: Stamp } {
  const parameters = { walletName: 'sent', accounts: [] };
  const body = activityBody(organizationId, 'ACTIVITY_TYPE_CREATE_WALLET', parameters);
  return { body, stamp: stamp(body) };
}

/** Whom an organization that is no parent answers with a refusal: whoever asks for its sub-organizations. */
const ofParentsOnly = ['list_suborgs', 'list_verified_suborgs'];

test('every query about a sub-organization is answered to its parent, and none to the parent of another', async () => {
  const things = await furnish(alice);
  const asked = await questions(alice, things);
  expect(Object.keys(asked).sort()).toEqual(queries.map(({ name }) => name).sort());
  for (const [name, parameters] of Object.entries(asked)) {
    const { status } = await query(wire, inside(parent, alice.organizationId), name, parameters);
    // What the parent may not do it need not ask about.
    const refusal = { ...Object.fromEntries(ofParentsOnly.map((each) => [each, 403])), dry_run: 400 } as const;
    expect(status, name).toBe(refusal[name as keyof typeof refusal] ?? 200);
    const refused = await query(wire, inside(otherParent, alice.organizationId), name, parameters);
    expect([refused.status, reasonOf(refused)], name).toEqual([401, 'PUBLIC_KEY_NOT_FOUND']);
  }
});

test('every activity in a sub-organization is refused to its parent, and to another, and its owner can do them all', async () => {
  const owner = await createResident(wire, parent, 'Owner');
  const things = await furnish(owner);
  const wanted = plausible(owner, things);
  const votes = ['approve_activity', 'reject_activity'];
  expect(Object.keys(wanted).concat(votes).sort()).toEqual(activities.map(({ name }) => name).sort());
  // Votes are about what another member started: here there is nothing to vote about.
  for (const name of votes) {
    const vote = { fingerprint: `sha256:${'0'.repeat(64)}` };
    const mine = await submit(wire, inside(parent, owner.organizationId), name, newestType(name), vote);
    expect([mine.status, reasonOf(mine)], name).toEqual([400, 'ORGANIZATION_MISMATCH']);
    expect((await submit(wire, owner.byPasskey, name, newestType(name), vote)).status, name).toBe(404);
  }
  const before = await readAll(wire, owner.byPasskey);
  for (const [name, parameters] of Object.entries(wanted)) {
    const type = newestType(name);
    const more = completing(name);
    const mine = await submit(wire, inside(parent, owner.organizationId), name, type, parameters, more);
    expect([mine.status, reasonOf(mine)], name).toEqual([400, 'ORGANIZATION_MISMATCH']);
    const others = await submit(wire, inside(otherParent, owner.organizationId), name, type, parameters, more);
    expect([others.status, reasonOf(others)], name).toEqual([401, 'PUBLIC_KEY_NOT_FOUND']);
    // In the parent itself there is none of these things.
    if (/^(sign|delete|update_(user|private_key|wallet|policy)|create_wallet_accounts)/.test(name)) {
      expect([400, 404], name).toContain((await submit(wire, parent, name, type, parameters, more)).status);
    }
  }
  expect(await readAll(wire, owner.byPasskey)).toEqual(before);
  for (const [name, parameters] of Object.entries(wanted)) {
    const done = await submit(wire, owner.byPasskey, name, newestType(name), parameters, completing(name));
    const expected = name === 'create_sub_organization' ? 400 : 200;
    expect(done.status, `${name}: ${JSON.stringify(done.body)}`).toBe(expected);
  }
});

describe('at the creation of sub-organizations', () => {
  const create = (rootUsers: object[], more: object = {}, caller = parent) =>
    submit(wire, caller, 'create_sub_organization', 'CREATE_SUB_ORGANIZATION_V7', {
      ...{ subOrganizationName: 'another', rootQuorumThreshold: 1, rootUsers, ...more },
    });
  const rootUser = (more: object) => ({ ...rootUserParameters('Root'), ...more });

  test('ids of one that exists cannot be given', async () => {
    const given = {
      subOrganizationId: alice.organizationId,
      organizationId: alice.organizationId,
      id: alice.organizationId,
    };
    for (const [field, id] of Object.entries(given)) {
      const refused = await create([rootUser({})], { [field]: id });
      expect([refused.status, refused.body.message], field).toEqual([400, expect.stringContaining(field)]);
    }
    const named = await create([rootUser({ userId: alice.userId })]);
    expect([named.status, named.body.message]).toEqual([400, expect.stringContaining('userId')]);
    expect((await sign(wire, inside(parent, alice.organizationId), alice.addresses[0])).status).toBe(400);
  });

  test("a resident's credential id cannot be claimed with another key, in a new organization or in the parent", async () => {
    const credentialId = Buffer.from(alice.passkey.credentialId, 'base64url');
    const stolen = newRegistration({ name: 'stolen', credentialId });
    const refused = await create([rootUser({ authenticators: [stolen] })]);
    expect([refused.status, refused.body.message]).toEqual([400, 'authenticator is already in use']);
    const own = { userId: service.root.userId, authenticators: [stolen] };
    const added = await submit(wire, parent, 'create_authenticators', 'CREATE_AUTHENTICATORS_V2', own);
    expect([added.status, added.body.message]).toEqual([400, 'authenticator is already in use']);
    const whoami = await query(wire, { ...alice.byPasskey, organizationId: parent.organizationId }, 'whoami');
    expect(whoami.body.organizationId).toBe(alice.organizationId);
  });

  test("a copy of a resident's credentials in another organization gives nothing in the resident's own", async () => {
    const victim = await createResident(wire, parent, 'Victim');
    const copy = {
      apiKeys: [apiKeyParameters(victim.apiKey), { ...apiKeyParameters(), apiKeyName: 'company' }],
      authenticators: [passkeyParameters(victim.passkey)],
    };
    resultOf(await create([rootUser(copy)]));
    expect((await sign(wire, victim.byPasskey, victim.addresses[0])).status).toBe(200);
    expect((await sign(wire, inside(parent, victim.organizationId), victim.addresses[0])).status).toBe(400);
    // With the parent's id it is now ambiguous who asks: refused rather than guessed.
    const whoami = await query(wire, { ...victim.byPasskey, organizationId: parent.organizationId }, 'whoami');
    expect([whoami.status, reasonOf(whoami)]).toEqual([401, 'CREDENTIAL_CONFLICT']);
    expect((await query(wire, victim.byPasskey, 'whoami')).body.organizationId).toBe(victim.organizationId);
  });

  test('a company whose key is inside from the beginning acts there, and nowhere else', async () => {
    const { apiPublicKey: publicKey } = service.root;
    const company = rootUser({ authenticators: [], apiKeys: [apiKeyParameters({ publicKey, privateKey: '' })] });
    const wallet = { walletName: 'shared', accounts: [ethereumAccount(0)] };
    const created = resultOf(await create([rootUser({}), company], { wallet }));
    const shared = created.wallet as { addresses: [string] };
    const delegated = inside(parent, created.subOrganizationId as string);
    expect((await sign(wire, delegated, shared.addresses[0])).status).toBe(200);
    expect((await sign(wire, delegated, alice.addresses[0])).status).toBe(404);
    expect((await sign(wire, inside(parent, alice.organizationId), alice.addresses[0])).status).toBe(400);
  });
});

test('origins are fixed when a sub-organization is made: later changes of the parent do not reach it', async () => {
  const evil = 'https://evil.example';
  const from = (origin: string) => (body: string | Uint8Array) => alice.passkey.stamp(body, { clientData: { origin } });
  const signFrom = async (origin: string) =>
    (await sign(wire, { ...alice.byPasskey, stamp: from(origin) }, alice.addresses[0])).status;
  expect([await signFrom('http://localhost:3000'), await signFrom(evil)]).toEqual([200, 401]);
  const feature = { name: 'FEATURE_NAME_WEBAUTHN_ORIGINS', value: evil };
  resultOf(await submit(wire, parent, 'set_organization_feature', 'SET_ORGANIZATION_FEATURE', feature));
  expect([await signFrom('http://localhost:3000'), await signFrom(evil)]).toEqual([200, 401]);
  // It does reach what is made from then on.
  const localhost = { authenticatorName: 'passkey', ...newPasskey().register() };
  const rootUsers = [{ ...rootUserParameters('Late'), authenticators: [localhost] }];
  const parameters = { subOrganizationName: 'late', rootQuorumThreshold: 1, rootUsers };
  const refused = await submit(wire, parent, 'create_sub_organization', 'CREATE_SUB_ORGANIZATION_V7', parameters);
  expect([refused.status, refused.body.message]).toEqual([400, 'invalid authenticator attestation']);
  const { name } = feature;
  resultOf(await submit(wire, parent, 'remove_organization_feature', 'REMOVE_ORGANIZATION_FEATURE', { name }));
});

test("what a resident stamped is not good for the parent's id, nor the parent's for a resident's", async () => {
  const type = 'ACTIVITY_TYPE_CREATE_WALLET';
  const parameters = { walletName: 'mine', accounts: [ethereumAccount(0)] };
  const body = activityBody(parent.organizationId, type, parameters);
  const byResident = await wire({ kind: 'submit', name: 'create_wallet', body, stamp: alice.byPasskey.stamp(body) });
  expect(byResident.status).toBe(401);
  const own = await wire({ kind: 'submit', name: 'create_wallet', body, stamp: parent.stamp(body) });
  expect(own.status).toBe(200);
});
