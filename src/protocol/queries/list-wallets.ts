import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { wallet } from './objects.ts';

export const listWallets = defineQuery({
  name: 'list_wallets',
  summary: 'List the wallets of an organization',
  request: v.object({ organizationId: uuid }),
  response: v.object({ wallets: v.array(wallet) }),
});
