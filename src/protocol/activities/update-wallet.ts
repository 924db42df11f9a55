import * as v from 'valibot';
import { label, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updateWallet = defineActivity({
  name: 'update_wallet',
  summary: 'Rename a wallet',
  versions: {
    ACTIVITY_TYPE_UPDATE_WALLET: {
      intent: 'updateWalletIntent',
      result: 'updateWalletResult',
      parameters: v.strictObject({ walletId: uuid, walletName: v.exactOptional(label) }),
    },
  },
  result: v.object({ walletId: v.string() }),
});
