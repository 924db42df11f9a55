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
import { generateSecret, publicKeyOf } from '../../src/enclave/keys/curve.ts';
import { boot } from '../../src/enclave/ledger/boot.ts';
import { createCheckpointSigner } from '../../src/enclave/ledger/checkpoint.ts';
import { createLedger, type Ledger } from '../../src/enclave/ledger/ledger.ts';
import type { Transition } from '../../src/enclave/ledger/transition.ts';
import { localFileSealing } from '../../src/enclave/sealing/local-file.ts';
import { createSealer, deriveKey } from '../../src/enclave/sealing/seal.ts';
import { readSettings, settingsDigest } from '../../src/enclave/settings.ts';
import { noContent, type Organization } from '../../src/enclave/state.ts';
import { runWithCleanUp } from './clean-up.ts';
import { startDatabase } from './database.ts';
import type { Account, Passkey } from './load.ts';

export type PopulateOrder = { dataDir: string; parentId: string; passkeys: Passkey[] };
/** How many there are so far, and in the end whose they are. */
export type Populated = { made: number } | { accounts: Account[] };

const report = (message: Populated) => process.send?.(message);

/** Organizations of one batch: few enough that a busy machine, too, writes it within the time that a query has. */
const batchSize = 100;

async function openLedger(dataDir: string, databaseUrl: string): Promise<Ledger> {
  const folder = join(dataDir, 'enclave');
  const rootKey = localFileSealing(folder).unseal();
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
  const port = { fetch: createFetcher(openPool(databaseUrl)), write: writer.write };
  const settings = settingsDigest(readSettings({ COUNTERSIGN_ENCLAVE_DIR: folder }));
  const parts = { port, sealer, signer, anchor, settings };
  const { headTag } = keys;
  const booted = await boot({ ...parts, anchored, headTag, acceptedRoot: null, now: Date.now() });
  const ledger = createLedger({ ...parts, ...booted, keys, clock: Date.now });
  return ledger;
}

/** A sub-organization as `create_sub_organization` makes it: one user with a passkey, a wallet with one account. */
function newOrganization(
  parentId: string,
  passkey: Passkey,
  now: number,
): { transition: Transition; account: Account } {
  const [id, userId, walletId, accountId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const times = { createdAt: now, updatedAt: now };
  const entropy = randomBytes(16);
  const seedDigest = createHash('sha256').update(entropy).digest('hex');
  const secret = generateSecret('CURVE_SECP256K1', randomBytes);
  const publicKey = publicKeyOf('CURVE_SECP256K1', secret);
  const address = addressOf('ADDRESS_FORMAT_ETHEREUM', 'CURVE_SECP256K1', publicKey);
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
    id,
    parentId,
    settings: {
      name: 'bench',
      rootQuorum: { threshold: 1, userIds: [userId] },
      features: [],
      origins: null,
      rpIds: null,
      ...times,
    },
    ...noContent,
    users: new Map([[userId, user]]),
    wallets: new Map([
      [walletId, { id: walletId, name: 'wallet', seedDigest, exported: false, imported: false, ...times }],
    ]),
    accounts: new Map([[accountId, account]]),
    deleted: false,
  };
  const keys = [
    { organizationId: id, id: walletId, binding: seedDigest, secret: entropy },
    { organizationId: id, id: accountId, binding: publicKey, secret },
  ];
  return { transition: { from: null, to: organization, keys }, account: { organizationId: id, address } };
}

async function populate({ dataDir, parentId, passkeys }: PopulateOrder, databaseUrl: string): Promise<Account[]> {
  const ledger = await openLedger(dataDir, databaseUrl);
  const accounts: Account[] = [];
  let lastReleased = Promise.resolve();
  for (let at = 0; at < passkeys.length; at += batchSize) {
    const made = passkeys.slice(at, at + batchSize).map((one) => newOrganization(parentId, one, ledger.now()));
    ledger.append(made.map(({ transition }) => transition));
    accounts.push(...made.map(({ account }) => account));
    // The next batch is made while this one is written.
    const released = ledger.settled();
    await lastReleased;
    lastReleased = released;
    report({ made: accounts.length });
  }
  await lastReleased;
  return accounts;
}

process.once('message', (order: PopulateOrder) =>
  runWithCleanUp(async (defer) => {
    const databaseUrl = await startDatabase(defer, order.dataDir);
    report({ accounts: await populate(order, databaseUrl) });
  }).then(() => process.exit()),
);
