import { defineActivity } from './activity.ts';
import { wallet, walletResult } from './key-fields.ts';

export const createWallet = defineActivity({
  name: 'create_wallet',
  summary: 'Create a wallet with a fresh seed and derive its first accounts',
  versions: {
    ACTIVITY_TYPE_CREATE_WALLET: {
      intent: 'createWalletIntent',
      result: 'createWalletResult',
      parameters: wallet,
    },
  },
  result: walletResult,
});
