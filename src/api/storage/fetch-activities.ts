import type { Pool } from 'pg';
import type { Fetch, ProvenActivity } from '../../protocol/messages.ts';
import { loadAuditPaths } from './log-proofs.ts';
import { byteas, bytes, uuids } from './parameters.ts';
import { type Select, select } from './select.ts';

type Row = { id: Buffer; leaf_index: number; sealed: Buffer };
type ListFetch = Extract<Fetch, { what: 'activityList' }>;
type ActivitiesFetch = Extract<Fetch, { what: 'activities' }>;
/** An activity's place in the order of time: its minute and the position in it. */
type Place = readonly [minute: number, position: number];

const beforeAll: Place = [-1, -1];
const afterAll: Place = [2 ** 31 - 1, 2 ** 31 - 1];
const largestPage = 1000;

const byIds = {
  name: 'activities',
  text: `
    select id, leaf_index, sealed from activities
    where organization_id = $1 and id = any($2::uuid[]) and leaf_index < $3`,
};

const place = {
  name: 'activity-place',
  text: 'select minute, position from activities where organization_id = $1 and id = $2',
};

const page = (name: string, order: 'asc' | 'desc'): Select => ({
  name,
  text: `
    select id, leaf_index, sealed from activities
    where organization_id = $1 and leaf_index < $2
    and (minute, position) > ($3, $4) and (minute, position) < ($5, $6)
    and (cardinality($7::bytea[]) = 0 or type_hint = any($7))
    and (cardinality($8::bytea[]) = 0 or status_hint = any($8))
    order by minute ${order}, position ${order} limit $9`,
});
const newestFirst = page('activities-newest', 'desc');
const oldestFirst = page('activities-oldest', 'asc');

/** Activities by id, with their audit paths in the log of `treeSize` leaves; later ones are left out. */
export async function fetchActivities(pool: Pool, fetch: ActivitiesFetch): Promise<ProvenActivity[]> {
  const { organizationId, ids, treeSize } = fetch;
  return prove(pool, await select<Row>(pool, byIds, [bytes(organizationId), uuids(ids), treeSize]), treeSize);
}

/**
 * A page of an organization's activities, newest first. `after` is the last id of the page before it, `before` the first
 * of the page after it; with `before` alone the page is the one that ends there.
 */
export async function fetchActivityList(pool: Pool, fetch: ListFetch): Promise<ProvenActivity[]> {
  const { organizationId, treeSize, before, after } = fetch;
  const [newest, oldest] = await Promise.all([
    after ? placeOf(pool, organizationId, after) : afterAll,
    before ? placeOf(pool, organizationId, before) : beforeAll,
  ]);
  if (!newest || !oldest) return [];
  const hints = [byteas(fetch.typeHints), byteas(fetch.statusHints)];
  const limit = Math.min(fetch.limit, largestPage);
  const values = [bytes(organizationId), treeSize, ...oldest, ...newest, ...hints, limit];
  const backwards = before !== null && after === null;
  const rows = await select<Row>(pool, backwards ? oldestFirst : newestFirst, values);
  return prove(pool, backwards ? rows.reverse() : rows, treeSize);
}

async function placeOf(pool: Pool, organizationId: Uint8Array, id: Uint8Array): Promise<Place | undefined> {
  type PlaceRow = { minute: number; position: number };
  const [found] = await select<PlaceRow>(pool, place, [bytes(organizationId), bytes(id)]);
  return found && [found.minute, found.position];
}

async function prove(pool: Pool, rows: readonly Row[], treeSize: number): Promise<ProvenActivity[]> {
  const paths = await loadAuditPaths(
    pool,
    rows.map((row) => row.leaf_index),
    treeSize,
  );
  return rows.map(({ id, leaf_index, sealed }, at) => ({
    id,
    leafIndex: leaf_index,
    sealed,
    path: paths[at] as Buffer,
  }));
}
