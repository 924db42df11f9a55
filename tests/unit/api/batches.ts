import { randomBytes } from 'node:crypto';
import type { ActivityRow, BatchRows, HeadRow } from '../../../src/protocol/messages.ts';

/** A batch that touches no table but its own. */
export const emptyBatch = (number: number): BatchRows => ({
  number,
  record: Buffer.from(`record ${number}`),
  entries: Buffer.alloc(0),
  firstLeaf: 0,
  heads: [],
  pages: [],
  removedPages: [],
  keys: [],
  removedKeys: [],
  activities: [],
  lookups: [],
  removedLookups: [],
  hints: [],
  removedHints: [],
  tiles: [],
});

export const headOf = (organizationId: Uint8Array, parentId: Uint8Array | null = null): HeadRow => ({
  organizationId,
  parentId,
  head: randomBytes(300),
  counters: randomBytes(120),
});

export const activityOf = (organizationId: Uint8Array, row: Partial<ActivityRow> = {}): ActivityRow => ({
  organizationId,
  id: randomBytes(16),
  leafIndex: 0,
  minute: 29_000_000,
  position: 0,
  fingerprint: randomBytes(16),
  typeHint: Buffer.alloc(8, 1),
  statusHint: Buffer.alloc(8, 2),
  sealed: randomBytes(700),
  ...row,
});
