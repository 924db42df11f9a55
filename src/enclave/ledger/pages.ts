/**
 * Pages: an organization's entities by kind, at most 64 to a page, sealed one by one. An entity stays on its page, so
 * that a change writes only the pages it touches.
 */
import { type Cbor, decode, encode } from '../../protocol/cbor.ts';
import type { PageRow } from '../../protocol/messages.ts';
import { RowIntegrityError, type Sealer } from '../sealing/seal.ts';
import type { Organization, Settings } from '../state.ts';
import { ownBytes, sha256 } from './hash.ts';

export const pageCapacity = 64;

/** Kinds of entities, each with the member of `Organization` that holds them. */
const entityKinds = [
  'users',
  'policies',
  'wallets',
  'accounts',
  'privateKeys',
  'tags',
  'interfaces',
  'smartAccounts',
  'sessionProfiles',
  'pending',
  'destinations',
] as const;
type EntityKind = (typeof entityKinds)[number];
type Entity = { readonly id: string };
type EntityMaps = Record<EntityKind, Map<string, Entity>>;

export type Page = {
  readonly kind: string;
  readonly index: number;
  /** SHA-256 of the sealed bytes. */
  readonly digest: Uint8Array;
  /** Ids of its entities, in order; empty for the settings page. */
  readonly ids: readonly string[];
  /** Bytes of its content. */
  readonly size: number;
};

/** Pages by `kind/index`. */
export type Layout = ReadonlyMap<string, Page>;

export type PagesContent = Pick<Organization, 'settings' | EntityKind>;

export type PageChanges = {
  readonly layout: Layout;
  readonly written: readonly Omit<PageRow, 'organizationId'>[];
  readonly removed: readonly { kind: string; index: number }[];
};

const pageKey = (kind: string, index: number): string => `${kind}/${index}`;
const pageId = (kind: string, index: number): Buffer => Buffer.from(pageKey(kind, index));

/** Digest over all page digests, as in the head. */
export function digestOfPages(layout: Layout): Buffer {
  const pages = [...layout.values()].sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : a.index - b.index));
  return ownBytes(sha256(encode(pages.map(({ kind, index, digest }) => [kind, index, digest]))));
}

/** The layout that rows claim to be; nothing in it is believed before `digestOfPages` fits the head. */
export function layoutOf(rows: readonly { kind: string; index: number; sealed: Uint8Array }[]): Layout {
  return new Map(
    rows.map(({ kind, index, sealed }) => [
      pageKey(kind, index),
      { kind, index, digest: ownBytes(sha256(sealed)), ids: [], size: 0 },
    ]),
  );
}

/** Opens rows whose digests were checked. */
export function openPages(
  organizationId: Uint8Array,
  rows: readonly { kind: string; index: number; sealed: Uint8Array }[],
  sealer: Sealer,
): { content: PagesContent; layout: Layout } {
  const layout = new Map<string, Page>();
  const entities = Object.fromEntries(entityKinds.map((kind) => [kind, new Map()])) as EntityMaps;
  let settings: Settings | undefined;
  const inOrder = [...rows].sort((a, b) => a.index - b.index);
  for (const { kind, index, sealed } of inOrder) {
    const place = { kind: 'page', organization: organizationId, id: pageId(kind, index) } as const;
    const { plaintext } = sealer.open(place, sealed);
    const content = decode(plaintext);
    const ids: string[] = [];
    if (kind === 'settings') settings = content as Settings;
    else {
      for (const entity of content as unknown as Entity[]) {
        entities[kind as EntityKind].set(entity.id, entity);
        ids.push(entity.id);
      }
    }
    layout.set(pageKey(kind, index), { kind, index, digest: ownBytes(sha256(sealed)), ids, size: plaintext.length });
  }
  if (!settings) throw new RowIntegrityError('an organization has no settings page');
  return { content: { settings, ...entities } as unknown as PagesContent, layout };
}

/** The pages that change between two states; `before` is null for an organization that comes into being. */
export function changePages(
  organizationId: Uint8Array,
  before: { organization: Organization; layout: Layout } | null,
  after: Organization,
  sequence: number,
  sealer: Sealer,
): PageChanges {
  const layout = new Map(before?.layout);
  const written: Omit<PageRow, 'organizationId'>[] = [];
  const removed: { kind: string; index: number }[] = [];
  const write = (kind: string, index: number, content: unknown, ids: readonly string[]) => {
    const place = { kind: 'page', organization: organizationId, id: pageId(kind, index) } as const;
    const plaintext = encode(content as Cbor);
    const sealed = sealer.seal(place, sequence, plaintext);
    layout.set(pageKey(kind, index), { kind, index, digest: ownBytes(sha256(sealed)), ids, size: plaintext.length });
    written.push({ kind, index, version: sequence, sealed });
  };

  if (before?.organization.settings !== after.settings) write('settings', 0, after.settings, []);
  for (const kind of entityKinds) {
    const old: ReadonlyMap<string, Entity> = before?.organization[kind] ?? new Map();
    const next: ReadonlyMap<string, Entity> = after[kind];
    if (old === next) continue;
    for (const { index, ids, dirty } of placeEntities(kind, layout, old, next)) {
      if (!dirty) continue;
      if (ids.length > 0)
        write(
          kind,
          index,
          ids.map((id) => next.get(id)),
          ids,
        );
      else if (layout.delete(pageKey(kind, index))) removed.push({ kind, index });
    }
  }
  return { layout, written, removed };
}

type Placed = { index: number; ids: string[]; dirty: boolean };

/**
 * Keeps entities where they are, drops those that went, and puts new ones behind the last: pages in order hold the
 * entities in order, also after they were opened again.
 */
function placeEntities(
  kind: EntityKind,
  layout: Layout,
  old: ReadonlyMap<string, Entity>,
  next: ReadonlyMap<string, Entity>,
): Placed[] {
  const placed: Placed[] = [];
  for (const page of layout.values()) {
    if (page.kind !== kind) continue;
    const ids = page.ids.filter((id) => next.has(id));
    const dirty = ids.length !== page.ids.length || ids.some((id) => old.get(id) !== next.get(id));
    placed.push({ index: page.index, ids, dirty });
  }
  placed.sort((a, b) => a.index - b.index);
  for (const id of next.keys()) {
    if (old.has(id)) continue;
    let page = placed.at(-1);
    if (!page || page.ids.length >= pageCapacity) {
      page = { index: page ? page.index + 1 : 0, ids: [], dirty: true };
      placed.push(page);
    }
    page.ids.push(id);
    page.dirty = true;
  }
  return placed;
}
