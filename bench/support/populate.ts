/**
 * Fills the ledger of an initialised data directory with sub-organizations, by the ledger's own functions: no stamp, no
 * activity, and no seed derivation, which would take hours. A process of its own, for it holds the data directory's lock.
 */

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createBatchWriter } from '../../src/api/storage/batch-writer.ts';
import { openPool } from '../../src/api/storage/connection.ts';
import { describeDatabaseError } from '../../src/api/storage/describe-error.ts';
import { createFetcher } from '../../src/api/storage/fetch-rows.ts';
import { addressOf } from '../../src/decode/address.ts';
import { fileAnchor } from '../../src/enclave/anchors/file.ts';
import { createBootIdentity } from '../../src/enclave/attestation/statement.ts';
import { generateSecret, publicKeyOf } from '../../src/enclave/keys/curve.ts';
import { boot } from '../../src/enclave/ledger/boot.ts';
import { createCheckpointSigner } from '../../src/enclave/ledger/checkpoint.ts';
import { createLedger, type Ledger } from '../../src/enclave/ledger/ledger.ts';
import type { Transition } from '../../src/enclave/ledger/transition.ts';
import { createSealer, deriveKey } from '../../src/enclave/sealing/seal.ts';
import { readSettings, settingsDigest } from '../../src/enclave/settings.ts';
import { noContent, type Organization } from '../../src/enclave/state.ts';
import { rootKeyOf } from '../../tests/support/root-key.ts';
import { runWithCleanUp } from './clean-up.ts';
import { startDatabase } from './database.ts';
import type { Account, Passkey } from './load.ts';

/** One for each passkey, with a wallet; or, until there are `plain` of them, with a user alone, who is nobody. */
export type PopulateOrder = { dataDir: string; parentId: string } & ({ passkeys: Passkey[] } | { plain: number });
/** How many there are so far, and in the end whose they are. */
export type Populated = { made: number } | { accounts: Account[] };

const report = (message: Populated) => process.send?.(message);

/** Organizations of one batch: few enough that a busy machine, too, writes it within the time that a query has. */
const batchSize = 100;
const plainBatchSize = 250;

async function openLedger(dataDir: string, databaseUrl: string): Promise<Ledger> {
  const folder = join(dataDir, 'enclave');
  const rootKey = rootKeyOf(folder);
  const sealer = createSealer(rootKey);
  const signer = createCheckpointSigner(deriveKey(rootKey, 'checkpointKey'));
  const anchor = fileAnchor(folder, deriveKey(rootKey, 'anchorTag'));
  const anchored = anchor.load();
  if (!anchored) throw new Error(`${folder} holds no anchor: start the service once before`);
  const keys = {
    headTag: deriveKey(rootKey, 'headTag'),
    identity: deriveKey(rootKey, 'identity'),
    hint: deriveKey(rootKey, 'hint'),
    fingerprint: deriveKey(rootKey, 'fingerprint'),
  };
  const writer = createBatchWriter(databaseUrl, {
    onWritten: ({ number }) => ledger.committed(number),
    // It is written again.
    onFailed: (_, error) => console.error(`bench: a batch was not written: ${describeDatabaseError(error)}`),
  });
  const port = { fetch: createFetcher(openPool(databaseUrl)), write: writer.write, note: () => {} };
  const settings = settingsDigest(readSettings({ COUNTERSIGN_ENCLAVE_DIR: folder }));
  const identity = createBootIdentity({
    measurement: Buffer.alloc(48),
    version: 'bench',
    sealing: 'local-file',
    anchor: 'file',
    isolation: 'none',
    settings,
    time: Date.now(),
  });
  const parts = { port, sealer, signer, anchor, settings };
  const { headTag } = keys;
  const booted = await boot({ ...parts, enclave: identity.id, anchored, headTag, acceptedRoot: null, now: Date.now() });
  const ledger = createLedger({ ...parts, ...booted, identity, keys, clock: Date.now });
  return ledger;
}

/** A sub-organization as `create_sub_organization` makes it: one user with a passkey, a wallet with one account. */
function newOrganization(
  parentId: string,
  passkey: Passkey,
  now: number,
): { transition: Transition; account: Account } {
  const [walletId, accountId] = [randomUUID(), randomUUID()];
  const times = { createdAt: now, updatedAt: now };
  const entropy = randomBytes(16);
  const seedDigest = createHash('sha256').update(entropy).digest('hex');
  const secret = generateSecret('CURVE_SECP256K1', randomBytes);
  const publicKey = publicKeyOf('CURVE_SECP256K1', secret);
  const address = addressOf('ADDRESS_FORMAT_ETHEREUM', 'CURVE_SECP256K1', publicKey);
  const account = {
    id: accountId,
    walletId,
    curve: 'CURVE_SECP256K1',
    path: "m/44'/60'/0'/0/0",
    addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
    address,
    publicKey,
    ...times,
  } as const;
  const organization: Organization = {
    ...plainOrganization(parentId, passkey, now),
    wallets: new Map([
      [walletId, { id: walletId, name: 'wallet', seedDigest, exported: false, imported: false, ...times }],
    ]),
    accounts: new Map([[accountId, account]]),
  };
  const { id } = organization;
  const keys = [
    { organizationId: id, id: walletId, binding: seedDigest, secret: entropy },
    { organizationId: id, id: accountId, binding: publicKey, secret },
  ];
  return { transition: { from: null, to: organization, keys }, account: { organizationId: id, address } };
}

/** A sub-organization of one user with a passkey. */
function plainOrganization(parentId: string, passkey: Passkey, now: number): Organization {
  const [id, userId] = [randomUUID(), randomUUID()];
  const times = { createdAt: now, updatedAt: now };
  const authenticator = {
    id: randomUUID(),
    name: 'passkey',
    credentialId: passkey.credentialId,
    publicKey: passkey.publicKey,
    rpId: 'localhost',
    aaguid: Buffer.alloc(16),
    transports: ['AUTHENTICATOR_TRANSPORT_INTERNAL'],
    backupEligible: false,
    ...times,
  };
  const user = { id: userId, name: 'user', authenticators: [authenticator], apiKeys: [], tagIds: [], ...times };
  const settings = {
    name: 'bench',
    rootQuorum: { threshold: 1, userIds: [userId] },
    features: [],
    origins: null,
    rpIds: null,
    ...times,
  };
  return { id, parentId, settings, ...noContent, users: new Map([[userId, user]]), deleted: false };
}

const nobodysPasskey = (): Passkey => ({
  credentialId: randomBytes(32).toString('base64url'),
  publicKey: randomBytes(77),
});

async function populate(order: PopulateOrder, databaseUrl: string): Promise<Account[]> {
  const { dataDir, parentId } = order;
  const ledger = await openLedger(dataDir, databaseUrl);
  const accounts: Account[] = [];
  const withWallet = (passkey: Passkey): Transition => {
    const { transition, account } = newOrganization(parentId, passkey, ledger.now());
    accounts.push(account);
    return transition;
  };
  if ('passkeys' in order) {
    const { passkeys } = order;
    await append(ledger, 0, passkeys.length, batchSize, (index) => withWallet(passkeys[index] as Passkey));
  } else {
    // The parent is there, too; so is what an earlier attempt has made.
    const there = ledger.map.organizations() - 1;
    await append(ledger, there, order.plain, plainBatchSize, () => ({
      from: null,
      to: plainOrganization(parentId, nobodysPasskey(), ledger.now()),
    }));
  }
  return accounts;
}

/** Appends transitions from number `from` to before `to`, so many in a batch; the next batch is made while one is written. */
async function append(
  ledger: Ledger,
  from: number,
  to: number,
  perBatch: number,
  make: (index: number) => Transition,
): Promise<void> {
  let lastReleased = Promise.resolve();
  for (let at = from; at < to; at += perBatch) {
    const size = Math.min(perBatch, to - at);
    ledger.append(Array.from({ length: size }, (_, index) => make(at + index)));
    const released = ledger.settled();
    await lastReleased;
    lastReleased = released;
    report({ made: at + size });
  }
  await lastReleased;
}

process.once('message', (order: PopulateOrder) =>
  runWithCleanUp(async (defer) => {
    const databaseUrl = await startDatabase(defer, order.dataDir);
    report({ accounts: await populate(order, databaseUrl) });
  }).then(() => process.exit()),
);
