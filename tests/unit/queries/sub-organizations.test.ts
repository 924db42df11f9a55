import { describe, expect, test } from 'vitest';
import type { Pagination } from '../../../src/enclave/answer.ts';
import type { Identity } from '../../../src/enclave/effect.ts';
import type { HintKind } from '../../../src/enclave/ledger/identities.ts';
import type { Organization } from '../../../src/enclave/state.ts';
import { alice, ask, contextOf, id, organization, parentId } from './fixtures.ts';

const parent: Organization = { ...organization, id: parentId, parentId: null };
const stranger: Organization = {
  ...organization,
  id: id(102),
  settings: { ...organization.settings, name: 'Other' },
  users: new Map(),
  accounts: new Map(),
};

type Page = Pagination & { hint?: { kind: HintKind; value: string } };

/** A parent whose database answers every filter with both sub-organizations, and what it was asked. */
function parentContext() {
  const pages: Page[] = [];
  const identities: Identity[] = [];
  const hits = [id(104), organization.id, parentId, id(103), id(103)];
  const context = contextOf(parent, {
    identities: {
      find(scope, identity) {
        expect(scope).toBe(parentId);
        identities.push(identity);
        return hits.map((organizationId) => ({ organizationId, userId: alice.id, keyDigest: new Uint8Array(16) }));
      },
    },
    subOrganizations: {
      async list(page) {
        pages.push(page);
        return [organization, stranger];
      },
    },
  });
  return { context, pages, identities };
}

test('without a filter: all of them, a page at a time', async () => {
  const { context, pages } = parentContext();
  const answer = await ask('list_suborgs', { paginationOptions: { limit: '2', after: id(7) } }, context);
  expect(answer).toEqual({ organizationIds: [organization.id, stranger.id] });
  expect(pages).toEqual([{ limit: 2, after: id(7) }]);
});

describe('filters by name are hints, and each hit is looked at', () => {
  test.each([
    ['NAME', 'Acme'],
    ['USERNAME', 'Bob'],
    ['EMAIL', 'alice@EXAMPLE.com'],
    ['PHONE_NUMBER', '+13214567890'],
    ['WALLET_ACCOUNT_ADDRESS', `0xaB${'1'.padStart(38, '0')}`],
  ])('%s %s', async (filterType, filterValue) => {
    const { context, pages } = parentContext();
    const answer = await ask('list_suborgs', { filterType, filterValue }, context);
    expect(answer).toEqual({ organizationIds: [organization.id] });
    expect(pages).toEqual([{ limit: 10, hint: { kind: filterType, value: filterValue } }]);
  });

  test.each([
    ['NAME', 'acme'],
    ['USERNAME', 'Acme'],
    ['EMAIL', 'Alice'],
    ['PHONE_NUMBER', '+1321456789'],
    ['WALLET_ACCOUNT_ADDRESS', '0xab'],
  ])('%s %s is in neither', async (filterType, filterValue) => {
    const { context } = parentContext();
    expect(await ask('list_suborgs', { filterType, filterValue }, context)).toEqual({ organizationIds: [] });
  });
});

describe('filters by credential are known to the enclave', () => {
  test.each([
    ['CREDENTIAL_ID', 'Y3JlZGVudGlhbA==', { kind: 'credentialId', value: 'Y3JlZGVudGlhbA' }],
    ['PUBLIC_KEY', '02ABCDEF', { kind: 'publicKey', value: '02abcdef' }],
  ])('%s', async (filterType, filterValue, identity) => {
    const { context, pages, identities } = parentContext();
    const found = await ask('list_suborgs', { filterType, filterValue }, context);
    expect(found).toEqual({ organizationIds: [organization.id, id(103), id(104)] });
    const paginationOptions = { limit: '1', after: organization.id };
    const next = await ask('list_suborgs', { filterType, filterValue, paginationOptions }, context);
    expect(next).toEqual({ organizationIds: [id(103)] });
    expect(identities).toEqual([identity, identity]);
    expect(pages).toEqual([]);
  });
});

test('OIDC_TOKEN says that it is not there', async () => {
  const fields = { filterType: 'OIDC_TOKEN', filterValue: 'a.b.c' };
  await expect(ask('list_suborgs', fields, parentContext().context)).rejects.toMatchObject({
    code: 'UNIMPLEMENTED',
    message: expect.stringContaining('OIDC_TOKEN'),
  });
});

test('no contact is verified yet', async () => {
  const { context } = parentContext();
  for (const fields of [{}, { filterType: 'EMAIL', filterValue: 'alice@example.com' }]) {
    expect(await ask('list_verified_suborgs', fields, context)).toEqual({ organizationIds: [] });
  }
});

describe.each(['list_suborgs', 'list_verified_suborgs'] as const)('%s', (name) => {
  test('filter type and value come together', async () => {
    const { context } = parentContext();
    for (const [fields, field] of [
      [{ filterType: 'EMAIL' }, 'filterValue'],
      [{ filterType: 'EMAIL', filterValue: '' }, 'filterValue'],
      [{ filterValue: 'x' }, 'filterType'],
    ] as const) {
      await expect(ask(name, fields, context)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        facts: { fields: [{ field }] },
      });
    }
  });

  test('only a parent about itself', async () => {
    const own = contextOf(organization);
    const ofParent = contextOf(organization, { caller: { organization: parent, user: alice } });
    const ofChild = contextOf(parent, { caller: { organization, user: alice } });
    for (const context of [own, ofParent, ofChild]) {
      await expect(ask(name, {}, context)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
  });
});
