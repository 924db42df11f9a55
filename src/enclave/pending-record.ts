import type { Recorded } from './activity-record.ts';
import type { Organization, PendingActivity } from './state.ts';

/** A pending activity in the form of a record, as far as it has got. */
export const pendingRecord = (
  pending: PendingActivity,
  { id }: Organization,
): Recorded & { notBefore: number | null } => ({
  ...pending,
  organizationId: id,
  result: null,
  signed: [],
});
