/** What requests are carried out with: the ledger and the few effects around it, put together once at the start. */
import { randomUUID } from 'node:crypto';
import { CountersignError, unavailable } from '../protocol/errors.ts';
import type { ProvenActivity } from '../protocol/messages.ts';
import { uuidBytes, uuidText } from '../protocol/uuid.ts';
import { type ActivityRecord, openActivity } from './activity-record.ts';
import type { AnchoredState } from './anchors/anchor.ts';
import type { Pagination } from './answer.ts';
import { collectActivities } from './collect-activities.ts';
import { createDenials, type Denials } from './denials.ts';
import type { EffectContext, ProfileReader, StampRules } from './effect.ts';
import { fillPage } from './fill-page.ts';
import { ownBytes, splitHashes } from './ledger/hash.ts';
import { filterDigest, findIdentity, type HintKind, hintDigest } from './ledger/identities.ts';
import { activityEntry, type Ledger } from './ledger/ledger.ts';
import { includes, leafHash } from './ledger/log.ts';
import type { Opened } from './ledger/organizations.ts';
import { fetchRows, type Port } from './ledger/port.ts';
import { keyPlace } from './ledger/transition.ts';
import type { CallerSource } from './resolve-caller.ts';
import { RowIntegrityError, type Sealer } from './sealing/seal.ts';
import { noContent, type Organization } from './state.ts';

export type Service = CallerSource & {
  readonly ledger: Ledger;
  readonly denials: Denials;
  /** The organization, or NOT_FOUND; deleted ones are not found. */
  loadExisting(organizationId: string): Promise<Opened>;
  /** Runs `work` alone among those of the same organization. */
  exclusively<T>(organizationId: string, work: () => Promise<T>): Promise<T>;
  withKey: (opened: Opened) => EffectContext['withKey'];
  parentProfiles: (organization: Organization) => ProfileReader;
  /** Records of activities by id, each proven to be in the released log; those that do not exist are left out. */
  readActivities(opened: Opened, ids: readonly string[]): Promise<ActivityRecord[]>;
  listActivities(
    opened: Opened,
    page: Pagination & { types: readonly string[]; statuses: readonly string[] },
  ): Promise<ActivityRecord[]>;
  listSubOrganizations(
    parent: Organization,
    page: Pagination & { hint?: { kind: HintKind; value: string } },
  ): Promise<Organization[]>;
};

export function createService(ledger: Ledger, port: Port, sealer: Sealer, defaults: StampRules): Service {
  const tails = new Map<string, Promise<unknown>>();
  const load = ledger.organizations.load;

  const service: Service = {
    ledger,
    denials: createDenials(),
    load,
    now: ledger.now,
    findIdentity: (scope, identity) => findIdentity(ledger.map, ledger.keys.identity, scope, identity),
    passkeyRules: ({ settings }) => ({
      origins: settings.origins ?? defaults.origins,
      rpIds: settings.rpIds ?? defaults.rpIds,
      requireUserVerification: defaults.requireUserVerification,
    }),
    async loadExisting(organizationId) {
      const opened = await load(organizationId);
      if (opened && !opened.organization.deleted) return opened;
      throw new CountersignError('NOT_FOUND', 'no organization found with the given ID', {
        reason: 'ORGANIZATION_NOT_FOUND',
      });
    },
    exclusively(organizationId, work) {
      const before = tails.get(organizationId) ?? Promise.resolve();
      const done = before.then(work, work);
      const tail = done
        .catch(() => {})
        .finally(() => {
          if (tails.get(organizationId) === tail) tails.delete(organizationId);
        });
      tails.set(organizationId, tail);
      return done;
    },
    withKey: (opened) => async (id, binding, use) => {
      const sealed = opened.keys.get(id) ?? (await fetchKey(port, opened, id));
      const { plaintext } = sealer.open(keyPlace(opened.id, uuidBytes(id), binding), sealed);
      // Only what opens is kept: a wrong row may be put right.
      opened.keys.set(id, sealed);
      try {
        return use(plaintext);
      } finally {
        plaintext.fill(0);
      }
    },
    parentProfiles:
      ({ parentId }) =>
      async () =>
        (parentId === null ? noContent : (await service.loadExisting(parentId)).organization).sessionProfiles,
    async readActivities(opened, ids) {
      await ledger.settled();
      const released = ledger.released();
      const rows = await fetchRows(port, {
        what: 'activities',
        organizationId: opened.id,
        ids: ids.map(uuidBytes),
        treeSize: released.logSize,
      });
      return rows.activities.map((row) => {
        if (!ids.includes(uuidText(row.id))) throw new RowIntegrityError('another activity than the one asked for');
        return provenRecord(opened, row, released);
      });
    },
    async listActivities(opened, { types, statuses, ...page }) {
      await ledger.settled();
      const released = ledger.released();
      const hint = (value: string) => filterDigest(ledger.keys.hint, opened.organization.id, value);
      const [typeHints, statusHints] = [types.map(hint), statuses.map(hint)];
      const fetchPart = async ({ limit, before, after }: Pagination) => {
        const rows = await fetchRows(port, {
          what: 'activityList',
          organizationId: opened.id,
          treeSize: released.logSize,
          limit,
          before: before ? uuidBytes(before) : null,
          after: after ? uuidBytes(after) : null,
          typeHints,
          statusHints,
        });
        return rows.activities;
      };
      return (await collectActivities(fetchPart, page)).map((row) => provenRecord(opened, row, released));
    },
    async listSubOrganizations(parent, { hint, ...page }) {
      await ledger.settled();
      const digest = hint ? hintDigest(ledger.keys.hint, parent.id, hint.kind, hint.value) : null;
      return fillPage(page, async ({ limit, before, after }) => {
        const rows = await fetchRows(port, {
          what: 'subOrganizations',
          parentId: uuidBytes(parent.id),
          hint: digest,
          limit,
          before: before ? uuidBytes(before) : null,
          after: after ? uuidBytes(after) : null,
        });
        const ids = rows.organizationIds.slice(0, limit).map(uuidText);
        const opened = await Promise.all(ids.map((id) => load(id).catch(unlessAltered)));
        const found = opened.flatMap((one) =>
          one && one.organization.parentId === parent.id && !one.organization.deleted ? [one.organization] : [],
        );
        return { ids, found };
      });
    },
  };
  return service;

  /** An activity is believed only with its place in the log that was released. */
  function provenRecord(opened: Opened, row: ProvenActivity, { logSize, logRoot }: AnchoredState): ActivityRecord {
    const leaf = leafHash(activityEntry(row.sealed));
    if (!includes(leaf, row.leafIndex, logSize, splitHashes(row.path), logRoot)) {
      throw new RowIntegrityError(`activity ${uuidText(row.id)} in the database is not the one in the log`);
    }
    return openActivity(sealer, opened.id, row.id, row.sealed);
  }
}

async function fetchKey(port: Port, opened: Opened, id: string): Promise<Uint8Array> {
  const keyId = uuidBytes(id);
  const { keys } = await fetchRows(port, { what: 'keys', organizationId: opened.id, keyIds: [keyId] });
  const row = keys.find((key) => keyId.equals(key.keyId));
  if (!row)
    throw new RowIntegrityError(`key ${id} of organization ${opened.organization.id} is missing in the database`);
  return ownBytes(row.sealed);
}

/** One organization whose rows were altered does not hide the others: the list is not promised to be complete. */
function unlessAltered(error: unknown): undefined {
  if (!(error instanceof RowIntegrityError)) throw error;
}

/** UUID v7 (RFC 9562 §5.7): the time first, so that activities sort as they came. */
export function uuidV7(now: number): string {
  const time = now.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** A fault of the stored rows as callers see it; anything else as it is. */
export function asAnswer(error: unknown): unknown {
  return error instanceof RowIntegrityError ? unavailable(error.message, 'ROW_INTEGRITY') : error;
}
