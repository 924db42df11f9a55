/** What the activities about tags share: a tag's name is its own among those of its type, and its holders list its id. */
import type { EffectContext } from '../effect.ts';
import { type Organization, type PrivateKey, put, type Tag, type User, without } from '../state.ts';
import { checkQuota } from './quotas.ts';
import { checkUnique, find, findAll, invalidField } from './refusals.ts';

/** One type of tags, what errors call it, and the kind of entity that holds them. */
type TagKind = {
  readonly type: Tag['type'];
  readonly what: string;
  readonly holders: 'users' | 'privateKeys';
  readonly holder: string;
};

export const userTags: TagKind = { type: 'TAG_TYPE_USER', what: 'user tag', holders: 'users', holder: 'user' };
export const privateKeyTags: TagKind = {
  type: 'TAG_TYPE_PRIVATE_KEY',
  what: 'private key tag',
  holders: 'privateKeys',
  holder: 'private key',
};

/** Ids as they came in, and the path of the list (or of the one id) in the request. */
type Ids = { readonly ids: readonly string[]; readonly field: string };
type Name<T> = { readonly value: T; readonly field: string };
type Tags = Organization['tags'];

/** The organization with a new tag that the entities `holders` have. */
export function createTag(
  { organization, now, newId }: EffectContext,
  kind: TagKind,
  { name, holders }: { name: Name<string>; holders: Ids },
): { tag: Tag; organization: Organization } {
  const { tags, parentId } = organization;
  checkQuota(parentId === null ? 'tags' : 'subOrganizationTags', tags.size + 1, name.field);
  checkTagName(tags, kind, name);
  const tag: Tag = { id: newId(), name: name.value, type: kind.type, createdAt: now, updatedAt: now };
  const next = { ...organization, tags: put(tags, tag) };
  return { tag, organization: retag(next, kind, holders, now, (tagIds) => [...tagIds, tag.id]) };
}

/** The organization with the tag under another name and with other entities. */
export function updateTag(
  { organization, now }: EffectContext,
  kind: TagKind,
  change: { tag: { id: string; field: string }; name: Name<string | undefined>; added: Ids; removed: Ids },
): Organization {
  const { tags } = organization;
  const { added, removed } = change;
  const tag = find(tagsOf(tags, kind), change.tag.id, kind.what, change.tag.field);
  const name = change.name.value ?? tag.name;
  checkTagName(tags, kind, { value: name, field: change.name.field }, tag.id);
  const inBoth = removed.ids.findIndex((id) => added.ids.includes(id));
  if (inBoth !== -1) throw invalidField(`${removed.field}.${inBoth}`, 'expected no id that is also added');
  const renamed = { ...organization, tags: put(tags, { ...tag, name, updatedAt: now }) };
  const given = retag(renamed, kind, added, now, (tagIds) => [...tagIds.filter((id) => id !== tag.id), tag.id]);
  return retag(given, kind, removed, now, (tagIds) => tagIds.filter((id) => id !== tag.id));
}

/** The organization without the tags, and the ids of the entities that had any of them. */
export function deleteTags(
  { organization, now }: EffectContext,
  kind: TagKind,
  deleted: Ids,
): { holderIds: string[]; organization: Organization } {
  checkTags(organization.tags, kind, deleted);
  const held: ReadonlyMap<string, User | PrivateKey> = organization[kind.holders];
  const holderIds = [...held.values()]
    .filter(({ tagIds }) => tagIds.some((id) => deleted.ids.includes(id)))
    .map(({ id }) => id);
  const next = { ...organization, tags: without(organization.tags, deleted.ids) };
  const holders = { ids: holderIds, field: deleted.field };
  return {
    holderIds,
    organization: retag(next, kind, holders, now, (tagIds) => tagIds.filter((id) => !deleted.ids.includes(id))),
  };
}

/** Refuses ids that are no tag of the kind. */
export const checkTags = (tags: Tags, kind: TagKind, { ids, field }: Ids): void =>
  void findAll(tagsOf(tags, kind), ids, kind.what, field);

const tagsOf = (tags: Tags, { type }: TagKind): Tags => new Map([...tags].filter(([, tag]) => tag.type === type));

const checkTagName = (tags: Tags, kind: TagKind, { value, field }: Name<string>, self?: string) =>
  checkUnique(tagsOf(tags, kind).values(), value, field, `${kind.what} label must be unique`, self);

/** The organization with other tags on the entities `holders`; those whose tags stay the same are left alone. */
function retag(
  organization: Organization,
  kind: TagKind,
  { ids, field }: Ids,
  now: number,
  change: (tagIds: readonly string[]) => readonly string[],
): Organization {
  const held: ReadonlyMap<string, User | PrivateKey> = organization[kind.holders];
  const changed = findAll(held, ids, kind.holder, field).flatMap((holder) => {
    const tagIds = change(holder.tagIds);
    return tagIds.length === holder.tagIds.length ? [] : [{ ...holder, tagIds, updatedAt: now }];
  });
  return changed.length === 0 ? organization : { ...organization, [kind.holders]: put(held, ...changed) };
}
