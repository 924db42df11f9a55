import type { updateOrganizationName } from '../../protocol/activities/update-organization-name.ts';
import type { Effect } from '../effect.ts';

export const updateOrganizationNameEffect: Effect<typeof updateOrganizationName> = (context, { organizationName }) => {
  const { organization, now } = context;
  return {
    result: { organizationId: organization.id, organizationName },
    organization: { ...organization, settings: { ...organization.settings, name: organizationName, updatedAt: now } },
  };
};
