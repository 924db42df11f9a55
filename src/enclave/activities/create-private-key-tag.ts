import type { createPrivateKeyTag } from '../../protocol/activities/create-private-key-tag.ts';
import type { Effect } from '../effect.ts';
import { createTag, privateKeyTags } from './tags.ts';

export const createPrivateKeyTagEffect: Effect<typeof createPrivateKeyTag> = (
  context,
  { privateKeyTagName, privateKeyIds },
) => {
  const { tag, organization } = createTag(context, privateKeyTags, {
    name: { value: privateKeyTagName, field: 'parameters.privateKeyTagName' },
    holders: { ids: privateKeyIds, field: 'parameters.privateKeyIds' },
  });
  return { result: { privateKeyTagId: tag.id, privateKeyIds }, organization };
};
