import { describe, expect, test } from 'vitest';
import { CountersignError } from '../../../src/protocol/errors.ts';
import { parseParameters, withoutNulls } from '../../../src/protocol/parse-parameters.ts';
import { findActivity } from '../../../src/protocol/registry.ts';

const parse = (type: string, parameters: unknown) => {
  const found = findActivity(`ACTIVITY_TYPE_${type}`);
  if (!found) throw new Error(`no activity of type ${type}`);
  return parseParameters(found.version, parameters);
};

function refusal(type: string, parameters: unknown): CountersignError {
  try {
    parse(type, parameters);
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

const user = { userName: 'Ada', apiKeys: [], authenticators: [], oauthProviders: [], userTags: [] };
const id = '6f1e0f6c-7a53-4c4e-9a2b-0a3b1d2c4e5f';

describe('parameters that are refused', () => {
  const cases: [name: string, type: string, parameters: unknown, field: string, description: string | RegExp][] = [
    ['no object', 'CREATE_WALLET', 3, 'parameters', 'expected an object'],
    ['an array', 'DELETE_SUB_ORGANIZATION', [], 'parameters', 'expected an object'],
    ['absent', 'DELETE_SUB_ORGANIZATION', undefined, 'parameters', 'expected an object'],
    ['missing field', 'CREATE_WALLET', { accounts: [] }, 'parameters.walletName', 'expected this field'],
    ['null is missing', 'CREATE_WALLET', { walletName: null }, 'parameters.walletName', 'expected this field'],
    ['unknown field', 'CREATE_WALLET', { walletName: 'w', colour: 1 }, 'parameters.colour', 'unknown field'],
    [
      'unknown field deep down',
      'CREATE_USERS_V4',
      { users: [{ ...user, apiKeys: [{ apiKeyName: 'k', publicKey: '02', curveType: 'API_KEY_CURVE_P256', x: 1 }] }] },
      'parameters.users.0.apiKeys.0.x',
      'unknown field',
    ],
    [
      'a name of the prototype',
      'CREATE_WALLET',
      { walletName: 'w', constructor: 1 },
      'parameters.constructor',
      'unknown field',
    ],
    [
      '__proto__',
      'CREATE_WALLET',
      JSON.parse('{"walletName":"w","__proto__":{"persist":false}}'),
      'parameters.__proto__',
      'unknown field',
    ],
    ['empty name', 'CREATE_WALLET', { walletName: '' }, 'parameters.walletName', 'expected 1 to 255 characters'],
    [
      'long name',
      'CREATE_WALLET',
      { walletName: 'w'.repeat(256) },
      'parameters.walletName',
      'expected 1 to 255 characters',
    ],
    [
      'control character',
      'CREATE_WALLET',
      { walletName: 'a\u0000b' },
      'parameters.walletName',
      'expected text without control characters',
    ],
    [
      'lone surrogate',
      'CREATE_WALLET',
      { walletName: '\ud800' },
      'parameters.walletName',
      'expected text without control characters',
    ],
    [
      'mnemonic length',
      'CREATE_WALLET',
      { walletName: 'w', mnemonicLength: 13 },
      'parameters.mnemonicLength',
      /^expected a mnemonic length/,
    ],
    ['no UUID', 'DELETE_POLICY', { policyId: 'x' }, 'parameters.policyId', 'expected a UUID'],
    ['no ids', 'DELETE_USERS', { userIds: [] }, 'parameters.userIds', 'expected at least 1 of these'],
    ['an id twice', 'DELETE_USERS', { userIds: [id, id.toUpperCase()] }, 'parameters.userIds', 'expected each id once'],
    [
      'too many',
      'SIGN_RAW_PAYLOADS',
      { payloads: Array(101).fill('00') },
      'parameters.payloads',
      'expected at most 100 of these',
    ],
    [
      'e-mail',
      'CREATE_USERS_V4',
      { users: [{ ...user, userEmail: 'ada@localhost' }] },
      'parameters.users.0.userEmail',
      'invalid email address',
    ],
    [
      'phone',
      'CREATE_USERS_V4',
      { users: [{ ...user, userPhoneNumber: '+0123' }] },
      'parameters.users.0.userPhoneNumber',
      'expected a phone number in E.164 form',
    ],
    [
      'quorum of none',
      'UPDATE_ROOT_QUORUM',
      { threshold: 0, userIds: [id] },
      'parameters.threshold',
      'quorum threshold must be non-zero integer',
    ],
    [
      'quorum of a half',
      'UPDATE_ROOT_QUORUM',
      { threshold: 1.5, userIds: [id] },
      'parameters.threshold',
      'quorum threshold must be non-zero integer',
    ],
    [
      'effect',
      'CREATE_POLICY_V3',
      { policyName: 'p', effect: 'EFFECT_MAYBE' },
      'parameters.effect',
      /^expected \("EFFECT_ALLOW" \| "EFFECT_DENY" \| "EFFECT_GUARD"\)$/,
    ],
    [
      'condition length',
      'CREATE_POLICY_V3',
      { policyName: 'p', effect: 'EFFECT_DENY', condition: 'x'.repeat(8193) },
      'parameters.condition',
      'expected at most 8192 characters',
    ],
    [
      'credential of two ids',
      'CREATE_AUTHENTICATORS',
      {
        userId: id,
        authenticators: [
          {
            authenticatorName: 'a',
            userId: id,
            challenge: 'AA',
            attestation: {
              id: 'AA',
              rawId: 'AB',
              type: 'public-key',
              response: { clientDataJson: 'AA', attestationObject: 'AA' },
              clientExtensionResults: {},
            },
          },
        ],
      },
      'parameters.authenticators.0.attestation',
      'expected `id` and `rawId` to be the same',
    ],
  ];
  test.each(cases)('%s', (_, type, parameters, field, description) => {
    const error = refusal(type, parameters);
    const found = error.facts.fields?.find((violation) => violation.field === field);
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(found?.description).toMatch(
      description instanceof RegExp ? description : new RegExp(`^${quoted(description)}$`),
    );
  });
  const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

  test('of many violations the first ten are named, and the message is about the first', () => {
    const error = refusal('CREATE_USERS_V4', { users: Array(50).fill({ ...user, userName: '' }) });
    expect(error.facts.fields).toHaveLength(10);
    expect(error.message).toBe('bad request body: parameters.users.0.userName: expected 1 to 255 characters');
  });

  test("Turnkey's sentences stand alone", () => {
    expect(refusal('UPDATE_USER_EMAIL', { userId: id, userEmail: '@' }).message).toBe('invalid email address');
  });

  test('nesting has an end', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) deep = { deep };
    expect(refusal('CREATE_WALLET', deep).message).toMatch(/nested more than 32 levels/);
  });

  test('lists have an end', () => {
    const accounts = Array(300_000).fill(1);
    expect(refusal('CREATE_WALLET', { accounts }).message).toMatch(/more than 10000 list entries/);
  });

  test('a message shows nothing of what was sent', () => {
    expect(JSON.stringify(refusal('CREATE_WALLET', { walletName: { secret: 'hunter2' } }).facts)).not.toMatch(
      'hunter2',
    );
  });
});

describe('older versions become the newest', () => {
  test('API keys of V1 are on P-256', () => {
    const apiKeys = [{ apiKeyName: 'k', publicKey: '02AB', expirationSeconds: '60' }];
    expect(parse('CREATE_API_KEYS', { userId: id, apiKeys })).toEqual({
      userId: id,
      apiKeys: [{ apiKeyName: 'k', publicKey: '02ab', curveType: 'API_KEY_CURVE_P256', expirationSeconds: 60 }],
    });
  });

  test('create_users in four versions', () => {
    const newest = { userName: 'Ada', apiKeys: [], authenticators: [], oauthProviders: [], userTags: [] };
    const { oauthProviders: _, ...v2 } = newest;
    expect(parse('CREATE_USERS', { users: [{ ...v2, accessType: 'ACCESS_TYPE_ALL' }] })).toEqual({ users: [newest] });
    expect(parse('CREATE_USERS_V2', { users: [v2] })).toEqual({ users: [newest] });
    expect(parse('CREATE_USERS_V3', { users: [newest] })).toEqual({ users: [newest] });
    expect(parse('CREATE_USERS_V4', { users: [newest] })).toEqual({ users: [newest] });
    expect(refusal('CREATE_USERS_V2', { users: [newest] }).facts.fields?.[0]?.field).toBe(
      'parameters.users.0.oauthProviders',
    );
  });

  test('authenticators of V1', () => {
    const attestation = {
      id: 'AA',
      rawId: 'AA',
      type: 'public-key',
      authenticatorAttachment: null,
      response: { clientDataJson: 'BB==', attestationObject: 'CC' },
      clientExtensionResults: { prf: { enabled: true } },
    };
    const given = { authenticatorName: 'a', userId: id, challenge: 'DD', attestation };
    const authenticators = [
      {
        authenticatorName: 'a',
        challenge: 'DD',
        attestation: { credentialId: 'AA', clientDataJson: 'BB', attestationObject: 'CC', transports: [] },
      },
    ];
    expect(parse('CREATE_AUTHENTICATORS', withoutNulls({ userId: id, authenticators: [given] }))).toEqual({
      userId: id,
      authenticators,
    });
    const other = { userId: id, authenticators: [{ ...given, userId: 'somebody else' }] };
    expect(refusal('CREATE_AUTHENTICATORS', other).message).toMatch(/same user/);
  });

  test('signers of V1 are private key ids', () => {
    const form = { encoding: 'PAYLOAD_ENCODING_HEXADECIMAL', hashFunction: 'HASH_FUNCTION_NO_OP' };
    expect(parse('SIGN_RAW_PAYLOAD', { privateKeyId: id, payload: '00', ...form })).toEqual({
      signWith: id,
      payload: '00',
      ...form,
    });
    const transaction = { unsignedTransaction: '02', type: 'TRANSACTION_TYPE_ETHEREUM' };
    expect(parse('SIGN_TRANSACTION', { privateKeyId: id, ...transaction })).toEqual({ signWith: id, ...transaction });
  });

  test('create_sub_organization from V1 to V8', () => {
    const rootUser = { userName: 'Ada', apiKeys: [], authenticators: [] };
    const newest = { ...rootUser, oauthProviders: [] };
    const common = { subOrganizationName: '', rootQuorumThreshold: 1 };
    for (const version of ['V2', 'V4']) {
      expect(parse(`CREATE_SUB_ORGANIZATION_${version}`, { ...common, rootUsers: [rootUser] })).toEqual({
        ...common,
        rootUsers: [newest],
      });
    }
    expect(parse('CREATE_SUB_ORGANIZATION_V3', { ...common, rootUsers: [rootUser], privateKeys: null })).toMatchObject({
      privateKeys: [],
    });
    for (const version of ['V5', 'V6', 'V7', 'V8']) {
      const given = { ...common, rootUsers: [newest], disableEmailAuth: true };
      expect(parse(`CREATE_SUB_ORGANIZATION_${version}`, given)).toEqual(given);
    }
    const rootAuthenticator = {
      authenticatorName: 'a',
      challenge: 'AA',
      attestation: { credentialId: 'AA', clientDataJson: 'AA', attestationObject: 'AA', transports: [] },
    };
    expect(parse('CREATE_SUB_ORGANIZATION', { name: 'Ada', rootAuthenticator })).toMatchObject({
      subOrganizationName: 'Ada',
      rootQuorumThreshold: 1,
      rootUsers: [{ authenticators: [rootAuthenticator] }],
    });
  });
});

describe('what clients write differently', () => {
  test('integers as numbers and as digits', () => {
    for (const expirationSeconds of ['900', 900]) {
      const apiKeys = [{ apiKeyName: 'k', publicKey: '02', curveType: 'API_KEY_CURVE_P256', expirationSeconds }];
      expect(parse('CREATE_API_KEYS_V2', { userId: id, apiKeys })).toMatchObject({
        apiKeys: [{ expirationSeconds: 900 }],
      });
    }
    expect(parse('CREATE_WALLET', { walletName: 'w', accounts: [], mnemonicLength: '24' })).toMatchObject({
      mnemonicLength: 24,
    });
    for (const expirationSeconds of ['0', '-1', '1e3', '', '99999999999999999999', 0.5, true]) {
      const apiKeys = [{ apiKeyName: 'k', publicKey: '02', curveType: 'API_KEY_CURVE_P256', expirationSeconds }];
      expect(refusal('CREATE_API_KEYS_V2', { userId: id, apiKeys }).message).toBe('invalid api key expiration');
    }
  });

  test('null is absent, in lists too for their members', () => {
    const parameters = { users: [{ ...user, userEmail: null, userPhoneNumber: null, oauthProviders: null }] };
    expect(parse('CREATE_USERS_V4', parameters)).toEqual({ users: [user] });
    expect(withoutNulls({ a: [null, { b: null }], c: null })).toEqual({ a: [null, {}] });
  });

  test('upper-case ids and hex', () => {
    expect(parse('DELETE_POLICY', { policyId: id.toUpperCase() })).toEqual({ policyId: id });
  });
});
