/** Answers what the enclave asks the database for. */
import type { Pool } from 'pg';
import type { Fetch, FetchedRows } from '../../protocol/messages.ts';
import { fetchDenials } from './denials.ts';
import { fetchActivities, fetchActivityList } from './fetch-activities.ts';
import { fetchBatches, fetchLastBatch } from './fetch-batches.ts';
import { fetchFingerprints } from './fetch-fingerprints.ts';
import { fetchKeys } from './fetch-keys.ts';
import { fetchOrganizations } from './fetch-organizations.ts';
import { fetchHeadDigests, fetchHeads, fetchLookups } from './fetch-ranges.ts';
import { fetchSubOrganizations } from './fetch-sub-organizations.ts';
import { groupLoads } from './group-loads.ts';
import { loadAuditPaths, loadFrontier } from './log-proofs.ts';

/** A function that reads rows from the database of `pool`; it rejects when the database does not answer. */
export function createFetcher(pool: Pool): (fetch: Fetch) => Promise<FetchedRows> {
  const organization = groupLoads((ids: readonly Uint8Array[]) => fetchOrganizations(pool, ids));
  const keys = groupLoads((wishes: readonly Extract<Fetch, { what: 'keys' }>[]) => fetchKeys(pool, wishes));

  return async (fetch) => {
    const { what } = fetch;
    switch (what) {
      case 'organization':
        return organization(fetch.organizationId);
      case 'keys':
        return keys(fetch);
      case 'fingerprints':
        return { what, entries: await fetchFingerprints(pool, fetch.organizationId, fetch.minute) };
      case 'activities':
        return { what, activities: await fetchActivities(pool, fetch) };
      case 'activityList':
        return { what, activities: await fetchActivityList(pool, fetch) };
      case 'subOrganizations':
        return { what, organizationIds: await fetchSubOrganizations(pool, fetch) };
      case 'batches':
        return { what, batches: await fetchBatches(pool, fetch.after) };
      case 'lastBatch':
        return { what, batches: await fetchLastBatch(pool) };
      case 'heads':
        return { what, heads: await fetchHeads(pool, fetch) };
      case 'headDigests':
        return { what, entries: await fetchHeadDigests(pool, fetch) };
      case 'lookups':
        return { what, entries: await fetchLookups(pool, fetch) };
      case 'frontier':
        return { what, tiles: await loadFrontier(pool, fetch.size) };
      case 'denials':
        return { what, notes: await fetchDenials(pool, fetch.organizationId) };
      case 'inclusion':
        return { what, path: (await loadAuditPaths(pool, [fetch.index], fetch.treeSize))[0] as Buffer };
      default:
        throw new TypeError('the enclave asked for rows that this version does not know');
    }
  };
}
