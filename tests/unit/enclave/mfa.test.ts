import { describe, expect, test } from 'vitest';
import { type Held, match, mfaStatuses } from '../../../src/enclave/mfa.ts';
import type { ApiKey, AuthenticationMethod, Authenticator, MfaPolicy, User } from '../../../src/enclave/state.ts';
import type { Submission } from '../../../src/enclave/submission.ts';
import type { Facts } from '../../../src/policy/values.ts';
import { findActivity } from '../../../src/protocol/registry.ts';
import { apiKey as newApiKey, user as newUser, startTime } from '../../support/test-ledger.ts';

const passkey = (id: string): Held => ({ kind: 'passkey', held: { id } as Authenticator });
const apiKey = (id: string, more: Partial<ApiKey> = {}): Held => ({
  kind: 'apiKey',
  held: { ...newApiKey(), id, type: 'CREDENTIAL_TYPE_API_KEY_P256', ...more },
});
const session = (id: string, sessionProfileId?: string): Held =>
  apiKey(id, { type: 'CREDENTIAL_TYPE_LOGIN', ...(sessionProfileId && { sessionProfileId }) });

type Short = 'PASSKEY' | 'API_KEY' | 'SESSION' | 'EMAIL_OTP' | 'SMS_OTP' | 'OAUTH';
const by = (type: Short, id?: string): AuthenticationMethod => ({
  type: `AUTHENTICATION_TYPE_${type}`,
  ...(id && { id }),
});

describe('steps are fulfilled', () => {
  const fulfilled = (steps: MfaPolicy['steps'], ...held: Held[]) => match(steps, held).length === steps.length;

  test('by credentials of their types, in any order', () => {
    const steps = [[by('PASSKEY')], [by('API_KEY')]];
    expect(fulfilled(steps, apiKey('k'), passkey('p'))).toBe(true);
    expect(fulfilled(steps, passkey('p'))).toBe(false);
    expect(fulfilled(steps, passkey('p'), passkey('q'))).toBe(false);
    expect(match(steps, [apiKey('k')])).toEqual([by('API_KEY')]);
  });

  test('each by a credential of its own, wherever there is a way', () => {
    const either = [by('PASSKEY'), by('API_KEY')];
    expect(fulfilled([either, either], passkey('p'))).toBe(false);
    expect(fulfilled([either, either], passkey('p'), passkey('p'))).toBe(false);
    expect(fulfilled([either, either], passkey('p'), passkey('q'))).toBe(true);
    // The only passkey has to be left to the step that takes nothing else.
    expect(fulfilled([either, [by('PASSKEY')]], passkey('p'), apiKey('k'))).toBe(true);
    expect(fulfilled([either, either, [by('PASSKEY')]], passkey('p'), apiKey('k'), apiKey('l'))).toBe(true);
    expect(fulfilled([either, either, [by('PASSKEY')]], passkey('p'), apiKey('k'))).toBe(false);
  });

  test('by the named credential alone, where one is named', () => {
    expect(fulfilled([[by('PASSKEY', 'p')]], passkey('q'))).toBe(false);
    expect(fulfilled([[by('PASSKEY', 'p')]], passkey('p'))).toBe(true);
    expect(fulfilled([[by('API_KEY', 'p')]], passkey('p'))).toBe(false);
  });

  test('by sessions of the named profile, which are no API keys, and API keys with a profile are no sessions', () => {
    const none = '00000000-0000-0000-0000-000000000000';
    expect(fulfilled([[by('SESSION')]], session('s', 'profile'))).toBe(true);
    expect(fulfilled([[by('SESSION', 'profile')]], session('s', 'profile'))).toBe(true);
    expect(fulfilled([[by('SESSION', 'profile')]], session('s'))).toBe(false);
    expect(fulfilled([[by('SESSION', none)]], session('s'))).toBe(true);
    expect(fulfilled([[by('SESSION', none)]], session('s', 'profile'))).toBe(false);
    expect(fulfilled([[by('API_KEY')]], session('s'))).toBe(false);
    expect(fulfilled([[by('SESSION', 'profile')]], apiKey('k', { sessionProfileId: 'profile' }))).toBe(false);
  });

  test('by nothing that nobody can show', () => {
    const any = [passkey('p'), apiKey('k'), session('s')];
    for (const type of ['EMAIL_OTP', 'SMS_OTP', 'OAUTH'] as const) expect(fulfilled([[by(type)]], ...any)).toBe(false);
  });
});

describe('the policies that bind', () => {
  const policy = (id: string, order: number, condition: string): MfaPolicy => ({
    ...{ id, name: id, order, condition, steps: [[by('PASSKEY')], [by('API_KEY')]] },
    ...{ createdAt: startTime, updatedAt: startTime },
  });
  const submission = (name: string, parameters: object = {}): Submission => {
    const type = `ACTIVITY_TYPE_${name}`;
    const found = findActivity(type);
    if (!found) throw new Error(`no ${type}`);
    const at = { organizationId: 'o', time: startTime, given: parameters, body: Buffer.alloc(0) };
    return { ...found, type, parameters, ...at };
  };
  const signs = submission('SIGN_RAW_PAYLOAD_V2');
  const facts = (kind: string, value?: bigint): Facts =>
    ({
      activity: { kind, type: kind, action: kind.startsWith('SIGN') ? 'SIGN' : '' },
      ...(value !== undefined && { eth: { tx: { value } } }),
    }) as unknown as Facts;
  const bound = (mfaPolicies: MfaPolicy[], asked: Submission, ...each: Facts[]) => {
    const user: User = { ...newUser('a'), id: 'u', mfaPolicies };
    return mfaStatuses(user, [], asked, () => each).map((status) => status.policy.id);
  };

  test('are the first whose condition holds, for each thing that is signed', () => {
    const policies = [
      policy('large', 0, "activity.action == 'SIGN' && eth.tx.value > 10"),
      policy('signing', 1, "activity.action == 'SIGN'"),
      policy('all', 2, 'true'),
    ];
    expect(bound(policies, signs, facts('SIGN_TRANSACTION', 11n))).toEqual(['large']);
    expect(bound(policies, signs, facts('SIGN_TRANSACTION', 10n))).toEqual(['signing']);
    expect(bound(policies, signs, facts('CREATE_WALLET'))).toEqual(['all']);
    expect(bound(policies, signs, facts('SIGN_TRANSACTION', 11n), facts('SIGN_TRANSACTION', 1n))).toEqual([
      'large',
      'signing',
    ]);
    expect(bound([policy('none', 0, "activity.kind == 'X'")], signs, facts('SIGN_TRANSACTION'))).toEqual([]);
  });

  test('bind where they cannot be told, but not where what they name is not there', () => {
    expect(bound([policy('p', 0, "activity.type[0..99] == 'x'")], signs, facts('SIGN_TRANSACTION'))).toEqual(['p']);
    expect(bound([policy('p', 0, 'eth.tx.value > 10')], signs, facts('SIGN_RAW_PAYLOAD'))).toEqual([]);
  });

  test('are those as well that the user would loosen', () => {
    const policies = [policy('p', 1, 'false'), policy('q', 2, 'false'), policy('r', 3, 'false')];
    const by = (name: string, parameters: object) =>
      bound(policies, submission(name, { userId: 'u', ...parameters }), facts('x'));
    expect(by('DELETE_MFA_POLICY', { mfaPolicyId: 'q' })).toEqual(['q']);
    expect(by('UPDATE_MFA_POLICY', { mfaPolicyId: 'q', mfaPolicyName: 'n', notes: 'm' })).toEqual([]);
    expect(by('UPDATE_MFA_POLICY', { mfaPolicyId: 'q', condition: 'true' })).toEqual(['q', 'r']);
    expect(by('UPDATE_MFA_POLICY', { mfaPolicyId: 'r', order: 0 })).toEqual(['p', 'q', 'r']);
    expect(by('UPDATE_MFA_POLICY', { mfaPolicyId: 'p', order: 9 })).toEqual(['p', 'q', 'r']);
    expect(by('CREATE_MFA_POLICY', { order: 2 })).toEqual(['r']);
    expect(by('CREATE_MFA_POLICY', { order: 9 })).toEqual([]);
    expect(by('DELETE_MFA_POLICY', { mfaPolicyId: 'q', userId: 'another' })).toEqual([]);
  });

  test('of a text that is no condition bind always', () => {
    expect(bound([policy('p', 0, 'what is this')], signs, facts('x'))).toEqual(['p']);
  });
});
