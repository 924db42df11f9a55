import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { text, uuid } from '../fields.ts';
import { walletAccount } from './objects.ts';

export const getWalletAccount = defineQuery({
  name: 'get_wallet_account',
  summary: 'Get an account of a wallet by its address or path',
  request: v.object({
    organizationId: uuid,
    walletId: uuid,
    address: v.exactOptional(text(255)),
    path: v.exactOptional(text(255)),
  }),
  response: v.object({ account: walletAccount }),
});
