/**
 * The enclave: takes the messages of `api`, starts the ledger, carries out requests and lets answers out once their
 * batch is released. booting → serving; refusing (and trying again) while the database does not hold the anchored state;
 * halted for good when somebody else writes to it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encode } from '../protocol/cbor.ts';
import { CountersignError, toStatus, unavailable } from '../protocol/errors.ts';
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
import { createClock } from './clock.ts';
import { formatVersion } from './contexts.ts';
import { secp256k1IsNative } from './keys/secp256k1.ts';
import { boot, genesis, revealBucket } from './ledger/boot.ts';
import { type CheckpointSigner, createCheckpointSigner } from './ledger/checkpoint.ts';
import { sha256 } from './ledger/hash.ts';
import { createLedger, type Ledger } from './ledger/ledger.ts';
import { createMerkleMap, OpaqueBucketError } from './ledger/merkle-map.ts';
import type { Port } from './ledger/port.ts';
import { carryOutOrders } from './orders.ts';
import { query } from './query.ts';
import { repeatDeletion } from './repeat-deletion.ts';
import { localFileSealing } from './sealing/local-file.ts';
import { SealingError, type SealingProvider } from './sealing/provider.ts';
import { createSealer, deriveKey, type Sealer } from './sealing/seal.ts';
import { asAnswer, createService, type Service } from './service.ts';
import { type EnclaveSettings, settingsDigest } from './settings.ts';
import { submit } from './submit.ts';
import { loadLibrary } from './verify-registration.ts';

export type Enclave = {
  onMessage(message: ToEnclave): void;
  /** Stops taking requests; those under way are answered. */
  stop(): void;
};

type Secrets = { sealer: Sealer; signer: CheckpointSigner; anchor: Anchor; rootKey: Buffer };

/** Between attempts to start, longer and longer, and between looks for orders, in ms. */
const firstDelay = 100;
const longestDelay = 1000;
const orderInterval = 500;

/** Throws `SealingError` or `AnchorError` where the enclave's own folder is not sound. */
export function createEnclave(settings: EnclaveSettings, send: (message: FromEnclave) => void): Enclave {
  const secrets = openFolder(settings);
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
    for (let pause = firstDelay; !stopped && !service; pause = Math.min(2 * pause, longestDelay)) {
      try {
        const booted = await bootLedger(settings, secrets, port);
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
    let result = await attempt(request);
    // The database may show the right rows again by now: then these buckets are served from here on.
    while (result instanceof OpaqueBucketError) {
      const { bucket, message } = result;
      const revealed = ledger && (await revealBucket(port, ledger.map, bucket).catch(() => false));
      result = revealed ? await attempt(request) : unavailable(message, 'ROW_INTEGRITY');
    }
    const { status, body } = result instanceof Error ? toStatus(asAnswer(result)) : { status: 200, body: result };
    send({ type: 'answer', id: request.id, status, body: Buffer.from(JSON.stringify(body)) });
  }

  /** The answer's JSON value, or what was thrown; either has waited for what it was computed from. */
  async function attempt(request: RequestMessage): Promise<unknown> {
    if (!service) return unavailable(refusal ?? 'the enclave is starting', refusal ? 'STATE_REFUSED' : 'STARTING');
    const result = await carryOut(service, request).catch(reportUnexpected);
    return service.ledger.settled().then(
      () => result,
      (error: unknown) => error,
    );
  }

  async function carryOut(service: Service, request: RequestMessage): Promise<unknown> {
    if (request.kind === 'query') return query(service, request);
    submissions++;
    try {
      return await submit(service, request).catch((error: unknown) => repeatDeletion(service, request, error));
    } finally {
      submissions--;
      if (submissions === 0) service.ledger.close();
    }
  }

  function status(): EnclaveStatus {
    const halted = ledger?.haltReason() ?? null;
    const state = ledger?.released();
    return {
      phase: halted ? 'halted' : service ? 'serving' : refusal ? 'refusing' : 'booting',
      reason: halted ?? refusal,
      batch: state?.number ?? 0,
      organizations: ledger?.map.organizations() ?? 0,
      logSize: state?.logSize ?? 0,
      checkpoint: state?.checkpoint ?? null,
      verifierKey: secrets.signer.verifierKey,
      sealing: settings.sealing,
      anchor: secrets.anchor.name,
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
        case 'status': {
          const current = status();
          const code = current.phase === 'serving' ? 200 : 503;
          return send({ type: 'answer', id: message.id, status: code, body: Buffer.from(JSON.stringify(current)) });
        }
      }
    },
    stop() {
      stopped = true;
    },
  };
}

type BootedLedger = { ledger: Ledger; accepted: boolean };

async function bootLedger(settings: EnclaveSettings, secrets: Secrets, port: Port): Promise<BootedLedger> {
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
    anchored: loadAnchor(anchor, settings.folder),
    headTag: keys.headTag,
    acceptedRoot: readAcceptedRoot(settings.folder),
    now: Date.now(),
  });
  return { ledger: createLedger({ ...parts, ...booted, keys, clock: createClock() }), accepted };
}

/** Nothing is answered before the start itself is part of the released history. */
async function recordStart(settings: EnclaveSettings, { ledger, accepted }: BootedLedger): Promise<void> {
  const nonce = randomBytes(32);
  const record = encode({ v: formatVersion, nonce, time: ledger.now(), settings: settingsDigest(settings) });
  ledger.append([], [{ kind: accepted ? 'acceptState' : 'boot', digest: sha256(record) }]);
  await ledger.settled();
  // A word that was not needed is void: left lying, it would take an old state back at some later start.
  const given = acceptPath(settings.folder);
  if (existsSync(given)) renameSync(given, `${given}.${accepted ? 'done' : 'void'}`);
}

/** Opens the enclave's folder, or makes it at the very first start. */
function openFolder(settings: EnclaveSettings): Secrets {
  const { folder } = settings;
  const sealing = localFileSealing(folder);
  const marker = join(folder, 'first-start');
  if (existsSync(marker) && !hasReleased(sealing, folder)) {
    sealing.discard();
    rmSync(join(folder, 'anchor'), { force: true });
  }
  if (!sealing.exists()) {
    if (existsSync(join(folder, 'anchor'))) {
      throw new SealingError(`${folder} holds an anchor but no sealed root key: restore both from one backup`);
    }
    writeFileSync(marker, 'A first start is under way or was interrupted.\n');
    const rootKey = randomBytes(32);
    sealing.create(rootKey);
    const { signer, anchor } = secretsOf(rootKey, folder);
    anchor.create(genesis(signer, settingsDigest(settings), Date.now()), createMerkleMap().bucketHashes());
  }
  rmSync(marker, { force: true });
  const secrets = secretsOf(sealing.unseal(), folder);
  loadAnchor(secrets.anchor, folder);
  return secrets;
}

/** An anchor is there only when it is whole; a leftover marker of the first start means nothing once it has moved. */
function hasReleased(sealing: SealingProvider, folder: string): boolean {
  if (!existsSync(join(folder, 'anchor'))) return false;
  return loadAnchor(secretsOf(sealing.unseal(), folder).anchor, folder).number > 0;
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
