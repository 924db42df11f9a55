import type { listSuborgs } from '../../protocol/queries/list-suborgs.ts';
import { unimplemented } from '../activities/refusals.ts';
import type { Answer, Pagination, QueryContext } from '../answer.ts';
import type { Identity } from '../effect.ts';
import { type HintKind, hintsOf, normalHint } from '../ledger/identities.ts';
import type { Organization } from '../state.ts';
import { paginate } from './paginate.ts';
import { assertParentItself, readFilter } from './sub-organizations.ts';

export const listSuborgsAnswer: Answer<typeof listSuborgs> = async (context, request) => {
  assertParentItself(context);
  const filter = readFilter(request);
  const { paginationOptions } = request;
  if (!filter) return { organizationIds: idsOf(await context.subOrganizations.list(paginationOptions)) };
  switch (filter.type) {
    case 'OIDC_TOKEN':
      throw unimplemented('filterType', 'the filter OIDC_TOKEN is not supported yet: no user can have an OIDC login');
    case 'CREDENTIAL_ID':
      return byIdentity(context, { kind: 'credentialId', value: filter.value.replace(/=+$/, '') }, paginationOptions);
    case 'PUBLIC_KEY':
      return byIdentity(context, { kind: 'publicKey', value: filter.value.toLowerCase() }, paginationOptions);
    default: {
      const hint = { kind: filter.type, value: filter.value };
      const found = await context.subOrganizations.list({ ...paginationOptions, hint });
      return { organizationIds: idsOf(found.filter((organization) => hasHint(organization, hint))) };
    }
  }
};

/** The look-ups are the enclave's own, so that an empty answer means that there is none. */
function byIdentity(
  { identities, organization }: QueryContext,
  identity: Identity,
  page: Pagination,
): { organizationIds: string[] } {
  const hits = identities.find(organization.id, identity).map(({ organizationId }) => organizationId);
  const ids = [...new Set(hits)].filter((id) => id !== organization.id).sort();
  const organizations = ids.map((id) => ({ id }));
  return { organizationIds: idsOf(paginate(organizations, page, 'sub-organization')) };
}

const hasHint = (organization: Organization, { kind, value }: { kind: HintKind; value: string }): boolean =>
  hintsOf(organization).some(([its, held]) => its === kind && normalHint(kind, held) === normalHint(kind, value));

const idsOf = (organizations: readonly { readonly id: string }[]): string[] => organizations.map(({ id }) => id);
