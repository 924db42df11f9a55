import type { listPrivateKeyTags } from '../../protocol/queries/list-private-key-tags.ts';
import { privateKeyTags } from '../activities/tags.ts';
import type { Answer } from '../answer.ts';
import { tagView } from '../views/tag.ts';
import { byCreation } from './by-creation.ts';

export const listPrivateKeyTagsAnswer: Answer<typeof listPrivateKeyTags> = ({ organization }) => ({
  privateKeyTags: byCreation(organization.tags)
    .filter(({ type }) => type === privateKeyTags.type)
    .map(tagView),
});
