/** What requests are carried out with: the ledger and the few effects around it, put together once at the start. */
import { randomUUID } from 'node:crypto';
import { CountersignError, unavailable } from '../protocol/errors.ts';
import type { JsonValue } from '../protocol/json.ts';
import { leafHash } from '../protocol/log-hash.ts';
import type { ProvenActivity } from '../protocol/messages.ts';
import { uuidBytes, uuidText } from '../protocol/uuid.ts';
import { type ActivityRecord, openActivity } from './activity-record.ts';
import type { Pagination } from './answer.ts';
import { collectActivities } from './collect-activities.ts';
import { createDenials, type Denials } from './denials.ts';
import type { EffectContext, ProfileReader, StampRules } from './effect.ts';
import { fillPage } from './fill-page.ts';
import { assertKnownHead } from './known-head.ts';
import { ownBytes, sha256, splitHashes } from './ledger/hash.ts';
import { filterDigest, findIdentity, type HintKind, hintDigest } from './ledger/identities.ts';
import type { Ledger, ReleasedState } from './ledger/ledger.ts';
import { includes } from './ledger/log.ts';
import type { Opened } from './ledger/organizations.ts';
import { fetchRows, type Port } from './ledger/port.ts';
import { keyPlace } from './ledger/transition.ts';
import { activityEntry } from './log-entries.ts';
import { encodeClaims, encodeReceipt, type Proven, stampsOf } from './receipts.ts';
import type { CallerSource } from './resolve-caller.ts';
import { RowIntegrityError, type Sealer } from './sealing/seal.ts';
import { noContent, type Organization } from './state.ts';

type ProvenRecord = { readonly record: ActivityRecord; readonly proven: Proven };

export type Service = CallerSource & {
  readonly ledger: Ledger;
  readonly denials: Denials;
  /** The organization, or NOT_FOUND; deleted ones are not found. */
  loadExisting(organizationId: string): Promise<Opened>;
  /** Refuses a body whose sender was shown a log that this one does not continue. */
  assertKnownHead(knownHead: JsonValue | undefined): Promise<void>;
  /** Runs `work` alone among those of the same organization. */
  exclusively<T>(organizationId: string, work: () => Promise<T>): Promise<T>;
  withKey: (opened: Opened) => EffectContext['withKey'];
  parentProfiles: (organization: Organization) => ProfileReader;
  /** The receipt of a final activity, with the stamps of its votes or without; undefined where there is none of that id. */
  receipt(opened: Opened, id: string, stamps?: boolean): Promise<Buffer | undefined>;
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
    denials: createDenials(port, sealer),
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
    assertKnownHead: (knownHead) => assertKnownHead(ledger, port, knownHead),
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
    async receipt(opened, id, stamps = false) {
      const recent = stamps ? undefined : ledger.proofOf(opened.organization.id, id);
      if (recent) return encodeReceipt(ledger.identity, ledger.logKey, recent);
      const [found] = await readRows(opened, [id]);
      return (
        found &&
        encodeReceipt(ledger.identity, ledger.logKey, found.proven, stamps ? stampsOf(found.record) : undefined)
      );
    },
    async readActivities(opened, ids) {
      return (await readRows(opened, ids)).map(({ record }) => record);
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
      return (await collectActivities(fetchPart, page)).map((row) => provenRecord(opened, row, released).record);
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

  async function readRows(opened: Opened, ids: readonly string[]): Promise<ProvenRecord[]> {
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
  }

  /** An activity is believed only with its place in the log that was released. */
  function provenRecord(opened: Opened, row: ProvenActivity, state: ReleasedState): ProvenRecord {
    const record = openActivity(sealer, opened.id, row.id, row.sealed);
    const [claims, digest, path] = [encodeClaims(record), sha256(row.sealed), splitHashes(row.path)];
    const leaf = leafHash(activityEntry(digest, sha256(claims)));
    if (!includes(leaf, row.leafIndex, state.logSize, path, state.logRoot)) {
      throw new RowIntegrityError(`activity ${uuidText(row.id)} in the database is not the one in the log`);
    }
    return { record, proven: { claims, row: digest, index: row.leafIndex, path, state } };
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
