import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { organizationData } from './objects.ts';

export const getOrganization = defineQuery({
  name: 'get_organization',
  summary: 'Get an organization with its users, policies, wallets, private keys and tags',
  request: v.object({ organizationId: uuid }),
  response: v.object({ organizationData }),
});
