import type { deletePrivateKeyTags } from '../../protocol/activities/delete-private-key-tags.ts';
import type { Effect } from '../effect.ts';
import { deleteTags, privateKeyTags } from './tags.ts';

export const deletePrivateKeyTagsEffect: Effect<typeof deletePrivateKeyTags> = (context, { privateKeyTagIds }) => {
  const tags = { ids: privateKeyTagIds, field: 'parameters.privateKeyTagIds' };
  const { holderIds, organization } = deleteTags(context, privateKeyTags, tags);
  return { result: { privateKeyTagIds, privateKeyIds: holderIds }, organization };
};
