/**
 * The enclave: takes the messages of `api`, starts the ledger, carries out requests and lets answers out once their
 * batch is released. booting → serving; refusing (and trying again) while the database does not hold the anchored state;
 * halted for good when somebody else writes to it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CountersignError, invalidArgument, unavailable } from '../protocol/errors.ts';
import type {
  EnclaveStatus,
  Fetch,
  FetchedRows,
  FromEnclave,
  RequestMessage,
  ToEnclave,
} from '../protocol/messages.ts';
import type { Anchor, AnchoredState } from './anchors/anchor.ts';
import { fileAnchor } from './anchors/file.ts';
import { openAnchor } from './anchors/open.ts';
import { createApiAsker } from './ask-api.ts';
import { attest, maxNonce } from './attestation/attest.ts';
import { platformEvidence } from './attestation/platform-evidence.ts';
import { type BootIdentity, createBootIdentity } from './attestation/statement.ts';
import { createClock } from './clock.ts';
import { secp256k1IsNative } from './keys/secp256k1.ts';
import { boot, genesis, revealBucket } from './ledger/boot.ts';
import { type CheckpointSigner, createCheckpointSigner } from './ledger/checkpoint.ts';
import { createLedger, type Ledger } from './ledger/ledger.ts';
import { createMerkleMap, OpaqueBucketError } from './ledger/merkle-map.ts';
import type { Port } from './ledger/port.ts';
import { carryOutOrders } from './orders.ts';
import { query } from './query.ts';
import { repeatDeletion } from './repeat-deletion.ts';
import { type Answered, type Reply, refusalOf, reply } from './reply.ts';
import { SealingError, type SealingProvider } from './sealing/provider.ts';
import { openProvider } from './sealing/providers.ts';
import { isSealed, openRootKey, sealAndCheck } from './sealing/root-key.ts';
import { createSealer, deriveKey, type Sealer } from './sealing/seal.ts';
import { createSealing, discardSealing } from './sealing/sealing-file.ts';
import { asAnswer, createService, type Service } from './service.ts';
import { type EnclaveSettings, settingsDigest } from './settings.ts';
import { submit } from './submit.ts';
import { loadLibrary } from './verify-registration.ts';

export type Enclave = {
  onMessage(message: ToEnclave): void;
  /** Rejects with a `SealingError` or `AnchorError` where the enclave's own folder is not sound: then nothing more will come. */
  readonly opened: Promise<void>;
  /** Stops taking requests; those under way are answered. */
  stop(): void;
};

type Secrets = { sealer: Sealer; signer: CheckpointSigner; anchor: Anchor; rootKey: Buffer };
type Open = { readonly secrets: Secrets; readonly identity: BootIdentity };

/** Between attempts to start, longer and longer, and between looks for orders, in ms. */
const firstDelay = 100;
const longestDelay = 1000;
const orderInterval = 500;

export function createEnclave(settings: EnclaveSettings, send: (message: FromEnclave) => void): Enclave {
  /** What people are waited for, before the root key can be opened. */
  let waitingFor: string | null = null;
  let open: Open | null = null;
  const asker = createApiAsker(send);
  // Before the root key is there: its shares are sealed to this very start.
  const identity = identify(settings, settings.anchor);
  const evidence = platformEvidence(settings);
  const sealing = openProvider(settings.sealing, settings, identity, (what) => {
    waitingFor = what;
  });
  const opening = sealing
    .then((provider) => openFolder(settings, provider))
    .then(async (secrets) => {
      const anchor = await openAnchor(settings, secrets.anchor, secrets.rootKey, asker.addCheckpoint);
      open = { secrets: { ...secrets, anchor }, identity };
      return open;
    });
  const { port, onFetched, onFetchFailed } = createPort(send);
  /** There as soon as the anchored state is established; `service` once this start itself is released. */
  let ledger: Ledger | null = null;
  let service: Service | null = null;
  let refusal: string | null = null;
  let started = false;
  let stopped = false;
  /** Being carried out right now; not those that wait for their batch. */
  let submissions = 0;

  async function start(): Promise<void> {
    const found = await opening.catch(() => null);
    if (!found) return;
    const { secrets, identity } = found;
    for (let pause = firstDelay; !stopped && !service; pause = Math.min(2 * pause, longestDelay)) {
      try {
        const held = await asker.lease(identity.id);
        if (held !== null) throw new Error(held);
        const booted = await bootLedger(settings, secrets, identity, port);
        ledger = booted.ledger;
        await recordStart(settings, booted);
        service = createService(ledger, port, secrets.sealer, settings);
        refusal = null;
        // The first registration should not wait for it, nor the start.
        loadLibrary().catch(() => {});
      } catch (error) {
        refusal = (error as Error).message;
        ledger = null;
        await delay(pause);
      }
    }
    while (!stopped && ledger) {
      await carryOutOrders(settings.folder, ledger, randomUUID).catch(reportUnexpected);
      await delay(orderInterval);
    }
  }

  async function answer(request: RequestMessage): Promise<void> {
    const { id } = request;
    for (;;) {
      try {
        return send({ type: 'answer', id, ...(await attempt(request)) });
      } catch (error) {
        if (!(error instanceof OpaqueBucketError)) throw error;
        // The database may show the right rows again by now: then these buckets are served from here on.
        const revealed = ledger && (await revealBucket(port, ledger.map, error.bucket).catch(() => false));
        if (!revealed) return send({ type: 'answer', id, ...refusalOf(unavailable(error.message, 'ROW_INTEGRITY')) });
      }
    }
  }

  async function attempt(request: RequestMessage): Promise<Reply> {
    const serving = service;
    if (serving) return reply(serving, request, () => carryOut(serving, request));
    return refusalOf(unavailable(refusal ?? 'the enclave is starting', refusal ? 'STATE_REFUSED' : 'STARTING'));
  }

  async function carryOut(service: Service, request: RequestMessage): Promise<Answered> {
    if (request.kind === 'query') return query(service, request);
    submissions++;
    try {
      const done = submit(service, request).catch((error: unknown) => repeatDeletion(service, request, error));
      return { value: await done };
    } finally {
      submissions--;
      if (submissions === 0) service.ledger.close();
    }
  }

  async function answerAttest(id: number, nonce: Uint8Array): Promise<void> {
    try {
      if (nonce.length > maxNonce) throw invalidArgument(`nonce: expected at most ${maxNonce} bytes`);
      const attestation = await attest(identity, evidence, nonce);
      const { checkpoint, verifierKey } = status();
      const body = { ...attestation, checkpoint, verifierKey };
      send({ type: 'answer', id, status: 200, body: Buffer.from(JSON.stringify(body)) });
    } catch (error) {
      send({ type: 'answer', id, ...refusalOf(error) });
    }
  }

  async function answerCeremony(id: number, message: Uint8Array): Promise<void> {
    try {
      const { ceremony } = await sealing;
      if (!ceremony) throw new CountersignError('NOT_FOUND', 'the root key of this enclave is not held in shares');
      send({ type: 'answer', id, status: 200, body: Buffer.from(await ceremony(message)) });
    } catch (error) {
      send({ type: 'answer', id, ...refusalOf(error) });
    }
  }

  function status(): EnclaveStatus {
    const halted = ledger?.haltReason() ?? null;
    const state = ledger?.released();
    return {
      phase: halted ? 'halted' : service ? 'serving' : refusal ? 'refusing' : 'booting',
      reason: halted ?? refusal ?? waitingFor ?? open?.secrets.anchor.waitsFor() ?? null,
      batch: state?.number ?? 0,
      organizations: ledger?.map.organizations() ?? 0,
      logSize: state?.logSize ?? 0,
      checkpoint: state?.checkpoint ?? null,
      verifierKey: open?.secrets.signer.verifierKey ?? null,
      sealing: settings.sealing,
      anchor: open?.secrets.anchor.name ?? null,
      isolation: settings.isolation,
      secp256k1: secp256k1IsNative ? 'native' : 'portable',
    };
  }

  return {
    onMessage(message) {
      switch (message.type) {
        case 'hello':
          if (!started) void start();
          started = true;
          return;
        case 'request':
          void answer(message);
          return;
        case 'fetched':
          return onFetched(message.id, message.rows);
        case 'fetchFailed':
          return onFetchFailed(message.id, message.reason);
        case 'committed':
          return ledger?.committed(message.number);
        case 'conflict':
          return ledger?.halt(
            `batch ${message.number} in the database is not this enclave's: another enclave writes there`,
          );
        case 'leased':
        case 'checkpointAdded':
          return asker.onAnswer(message);
        case 'attest':
          void answerAttest(message.id, message.nonce);
          return;
        case 'ceremony':
          void answerCeremony(message.id, message.body);
          return;
        case 'status': {
          const current = status();
          const code = current.phase === 'serving' ? 200 : 503;
          return send({ type: 'answer', id: message.id, status: code, body: Buffer.from(JSON.stringify(current)) });
        }
      }
    },
    opened: opening.then(() => {}),
    stop() {
      stopped = true;
    },
  };
}

type BootedLedger = { ledger: Ledger; accepted: boolean };

async function bootLedger(
  settings: EnclaveSettings,
  secrets: Secrets,
  identity: BootIdentity,
  port: Port,
): Promise<BootedLedger> {
  const { sealer, signer, anchor, rootKey } = secrets;
  const digest = settingsDigest(settings);
  const keys = {
    headTag: deriveKey(rootKey, 'headTag'),
    identity: deriveKey(rootKey, 'identity'),
    hint: deriveKey(rootKey, 'hint'),
    fingerprint: deriveKey(rootKey, 'fingerprint'),
  };
  const parts = { port, sealer, signer, anchor, settings: digest };
  const { accepted, ...booted } = await boot({
    ...parts,
    enclave: identity.id,
    anchored: loadAnchor(anchor, settings.folder),
    headTag: keys.headTag,
    acceptedRoot: readAcceptedRoot(settings.folder),
    restored: existsSync(restoredPath(settings.folder)),
    now: Date.now(),
  });
  return { ledger: createLedger({ ...parts, ...booted, identity, keys, clock: createClock() }), accepted };
}

/** Nothing is answered before the start itself is part of the released history. */
async function recordStart(settings: EnclaveSettings, { ledger, accepted }: BootedLedger): Promise<void> {
  const entry = {
    kind: accepted ? 'acceptState' : 'boot',
    boot: ledger.identity.id,
    settings: settingsDigest(settings),
    nonce: randomBytes(32),
    time: ledger.now(),
    epoch: ledger.released().epoch,
  } as const;
  ledger.append([], [entry]);
  await ledger.settled();
  // A word that was not needed is void: left lying, it would take an old state back at some later start.
  const given = acceptPath(settings.folder);
  if (existsSync(given)) renameSync(given, `${given}.${accepted ? 'done' : 'void'}`);
  rmSync(restoredPath(settings.folder), { force: true });
}

/** What this start says of itself, with keys of its own. */
const identify = (settings: EnclaveSettings, anchor: string): BootIdentity =>
  createBootIdentity({
    measurement: settings.measurement,
    version: settings.version,
    sealing: settings.sealing,
    anchor,
    isolation: settings.isolation,
    settings: settingsDigest(settings),
    time: Date.now(),
  });

/** Opens the enclave's folder, or makes it at the very first start. */
async function openFolder(settings: EnclaveSettings, sealing: SealingProvider): Promise<Secrets> {
  const { folder } = settings;
  const marker = join(folder, 'first-start');
  // The anchor comes last, and whole: with it nothing is left to be undone, and holders may have seen their shares.
  if (existsSync(marker) && !existsSync(join(folder, 'anchor'))) discardSealing(folder);
  if (!isSealed(folder)) {
    if (existsSync(join(folder, 'anchor'))) {
      throw new SealingError(`${folder} holds an anchor but no sealed root key: restore both from one backup`);
    }
    writeFileSync(marker, 'A first start is under way or was interrupted.\n');
    const rootKey = randomBytes(32);
    createSealing(folder, { provider: sealing.name, sealed: await sealAndCheck(sealing, rootKey) });
    const { signer, anchor } = secretsOf(rootKey, folder);
    anchor.create(genesis(signer, settingsDigest(settings), Date.now()), createMerkleMap().bucketHashes());
    rootKey.fill(0);
  }
  rmSync(marker, { force: true });
  const { rootKey, settle } = await openRootKey(folder, sealing);
  const secrets = secretsOf(rootKey, folder);
  loadAnchor(secrets.anchor, folder);
  await settle();
  return secrets;
}

function secretsOf(rootKey: Buffer, folder: string): Secrets {
  return {
    sealer: createSealer(rootKey),
    signer: createCheckpointSigner(deriveKey(rootKey, 'checkpointKey')),
    anchor: fileAnchor(folder, deriveKey(rootKey, 'anchorTag')),
    rootKey,
  };
}

function loadAnchor(anchor: Anchor, folder: string): AnchoredState {
  const anchored = anchor.load();
  if (anchored) return anchored;
  throw new SealingError(
    `${folder} holds a sealed root key but no anchor: restore both from one backup, together with the database`,
  );
}

const acceptPath = (folder: string): string => join(folder, 'accept-state.json');
/** Left by `countersign restore`. */
const restoredPath = (folder: string): string => join(folder, 'restored');

/** The root that the operator accepts, in hex; null without such a file. */
function readAcceptedRoot(folder: string): string | null {
  if (!existsSync(acceptPath(folder))) return null;
  const { version, root } = JSON.parse(readFileSync(acceptPath(folder), 'utf8')) as {
    version?: unknown;
    root?: unknown;
  };
  return version === 1 && typeof root === 'string' ? root.toLowerCase() : null;
}

function createPort(send: (message: FromEnclave) => void) {
  const asked = new Map<number, { resolve: (rows: FetchedRows) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  const port: Port = {
    fetch: (fetch: Fetch) =>
      new Promise((resolve, reject) => {
        const id = nextId++;
        asked.set(id, { resolve, reject });
        send({ type: 'fetch', id, fetch });
      }),
    write: (batch) => send({ type: 'write', batch }),
    note: (row) => send({ type: 'note', row }),
  };
  const take = (id: number) => {
    const waiting = asked.get(id);
    asked.delete(id);
    return waiting;
  };
  return {
    port,
    onFetched: (id: number, rows: FetchedRows) => take(id)?.resolve(rows),
    onFetchFailed: (id: number, reason: string) =>
      take(id)?.reject(
        unavailable(`the database cannot be read: ${String(reason).slice(0, 200)}`, 'DATABASE_UNAVAILABLE'),
      ),
  };
}

/** Faults that nobody foresaw go to the log, without the request. */
function reportUnexpected(error: unknown): Error {
  const known = error instanceof CountersignError || error instanceof OpaqueBucketError || asAnswer(error) !== error;
  if (!known) console.error('unexpected error in the enclave:', error);
  return error instanceof Error ? error : new Error(String(error));
}
