import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { type ActivityRecord, openActivity, stampOf } from '../../../src/enclave/activity-record.ts';
import type { ActivityPage } from '../../../src/enclave/answer.ts';
import { createSealer, RowIntegrityError } from '../../../src/enclave/sealing/seal.ts';
import { activityView } from '../../../src/enclave/views/activity.ts';
import { userView } from '../../../src/enclave/views/user.ts';
import { type Cbor, encode } from '../../../src/protocol/cbor.ts';
import { activity as activitySchema } from '../../../src/protocol/queries/objects.ts';
import { uuidBytes } from '../../../src/protocol/uuid.ts';
import { byRoot } from '../../support/decision.ts';
import { alice, apiKey, ask, contextOf, id, noActivities, organization, passkey } from './fixtures.ts';

/** A body and its fingerprint as they were captured from Turnkey. */
const captured = {
  body: '{"type":"ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION","timestampMs":"1754952030221","organizationId":"35e5c619-ba95-417c-bb48-b16f1543aea0","parameters":{"deleteWithoutExport":true}}',
  fingerprint: 'sha256:143e777f907453d71c5a3213059d641f54b28737276c4bc6b405ef06831876cb',
};

const byApiKey = stampOf({
  kind: 'apiKey',
  apiKey,
  stamp: { publicKey: apiKey.publicKey, scheme: 'SIGNATURE_SCHEME_TK_API_P256', signature: '3045' },
});

const byPasskey = stampOf({
  kind: 'passkey',
  authenticator: passkey,
  stamp: {
    credentialId: passkey.credentialId,
    authenticatorData: Buffer.from('data'),
    clientDataJson: Buffer.from('{}'),
    signature: Buffer.from([0x30, 0xff]),
  },
});

const record = (change: Partial<ActivityRecord> = {}, stamp = byApiKey, userId = alice.id): ActivityRecord => ({
  id: id(500),
  organizationId: organization.id,
  type: 'ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION',
  status: 'ACTIVITY_STATUS_COMPLETED',
  body: Buffer.from(captured.body),
  intentKey: 'deleteSubOrganizationIntent',
  resultKey: 'deleteSubOrganizationResult',
  result: '{"subOrganizationUuid":"35e5c619-ba95-417c-bb48-b16f1543aea0"}',
  votes: [{ id: id(501), userId, stamp, selection: 'VOTE_SELECTION_APPROVED', createdAt: 1_754_952_030_221 }],
  facts: { signCountRegressed: false, userVerified: null, decision: byRoot },
  createdAt: 1_754_952_030_221,
  updatedAt: 1_754_952_030_221,
  signed: [],
  headBefore: new Uint8Array(32),
  headAfter: new Uint8Array(32),
  sequence: 7,
  enclave: new Uint8Array(32),
  ...change,
});

describe('the activity view', () => {
  const at = { seconds: '1754952030', nanos: '0' };

  test('is the captured shape', () => {
    const view = activityView(record(), organization);
    expect(JSON.parse(JSON.stringify(view))).toStrictEqual({
      id: id(500),
      organizationId: organization.id,
      status: 'ACTIVITY_STATUS_COMPLETED',
      type: 'ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION',
      intent: { deleteSubOrganizationIntent: { deleteWithoutExport: true } },
      result: { deleteSubOrganizationResult: { subOrganizationUuid: '35e5c619-ba95-417c-bb48-b16f1543aea0' } },
      votes: [
        {
          id: id(501),
          userId: alice.id,
          user: userView(alice),
          activityId: id(500),
          selection: 'VOTE_SELECTION_APPROVED',
          message: captured.body,
          publicKey: apiKey.publicKey,
          signature: '3045',
          scheme: 'SIGNATURE_SCHEME_TK_API_P256',
          createdAt: at,
        },
      ],
      appProofs: [],
      fingerprint: captured.fingerprint,
      canApprove: false,
      canReject: true,
      failure: null,
      createdAt: at,
      updatedAt: at,
    });
    expect(v.parse(activitySchema, view)).toEqual(view);
  });

  test('the intent is the stamped parameters without what is null', () => {
    const body = Buffer.from('{ "parameters" : {"a":null,"b":[null,{"c":null,"d":"\\u00e9"}]},"x":null}');
    const { intent, votes } = activityView(record({ body, intentKey: 'k' }), organization);
    expect(JSON.stringify(intent)).toBe('{"k":{"b":[null,{"d":"é"}]}}');
    expect(votes[0]?.message).toBe(body.toString());
  });

  test('the vote of a passkey holds all that its verification needs', () => {
    const facts = { signCountRegressed: true, userVerified: true };
    const view = activityView(record({ facts: { ...facts, decision: byRoot } }, byPasskey), organization);
    expect(view.facts).toEqual(facts);
    expect(view.votes[0]).toMatchObject({ scheme: 'SIGNATURE_SCHEME_TK_WEBAUTHN', publicKey: 'pQECAyY' });
    expect(JSON.parse(view.votes[0]?.signature ?? '')).toEqual({
      authenticatorData: Buffer.from('data').toString('base64url'),
      clientDataJson: Buffer.from('{}').toString('base64url'),
      credentialId: passkey.credentialId,
      signature: 'MP8',
    });
    expect(v.parse(activitySchema, view)).toEqual(view);
  });

  test('a voter who is gone is shown with every required member', () => {
    const view = activityView(record({}, byApiKey, id(999)), organization);
    expect(view.votes[0]?.user).toMatchObject({ userId: id(999), userName: '', authenticators: [], apiKeys: [] });
    expect(v.parse(activitySchema, view)).toEqual(view);
  });
});

describe('the sealed record', () => {
  const sealer = createSealer(Buffer.alloc(32, 7));
  const place = { kind: 'activity', organization: uuidBytes(organization.id), id: uuidBytes(id(500)) } as const;
  const seal = (content: Cbor) => sealer.seal(place, 0, encode(content));

  test.each([byApiKey, byPasskey])('opens as it was sealed', (stamp) => {
    const given = record({}, stamp);
    const opened = openActivity(sealer, place.organization, place.id, seal({ v: 1, ...given }));
    expect(encode(opened)).toEqual(encode(given));
    expect(activityView(opened, organization)).toEqual(activityView(given, organization));
  });

  test('of an unknown version is refused by name', () => {
    const open = () => openActivity(sealer, place.organization, place.id, seal({ v: 2, ...record() }));
    expect(open).toThrow(RowIntegrityError);
    expect(open).toThrow('version 2');
  });
});

describe('queries', () => {
  const view = activityView(record(), organization);
  const other = { ...view, id: id(502), type: 'ACTIVITY_TYPE_CREATE_WALLET' };

  test('get_activity', async () => {
    const get = async (wanted: string) => (wanted === view.id ? view : undefined);
    const context = contextOf(organization, { activities: { ...noActivities, get } });
    expect(await ask('get_activity', { activityId: view.id }, context)).toEqual({ activity: view });
    await expect(ask('get_activity', { activityId: id(1) }, context)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('list_activities passes the filters on and does not trust the hits', async () => {
    const pages: ActivityPage[] = [];
    const list = async (page: ActivityPage) => {
      pages.push(page);
      return [view, other];
    };
    const context = contextOf(organization, { activities: { ...noActivities, list } });
    expect(await ask('list_activities', {}, context)).toEqual({ activities: [view, other] });
    const filterByType = ['ACTIVITY_TYPE_CREATE_WALLET'];
    const paginationOptions = { limit: '3', before: id(7) };
    expect(await ask('list_activities', { filterByType, paginationOptions }, context)).toEqual({ activities: [other] });
    const filterByStatus = ['ACTIVITY_STATUS_FAILED'];
    expect(await ask('list_activities', { filterByStatus }, context)).toEqual({ activities: [] });
    expect(pages).toEqual([
      { limit: 10, types: [], statuses: [] },
      { limit: 3, before: id(7), types: filterByType, statuses: [] },
      { limit: 10, types: [], statuses: filterByStatus },
    ]);
  });
});
