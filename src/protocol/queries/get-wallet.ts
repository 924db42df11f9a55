import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { wallet } from './objects.ts';

export const getWallet = defineQuery({
  name: 'get_wallet',
  summary: 'Get a wallet',
  request: v.object({ organizationId: uuid, walletId: uuid }),
  response: v.object({ wallet }),
});
