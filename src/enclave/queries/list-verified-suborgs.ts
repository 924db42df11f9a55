import type { listVerifiedSuborgs } from '../../protocol/queries/list-verified-suborgs.ts';
import type { Answer } from '../answer.ts';
import { assertParentItself, readFilter } from './sub-organizations.ts';

/** No contact can be verified yet, so that no sub-organization has one. */
export const listVerifiedSuborgsAnswer: Answer<typeof listVerifiedSuborgs> = (context, request) => {
  assertParentItself(context);
  readFilter(request);
  return { organizationIds: [] };
};
