/** What the two lists of sub-organizations share. */
import { CountersignError } from '../../protocol/errors.ts';
import { invalidField } from '../activities/refusals.ts';
import type { QueryContext } from '../answer.ts';

/** Refuses everybody but a parent organization that asks about itself. */
export function assertParentItself({ organization, caller }: QueryContext): void {
  if (organization.parentId === null && caller.organization.id === organization.id) return;
  throw new CountersignError(
    'PERMISSION_DENIED',
    'request not authorized: only a parent organization lists its sub-organizations',
    {
      reason: 'REQUEST_NOT_AUTHORIZED',
    },
  );
}

/** The filter of a request, of which type and value come together. */
export function readFilter<T extends string>(request: {
  readonly filterType?: T;
  readonly filterValue?: string;
}): { type: T; value: string } | undefined {
  const { filterType: type, filterValue: value } = request;
  if (type === undefined && value === undefined) return undefined;
  if (type === undefined) throw invalidField('filterType', 'expected a filter type for the filter value');
  if (!value) throw invalidField('filterValue', 'expected a value for the filter type');
  return { type, value };
}
