/** The real ledger over a storage in memory: real sealing, real anchor file, and a clock in the test's hand. */

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Recorded } from '../../src/enclave/activity-record.ts';
import type { Anchor } from '../../src/enclave/anchors/anchor.ts';
import { fileAnchor } from '../../src/enclave/anchors/file.ts';
import { createBootIdentity } from '../../src/enclave/attestation/statement.ts';
import { boot, genesis } from '../../src/enclave/ledger/boot.ts';
import { createCheckpointSigner } from '../../src/enclave/ledger/checkpoint.ts';
import { minuteOf } from '../../src/enclave/ledger/fingerprints.ts';
import { createLedger, type Ledger } from '../../src/enclave/ledger/ledger.ts';
import { createMerkleMap } from '../../src/enclave/ledger/merkle-map.ts';
import type { Opened } from '../../src/enclave/ledger/organizations.ts';
import type { Port } from '../../src/enclave/ledger/port.ts';
import type { Transition } from '../../src/enclave/ledger/transition.ts';
import type { LogEntry } from '../../src/enclave/log-entries.ts';
import { createSealer, deriveKey } from '../../src/enclave/sealing/seal.ts';
import { type ApiKey, noContent, type Organization, type User } from '../../src/enclave/state.ts';
import { byRoot } from './decision.ts';
import { createMemoryStorage, type MemoryStorage } from './memory-storage.ts';

/** The start of a minute. */
export const startTime = 1_750_000_020_000;

export type Host = {
  readonly storage: MemoryStorage;
  readonly folder: string;
  readonly rootKey: Buffer;
  /** Unix ms that the host's clock shows. */
  time: number;
  /** How often a ledger was started here; only the newest is alive. */
  starts: number;
  /** Takes the place of the anchor that a start opens. */
  wrapAnchor: (anchor: Anchor) => Anchor;
  remove(): void;
};

export type Started = { ledger: Ledger; accepted: boolean };

const settings = Buffer.alloc(32, 5);

/** An enclave that just started, of no measured code. */
export const bootIdentity = () =>
  createBootIdentity({
    measurement: Buffer.alloc(48),
    version: 'test',
    sealing: 'local-file',
    anchor: 'file',
    isolation: 'none',
    settings,
    time: startTime,
  });

/** A machine with an empty database and a folder of its own. */
export function createHost(): Host {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-ledger-'));
  const rootKey = randomBytes(32);
  const signer = createCheckpointSigner(deriveKey(rootKey, 'checkpointKey'));
  const anchor = fileAnchor(folder, deriveKey(rootKey, 'anchorTag'));
  anchor.create(genesis(signer, settings, startTime), createMerkleMap().bucketHashes());
  return {
    storage: createMemoryStorage(),
    folder,
    rootKey,
    time: startTime,
    starts: 0,
    wrapAnchor: (opened) => opened,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Starts a ledger, as the enclave does, up to its boot record; whoever ran on this host before is gone. */
export async function startUnrecorded(host: Host, acceptedRoot: string | null = null): Promise<Started> {
  const { rootKey, storage, folder } = host;
  const sealer = createSealer(rootKey);
  const signer = createCheckpointSigner(deriveKey(rootKey, 'checkpointKey'));
  const own = ++host.starts;
  const isAlive = () => host.starts === own;
  const file = host.wrapAnchor(fileAnchor(folder, deriveKey(rootKey, 'anchorTag')));
  const anchor: Anchor = {
    ...file,
    move: (state, changed) => (isAlive() ? file.move(state, changed) : new Promise(() => {})),
  };
  const port: Port = { ...storage.port, write: (batch) => isAlive() && storage.port.write(batch) };
  const keys = {
    headTag: deriveKey(rootKey, 'headTag'),
    identity: deriveKey(rootKey, 'identity'),
    hint: deriveKey(rootKey, 'hint'),
    fingerprint: deriveKey(rootKey, 'fingerprint'),
  };
  const identity = bootIdentity();
  const parts = { port, sealer, signer, anchor, settings };
  storage.connect({ committed: () => {}, conflict: () => {} });
  const anchored = anchor.load();
  if (!anchored) throw new Error('there is no anchor');
  const booted = await boot({
    ...parts,
    enclave: identity.id,
    anchored,
    headTag: keys.headTag,
    acceptedRoot,
    now: host.time,
  });
  const ledger = createLedger({ ...parts, ...booted, identity, keys, clock: () => host.time });
  storage.connect({
    committed: ledger.committed,
    conflict: (number) => ledger.halt(`batch ${number} is another's`),
  });
  return { ledger, accepted: booted.accepted };
}

/** What a start leaves in the log. */
export const startEntry = (ledger: Ledger, kind: 'boot' | 'acceptState'): LogEntry => ({
  kind,
  boot: ledger.identity.id,
  settings,
  nonce: randomBytes(32),
  time: ledger.now(),
  epoch: ledger.released().epoch,
});

export async function startLedger(host: Host, acceptedRoot: string | null = null): Promise<Ledger> {
  const { ledger, accepted } = await startUnrecorded(host, acceptedRoot);
  ledger.append([], [startEntry(ledger, accepted ? 'acceptState' : 'boot')]);
  await ledger.settled();
  return ledger;
}

const times = { createdAt: startTime, updatedAt: startTime };

export const apiKey = (publicKey = randomBytes(33).toString('hex')): ApiKey => ({
  id: randomUUID(),
  name: 'key',
  publicKey,
  curve: 'API_KEY_CURVE_P256',
  type: 'CREDENTIAL_TYPE_API_KEY_P256',
  ...times,
});

export const user = (name: string, apiKeys: readonly ApiKey[] = [apiKey()]): User => ({
  id: randomUUID(),
  name,
  authenticators: [],
  apiKeys,
  tagIds: [],
  ...times,
});

export function organization(
  name: string,
  parentId: string | null = null,
  users: readonly User[] = [user(name)],
): Organization {
  return {
    id: randomUUID(),
    parentId,
    settings: {
      name,
      rootQuorum: { threshold: 1, userIds: users.map(({ id }) => id) },
      features: [],
      origins: null,
      rpIds: null,
      ...times,
    },
    ...noContent,
    users: new Map(users.map((each) => [each.id, each])),
    deleted: false,
  };
}

export const rename = (organization: Organization, name: string): Organization => ({
  ...organization,
  settings: { ...organization.settings, name },
});

/** A transition that records an activity for a body, as each stamped request does. */
export function activityOf(from: Opened, body: string, time: number, to: Organization = from.organization): Transition {
  const record: Recorded = {
    id: randomUUID(),
    organizationId: to.id,
    type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    status: 'ACTIVITY_STATUS_COMPLETED',
    body: Buffer.from(body),
    intentKey: 'signRawPayloadIntentV2',
    resultKey: 'signRawPayloadResult',
    result: '{}',
    votes: [],
    signed: [],
    facts: { signCountRegressed: false, userVerified: null, decision: byRoot },
    createdAt: time,
    updatedAt: time,
  };
  return { from, to, activity: record, body: { time, fingerprint: fingerprintOf(body) } };
}

export const fingerprintOf = (body: string): Buffer => createHash('sha256').update(body).digest().subarray(0, 16);

export async function opened(ledger: Ledger, id: string): Promise<Opened> {
  const found = await ledger.organizations.load(id);
  if (!found) throw new Error(`no organization ${id}`);
  return found;
}

/** Whether a body of that time was carried out, as the ledger knows it. */
export async function knows(ledger: Ledger, id: string, body: string, time: number): Promise<boolean> {
  const found = await opened(ledger, id);
  await ledger.organizations.fillFingerprints(found, minuteOf(time));
  const entries = found.fingerprints.get(minuteOf(time))?.entries;
  return entries?.has(fingerprintOf(body).toString('latin1')) ?? false;
}
