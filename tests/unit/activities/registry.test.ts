import { describe, expect, test } from 'vitest';
import { effects } from '../../../src/enclave/activities/index.ts';
import { activities, findActivity, findActivityByName } from '../../../src/protocol/registry.ts';

describe('registry', () => {
  test('names and types are unique, and every activity has an effect', () => {
    const names = activities.map(({ name }) => name);
    const types = activities.flatMap(({ versions }) => Object.keys(versions));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(types).size).toBe(types.length);
    // Votes have the effect of what they decide.
    const votes = ['approve_activity', 'reject_activity'];
    expect(Object.keys(effects).concat(votes).sort()).toEqual(names.sort());
  });

  test('a type is found with its version, on its own path', () => {
    const found = findActivity('ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V7');
    expect(found?.activity.name).toBe('create_sub_organization');
    expect(found?.version).toMatchObject({
      intent: 'createSubOrganizationIntentV7',
      result: 'createSubOrganizationResultV7',
    });
    expect(findActivityByName('create_sub_organization')).toBe(found?.activity);
  });

  test('what is not there is not found', () => {
    for (const type of ['', 'constructor', '__proto__', 'ACTIVITY_TYPE_CREATE_TVC_APP']) {
      expect(findActivity(type)).toBeUndefined();
      expect(findActivityByName(type)).toBeUndefined();
    }
  });

  // Keys that the official clients read results by, which differ from activity to activity.
  test.each([
    ['CREATE_SUB_ORGANIZATION_V2', 'createSubOrganizationIntentV2', 'createSubOrganizationResult'],
    ['CREATE_SUB_ORGANIZATION_V8', 'createSubOrganizationIntentV8', 'createSubOrganizationResultV8'],
    ['CREATE_USERS_V4', 'createUsersIntentV4', 'createUsersResult'],
    ['CREATE_API_KEYS_V2', 'createApiKeysIntentV2', 'createApiKeysResult'],
    ['CREATE_AUTHENTICATORS_V2', 'createAuthenticatorsIntentV2', 'createAuthenticatorsResult'],
    ['CREATE_POLICY_V3', 'createPolicyIntentV3', 'createPolicyResult'],
    ['UPDATE_POLICY', 'updatePolicyIntent', 'updatePolicyResult'],
    ['UPDATE_POLICY_V2', 'updatePolicyIntentV2', 'updatePolicyResultV2'],
    ['CREATE_PRIVATE_KEYS', 'createPrivateKeysIntent', 'createPrivateKeysResult'],
    ['CREATE_PRIVATE_KEYS_V2', 'createPrivateKeysIntentV2', 'createPrivateKeysResultV2'],
    ['UPDATE_PRIVATE_KEY_TAG', 'updatePrivateKeyTagIntent', 'updatePrivateKeyTagResult'],
    ['DELETE_USER_TAGS', 'deleteUserTagsIntent', 'deleteUserTagsResult'],
    ['CREATE_SMART_CONTRACT_INTERFACE', 'createSmartContractInterfaceIntent', 'createSmartContractInterfaceResult'],
    ['SIGN_RAW_PAYLOAD_V2', 'signRawPayloadIntentV2', 'signRawPayloadResult'],
    ['SIGN_RAW_PAYLOADS', 'signRawPayloadsIntent', 'signRawPayloadsResult'],
    ['SIGN_TRANSACTION_V2', 'signTransactionIntentV2', 'signTransactionResult'],
  ])('%s → %s → %s', (type, intent, result) => {
    expect(findActivity(`ACTIVITY_TYPE_${type}`)?.version).toMatchObject({ intent, result });
  });
});
