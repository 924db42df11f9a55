import type { listUserTags } from '../../protocol/queries/list-user-tags.ts';
import { userTags } from '../activities/tags.ts';
import type { Answer } from '../answer.ts';
import { tagView } from '../views/tag.ts';
import { byCreation } from './by-creation.ts';

export const listUserTagsAnswer: Answer<typeof listUserTags> = ({ organization }) => ({
  userTags: byCreation(organization.tags)
    .filter(({ type }) => type === userTags.type)
    .map(tagView),
});
