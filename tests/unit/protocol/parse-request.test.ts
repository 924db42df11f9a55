import { describe, expect, test } from 'vitest';
import type { Query } from '../../../src/protocol/activities/activity.ts';
import { CountersignError, type FieldViolation } from '../../../src/protocol/errors.ts';
import { parseJson } from '../../../src/protocol/json.ts';
import { parseRequest } from '../../../src/protocol/parse-request.ts';
import { findQuery, queries } from '../../../src/protocol/queries/index.ts';

const organizationId = '35e5c619-ba95-417c-bb48-b16f1543aea0';
const parse = (name: string, fields: Record<string, unknown>) =>
  parseRequest(findQuery(name) as Query, parseJson(Buffer.from(JSON.stringify({ organizationId, ...fields }))));

function violations(name: string, fields: Record<string, unknown>): string[] {
  try {
    parse(name, fields);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    expect(error.code).toBe('INVALID_ARGUMENT');
    return (error.facts.fields as FieldViolation[]).map(({ field }) => field);
  }
  throw new Error('accepted');
}

test('the registry finds each query by its name and nothing else', () => {
  for (const query of queries) expect(findQuery(query.name)).toBe(query);
  expect(new Set(queries.map(({ name }) => name)).size).toBe(queries.length);
  for (const name of ['', 'constructor', '__proto__', 'get_nothing']) expect(findQuery(name)).toBeUndefined();
});

test('unknown fields are ignored and null is absent', () => {
  expect(parse('get_api_keys', { userId: null, more: { a: [1] }, __proto__x: 1 })).toEqual({ organizationId });
});

test('an empty string is absent too, at every depth', () => {
  const paginationOptions = { limit: '', before: '', after: '' };
  const expected = { organizationId, paginationOptions: { limit: 10 } };
  expect(parse('list_suborgs', { filterType: '', filterValue: '', paginationOptions })).toEqual(expected);
  expect(violations('get_user', { userId: '' })).toEqual(['userId']);
});

test('a page is ten objects where nothing else is said', () => {
  expect(parse('list_activities', {})).toEqual({ organizationId, paginationOptions: { limit: 10 } });
  expect(parse('list_activities', { paginationOptions: { limit: null } })).toMatchObject({
    paginationOptions: { limit: 10 },
  });
  expect(parse('list_activities', { paginationOptions: { limit: '100' } })).toMatchObject({
    paginationOptions: { limit: 100 },
  });
});

describe('wrong fields are named by their path', () => {
  test.each([
    ['get_wallet', {}, ['walletId']],
    ['get_wallet', { walletId: 7 }, ['walletId']],
    ['get_wallet', { walletId: 'x' }, ['walletId']],
    ['whoami', { organizationId: 'x' }, ['organizationId']],
    ['list_activities', { filterByStatus: 'ACTIVITY_STATUS_COMPLETED' }, ['filterByStatus']],
    ['list_activities', { filterByStatus: ['ACTIVITY_STATUS_COMPLETED', 'DONE'] }, ['filterByStatus.1']],
    ['list_activities', { filterByType: Array(301).fill('A') }, ['filterByType']],
    [
      'list_wallet_accounts',
      { includeWalletDetails: 'true', paginationOptions: { limit: '0' } },
      ['includeWalletDetails', 'paginationOptions.limit'],
    ],
    [
      'list_suborgs',
      { paginationOptions: { limit: '101', after: 'x' } },
      ['paginationOptions.limit', 'paginationOptions.after'],
    ],
    ['list_suborgs', { paginationOptions: 'x' }, ['paginationOptions']],
    ['list_suborgs', { filterType: 'SHOE_SIZE' }, ['filterType']],
    ['list_verified_suborgs', { filterType: 'NAME' }, ['filterType']],
  ])('%s %j', (name, fields, expected) => {
    expect(violations(name, fields)).toEqual(expected);
  });

  test.each(queries.map(({ name }) => name))('%s without an organization', (name) => {
    expect(violations(name, { organizationId: null })).toContain('organizationId');
  });
});
