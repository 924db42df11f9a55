/**
 * The ledger: organizations as chains that only the enclave extends. Transitions join the open batch at once and every
 * answer is held until the batch it was computed from is durable, anchored and signed (DESIGN §4, "One request").
 */

import { toEntryBundle } from '../../protocol/entry-bundle.ts';
import { type CountersignError, unavailable } from '../../protocol/errors.ts';
import { leafHash } from '../../protocol/log-hash.ts';
import type { BatchRows } from '../../protocol/messages.ts';
import { uuidBytes, uuidText } from '../../protocol/uuid.ts';
import type { Anchor, AnchoredState, ChangedBucket } from '../anchors/anchor.ts';
import type { BootIdentity } from '../attestation/statement.ts';
import { signRoot } from '../cose.ts';
import { encodeEntry, type LogEntry } from '../log-entries.ts';
import type { Proven } from '../receipts.ts';
import type { Sealer } from '../sealing/seal.ts';
import { type BatchCommand, type BatchEvent, idleAfter, newestBatch, step } from './batch-machine.ts';
import { sealBatch } from './batch-record.ts';
import type { CheckpointSigner } from './checkpoint.ts';
import { addFingerprint, dropExpired } from './fingerprints.ts';
import { sha256 } from './hash.ts';
import { isContested, lookupChanges } from './identities.ts';
import type { Log } from './log.ts';
import { headKey, type MerkleMap } from './merkle-map.ts';
import { createOpenBatch, type OpenBatch } from './open-batch.ts';
import { createOrganizationCache, type Opened, type OrganizationCache } from './organizations.ts';
import type { Port } from './port.ts';
import { createRecentProofs } from './recent-proofs.ts';
import { type LedgerKeys, type PreparedTransition, prepareTransition, type Transition } from './transition.ts';

export type Ledger = {
  readonly organizations: OrganizationCache;
  readonly map: MerkleMap;
  readonly keys: LedgerKeys;
  /** Unix ms, never running back. */
  now(): number;
  epochStart(): number;
  /**
   * Adds transitions, and entries of their own, to the open batch: all or, if it throws, none. With `more` the batch stays
   * open for others to join, until `close` or a moment later.
   */
  append(transitions: readonly Transition[], entries?: readonly LogEntry[], more?: boolean): void;
  /** Nothing more is about to join the open batch: it leaves, unless the one before it left only just now. */
  close(): void;
  /** Resolves when everything appended so far is released. Rejects with UNAVAILABLE when that cannot happen. */
  settled(): Promise<void>;
  /** The newest released state. */
  released(): ReleasedState;
  /** What proves an activity that was released not long ago. */
  proofOf(organizationId: string, activityId: string): Proven | undefined;
  /** The hash of that leaf of the log, if it is one of the newest. */
  leafAt(index: number): Buffer | undefined;
  /** What the map has of `key`, as of a state that is released by then. */
  prove(key: Uint8Array): Promise<ReturnType<MerkleMap['prove']> & { readonly state: ReleasedState }>;
  readonly identity: BootIdentity;
  /** Verifier key of the log (C2SP signed note). */
  readonly logKey: string;
  /** News of `api` about a batch that was written. */
  committed(number: number): void;
  /** Stops for good: somebody else writes to the database, or the anchor cannot be moved. */
  halt(reason: string): void;
  haltReason(): string | null;
};

/** `rootSignature`: the boot key's over the log's root, as receipts carry it. */
export type ReleasedState = AnchoredState & { readonly rootSignature: Buffer };

export type LedgerParts = {
  port: Port;
  sealer: Sealer;
  keys: LedgerKeys;
  anchor: Anchor;
  signer: CheckpointSigner;
  identity: BootIdentity;
  /** SHA-256 of the settings that decide, as named in each checkpoint. */
  settings: Buffer;
  /** What the start established. */
  map: MerkleMap;
  log: Log;
  state: AnchoredState;
  clock: () => number;
};

/**
 * Milliseconds that a batch stays open for others to join it, and that lie between two batches at the least: what a batch
 * costs is shared by all that are in it.
 */
const longestJoin = 2;
const betweenBatches = 5;
/** Answers that may wait for their batch; beyond that the service says that it is busy. */
const maxHeldAnswers = 4096;
/** Bytes of sealed rows that an open batch may have for another transition to join it: a batch must fit a frame. */
const maxOpenBytes = 16 * 1024 * 1024;

type Waiter = { readonly resolve: (state: ReleasedState) => void; readonly reject: (error: Error) => void };

type ClosedProof = { readonly number: number; readonly proof: ReturnType<MerkleMap['prove']> };

type Wish = {
  readonly key: Uint8Array;
  readonly resolve: (proof: ClosedProof) => void;
  readonly reject: (error: unknown) => void;
};

type ClosedBatch = {
  readonly state: AnchoredState;
  readonly changed: readonly ChangedBucket[];
  readonly rootSignature: Buffer;
};

export function createLedger(parts: LedgerParts): Ledger {
  const { port, sealer, keys, anchor, signer, identity, settings, map, log } = parts;
  let machine = idleAfter(parts.state.number, anchor.depth);
  let released: ReleasedState = {
    ...parts.state,
    rootSignature: signRoot(identity, signer.verifierKey, parts.state.logRoot),
  };
  let last: { hash: Uint8Array; time: number } = released;
  let open = newBatch();
  let reason: string | null = null;
  const closed = new Map<number, ClosedBatch>();
  const proofs = createRecentProofs();
  let subtrees = log.subtrees();
  const waiting = new Map<number, Waiter[]>();
  /** Who wants to see the map as the open batch leaves it. */
  const atClose: Wish[] = [];
  let held = 0;
  let closing: NodeJS.Timeout | undefined;
  let closedAt = Number.NEGATIVE_INFINITY;

  const organizations = createOrganizationCache(port, map, sealer, keys.headTag, () => released.number);
  const now = () => Math.max(last.time, parts.clock(), anchor.time());

  function newBatch(): OpenBatch {
    return createOpenBatch(log.size(), (key) => key.subarray(16).some((byte) => byte !== 0));
  }

  function dispatch(event: BatchEvent): void {
    const { state, commands } = step(machine, event);
    machine = state;
    for (const command of commands) run(command);
  }

  function run(command: BatchCommand): void {
    if (command.type === 'write') port.write(close(command.number));
    else if (command.type === 'anchor') void moveAnchor(command.number);
    else if (command.type === 'release') release(command.number);
    else rejectHeld();
  }

  function closeOpen(): void {
    const wait = closedAt + betweenBatches - performance.now();
    if (wait > 0) closeAfter(wait);
    else closeNow();
  }

  function closeNow(): void {
    stopWaiting();
    dispatch({ type: 'close' });
  }

  function closeAfter(delay: number): void {
    stopWaiting();
    closing = setTimeout(closeNow, delay);
  }

  /** A timer that has fired must not be taken for one that still closes what joins from now on. */
  function stopWaiting(): void {
    clearTimeout(closing);
    closing = undefined;
  }

  /** Closes the open batch; whatever the map and the log hold now is its state. */
  function close(number: number): BatchRows {
    stopWaiting();
    closedAt = performance.now();
    const batch = open;
    const time = now();
    const { epoch, epochStart } = released;
    const entries = toEntryBundle(batch.logEntries);
    const { firstLeaf, leaves } = batch;
    const changes = batch.changes();
    const record = {
      number,
      previous: last.hash,
      time,
      epoch,
      epochStart,
      changes,
      firstLeaf,
      entries: sha256(entries),
    };
    const { sealed, hash } = sealBatch(record, sealer);
    const changed = map.takeChangedBuckets();
    const position = { size: log.size(), logRoot: log.root(), mapRoot: map.root() };
    const checkpoint = signer.sign({ ...position, batch: number, epoch, settings, enclave: identity.id });
    const { size: logSize, logRoot, mapRoot } = position;
    closed.set(number, {
      state: { number, hash, mapRoot, logSize, logRoot, epoch, epochStart, time, checkpoint },
      changed,
      rootSignature: signRoot(identity, signer.verifierKey, logRoot),
    });
    proofs.close(number, { subtrees, firstLeaf, leaves });
    subtrees = log.subtrees();
    for (const wish of atClose.splice(0)) grant(wish, number);
    last = { hash, time };
    open = newBatch();
    return { number, record: sealed, entries, firstLeaf, ...batch.rows() };
  }

  async function moveAnchor(number: number): Promise<void> {
    const batch = closed.get(number) as ClosedBatch;
    try {
      const state = await anchor.move(batch.state, batch.changed);
      closed.set(number, { ...batch, state });
    } catch (error) {
      return halt(`the anchor cannot be moved: ${(error as Error).message}`);
    }
    dispatch({ type: 'anchored', number });
  }

  function release(number: number): void {
    const { state, rootSignature } = closed.get(number) as ClosedBatch;
    closed.delete(number);
    released = { ...state, rootSignature };
    proofs.release(number, released);
    for (const { resolve } of waiting.get(number) ?? []) resolve(released);
    waiting.delete(number);
  }

  function halt(why: string): void {
    reason ??= why;
    dispatch({ type: 'fork' });
  }

  function rejectHeld(): void {
    const error = halted();
    for (const waiters of waiting.values()) for (const { reject } of waiters) reject(error);
    waiting.clear();
    for (const { reject } of atClose.splice(0)) reject(error);
  }

  const proveAt = (number: number, key: Uint8Array): ClosedProof => ({ number, proof: map.prove(key) });

  function grant({ key, resolve, reject }: Wish, number: number): void {
    try {
      resolve(proveAt(number, key));
    } catch (error) {
      reject(error);
    }
  }

  /** The state of a batch that is not released yet, once it is. */
  function releaseOf(number: number): Promise<ReleasedState> {
    if (held >= maxHeldAnswers) return Promise.reject(busy());
    held++;
    return new Promise<ReleasedState>((resolve, reject) => {
      const waiters = waiting.get(number) ?? [];
      waiters.push({ resolve, reject });
      waiting.set(number, waiters);
    }).finally(() => held--);
  }

  const busy = (): CountersignError => unavailable('too many answers wait for the database; try again later', 'BUSY');

  const halted = (): CountersignError =>
    unavailable(`the service stopped to protect its state: ${reason}; it has to be restarted`, 'LEDGER_HALTED');

  const changed = (organizationId: string): CountersignError =>
    unavailable(
      `organization ${organizationId} changed while the request was being carried out; send it again`,
      'CONFLICT',
    );

  return {
    organizations,
    map,
    keys,
    now,
    epochStart: () => released.epochStart,
    append(transitions, entries = [], more = false) {
      try {
        if (machine.halted) throw halted();
        if (open.size() > maxOpenBytes) throw busy();
        const time = now();
        const batch = open;
        assertApplicable(transitions);
        const prepared = transitions.map((transition) =>
          prepareTransition(transition, time, sealer, keys, identity.id),
        );
        // From here on nothing can throw.
        for (const each of prepared) apply(each, batch, time);
        for (const entry of entries) appendLeaf(batch, encodeEntry(entry));
        last = { ...last, time };
      } finally {
        for (const transition of transitions) for (const { secret } of transition.keys ?? []) secret.fill(0);
      }
      dispatch({ type: 'held', more });
      if (more && closing === undefined)
        closeAfter(Math.max(longestJoin, closedAt + betweenBatches - performance.now()));
    },
    close: closeOpen,
    settled() {
      if (machine.halted) return Promise.reject(halted());
      const number = newestBatch(machine);
      return number <= released.number ? Promise.resolve() : releaseOf(number).then(() => {});
    },
    released: () => released,
    proofOf: proofs.find,
    leafAt: proofs.leafAt,
    async prove(key) {
      if (machine.halted) throw halted();
      // The map is that of the newest closed batch unless transitions have joined the open one: then that one's is proven.
      const { number, proof } =
        machine.open === 0
          ? proveAt(machine.written, key)
          : await new Promise<ClosedProof>((resolve, reject) => atClose.push({ key, resolve, reject }));
      const state = number === released.number ? released : await releaseOf(number);
      return { ...proof, state };
    },
    identity,
    logKey: signer.verifierKey,
    committed: (number) => dispatch({ type: 'committed', number }),
    halt,
    haltReason: () => reason,
  };

  function assertApplicable(transitions: readonly Transition[]): void {
    const ids = new Set(transitions.map(({ to }) => to.id));
    if (ids.size !== transitions.length) throw new TypeError('an organization can change only once in an append');
    for (const { from, to } of transitions) {
      const inMap = map.get(headKey(uuidBytes(to.id)));
      // A transition from anything but the newest state would fork the organization.
      if (inMap === undefined ? from !== null : !from?.headDigest.equals(inMap)) {
        throw changed(to.id);
      }
      // Another organization may have claimed an identity since the effect looked. Throws for one in an opaque bucket.
      const lookups = lookupChanges(from?.organization ?? null, to, keys.identity);
      if (lookups.some((lookup) => isContested(map, lookup))) throw changed(to.id);
    }
  }

  function changeEntry(batch: OpenBatch, key: Uint8Array, after: Uint8Array | null): void {
    const before = map.get(key);
    batch.changeEntry(key, before ? Buffer.from(before) : null, after);
    map.set(key, after);
  }

  function apply({ from, next, ...changes }: PreparedTransition, batch: OpenBatch, time: number): void {
    const { id } = next;
    const number = machine.written + 1;
    const opened: Opened = from ?? {
      ...next,
      fingerprints: new Map(),
      keys: new Map(),
      filters: new Map(),
      batch: number,
    };
    Object.assign(opened, next, { batch: number });
    changeEntry(batch, headKey(id), next.headDigest);
    batch.setHead(changes.head);
    for (const page of changes.pages.written) batch.setPage({ organizationId: id, ...page });
    for (const { kind, index } of changes.pages.removed) batch.removePage(id, kind, index);
    for (const { key, value } of changes.lookups) changeEntry(batch, key, value);
    for (const hint of changes.hints.added) batch.setHint(hint, id, true);
    for (const hint of changes.hints.removed) batch.setHint(hint, id, false);
    for (const key of changes.keys) batch.setKey(key);
    for (const keyId of changes.removedKeys) batch.removeKey(id, keyId);
    dropExpired(opened.fingerprints, time);
    if (changes.activity) {
      const { row, rowDigest, fingerprint, claims, entry } = changes.activity;
      batch.addActivity({ ...row, leafIndex: log.size(), position: addFingerprint(opened.fingerprints, fingerprint) });
      proofs.add(next.organization.id, uuidText(row.id), { claims, row: rowDigest, index: log.size() });
      appendLeaf(batch, entry);
    }
    organizations.add(opened);
  }

  function appendLeaf(batch: OpenBatch, entry: Uint8Array): void {
    const leaf = leafHash(entry);
    batch.logEntries.push(entry);
    batch.leaves.push(leaf);
    batch.tiles.push(...log.append(leaf));
  }
}
