import type { TagObject } from '../../protocol/queries/objects.ts';
import type { Tag } from '../state.ts';
import { timesView } from './times.ts';

export const tagView = ({ id, name, type, ...times }: Tag): TagObject => ({
  tagId: id,
  tagName: name,
  tagType: type,
  ...timesView(times),
});
