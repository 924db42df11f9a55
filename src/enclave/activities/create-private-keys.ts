import type { createPrivateKeys } from '../../protocol/activities/create-private-keys.ts';
import type { Effect } from '../effect.ts';
import { newPrivateKeys, privateKeyResultOf } from './private-keys.ts';

export const createPrivateKeysEffect: Effect<typeof createPrivateKeys> = (context, parameters) => {
  const { organization } = context;
  const made = newPrivateKeys(context, organization, parameters.privateKeys);
  return {
    result:
      parameters.resultForm === 'ids'
        ? { privateKeyIds: made.added.map(({ id }) => id) }
        : { privateKeys: made.added.map(privateKeyResultOf) },
    organization: { ...organization, privateKeys: made.privateKeys },
    keys: made.keys,
  };
};
