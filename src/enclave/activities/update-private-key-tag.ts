import type { updatePrivateKeyTag } from '../../protocol/activities/update-private-key-tag.ts';
import type { Effect } from '../effect.ts';
import { privateKeyTags, updateTag } from './tags.ts';

export const updatePrivateKeyTagEffect: Effect<typeof updatePrivateKeyTag> = (context, parameters) => {
  const { privateKeyTagId, newPrivateKeyTagName, addPrivateKeyIds, removePrivateKeyIds } = parameters;
  const organization = updateTag(context, privateKeyTags, {
    tag: { id: privateKeyTagId, field: 'parameters.privateKeyTagId' },
    name: { value: newPrivateKeyTagName, field: 'parameters.newPrivateKeyTagName' },
    added: { ids: addPrivateKeyIds, field: 'parameters.addPrivateKeyIds' },
    removed: { ids: removePrivateKeyIds, field: 'parameters.removePrivateKeyIds' },
  });
  return { result: { privateKeyTagId }, organization };
};
