/**
 * Run for `countersign seal …`, confined like the enclave, beside it or while it is stopped. Takes one JSON task on its standard input
 * and writes one JSON answer: `{lines}` to show, or `{error}`. The root key never leaves it but sealed.
 */
import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decode } from '../../protocol/cbor.ts';
import type { SealingName } from '../../protocol/sealing-names.ts';
import { createBootIdentity } from '../attestation/statement.ts';
import { readSettings, settingsDigest } from '../settings.ts';
import { localFile } from './local-file.ts';
import { SealingError, type SealingProvider } from './provider.ts';
import { openProvider } from './providers.ts';
import { openRootKey, prepareMove, prepareUpgrade, rotateSealing, sealAndCheck } from './root-key.ts';
import { nextSealingPath, readSealing, sealingPath } from './sealing-file.ts';
import { codeRegister } from './tpm2.ts';

type Task =
  | { task: 'status' }
  | { task: 'rotate' }
  | { task: 'upgrade'; measurement: string; backup: string | null }
  /** `backup`: base64 of a sealing file of `local-file`; `fromBackup`: take the key from it and not from the present sealing. */
  | { task: 'move'; to: SealingName; dryRun: boolean; backup: string | null; fromBackup: boolean };

const settings = readSettings(process.env);
const { folder } = settings;

async function run(task: Task): Promise<string[]> {
  if (task.task === 'status') return status();
  if (task.task === 'rotate') return rotate();
  if (task.task === 'upgrade') return upgrade(task);
  return move(task);
}

function status(): string[] {
  const current = readSealing(sealingPath(folder));
  const next = readSealing(nextSealingPath(folder));
  const lines = [
    current
      ? `the root key is sealed with ${current.provider} (${sealingPath(folder)})`
      : 'no root key is sealed yet: the first start makes one',
  ];
  if (next) {
    lines.push(
      `a sealing with ${next.provider} is prepared (${nextSealingPath(folder)}): it takes over at the next start with COUNTERSIGN_SEALING=${next.provider}; delete the file to give it up`,
    );
  }
  const expected = [current?.provider, next?.provider];
  if (current && !expected.includes(settings.sealing)) {
    lines.push(`COUNTERSIGN_SEALING says ${settings.sealing}: a start would be refused`);
  }
  return lines;
}

async function rotate(): Promise<string[]> {
  const provider = await openProviderOf(present());
  if (provider.ceremony)
    throw new SealingError('shares are made anew by the people who hold them: `countersign ceremony reshare`');
  await rotateSealing(folder, provider);
  return [
    `the root key is sealed anew with ${provider.name}, and opens`,
    provider.retireOlder
      ? 'older sealing files are worthless from now on'
      : `older sealing files still open where ${provider.name} lets them: delete copies of them`,
  ];
}

async function upgrade({ measurement, backup }: Extract<Task, { task: 'upgrade' }>): Promise<string[]> {
  const provider = await openProviderOf(present());
  // Registers of the boot keep the key from whoever owns the running machine: they must not choose the code that gets it.
  if (settings.tpmPcrs?.some((register) => register !== codeRegister)) await assertHasKey(provider, backup);
  await prepareUpgrade(folder, provider, Buffer.from(measurement, 'hex'));
  return [
    `the root key is sealed for the code ${measurement} too`,
    'to finish: stop the service, install the release, reboot the machine, start; the sealing for the present code is worthless then',
  ];
}

async function assertHasKey(provider: SealingProvider, backup: string | null): Promise<void> {
  if (backup === null)
    throw new SealingError(
      'the key is sealed to how the machine was started: give the backup of the key, with --backup <file>',
    );
  const { rootKey } = await openRootKey(folder, provider);
  const isSame = timingSafeEqual(readBackup(backup), rootKey);
  rootKey.fill(0);
  if (!isSame) throw new SealingError('the backup holds another root key than this installation has');
}

async function move({ to, dryRun, backup, fromBackup }: Extract<Task, { task: 'move' }>): Promise<string[]> {
  const from = present();
  if (from === to && !fromBackup)
    throw new SealingError(`the root key is sealed with ${to} already; to seal it anew: \`countersign seal rotate\``);
  // Else whoever can start this program would get the key out of what is to keep it from them, to a place of their choice.
  if (from !== 'local-file' && !fromBackup) {
    throw new SealingError(
      `the key is not taken out of ${from}: give the backup of the key, with --from-backup <file>`,
    );
  }
  const saved = backup === null ? null : readBackup(backup);
  const rootKey = fromBackup ? (saved as Buffer) : (await openRootKey(folder, localFile)).rootKey;
  if (saved && !timingSafeEqual(saved, rootKey))
    throw new SealingError('the backup holds another root key than this installation has');
  const target = await openProviderOf(to);
  if (dryRun) {
    await sealAndCheck(target, rootKey);
    rootKey.fill(0);
    return [`${to} seals the root key and opens it again; nothing was changed`];
  }
  await prepareMove(folder, target, rootKey);
  return [
    `the root key is sealed with ${to} beside ${from}${target.ceremony ? '' : ', and opens'}`,
    `to finish: set COUNTERSIGN_SEALING=${to} and restart; ${from} is given up once the service has started with ${to}`,
    ...(from === 'local-file' && to !== 'local-file'
      ? ['copies of the old sealing file (backups, snapshots) still hold the key in clear: keep them as you keep keys']
      : []),
  ];
}

function present(): SealingName {
  const current = readSealing(sealingPath(folder));
  if (current) return current.provider;
  throw new SealingError(`no root key is sealed in ${folder}; start the service once, or restore the backup`);
}

function readBackup(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  try {
    const { provider, rootKey } = (decode(bytes) ?? {}) as { provider?: unknown; rootKey?: unknown };
    if (provider === 'local-file' && rootKey instanceof Uint8Array && rootKey.length === 32)
      return Buffer.from(rootKey);
  } catch {
    // Said below.
  }
  throw new SealingError('the backup is no sealing file of local-file, which holds the key itself');
}

/** A start of its own, for providers that name one; nobody will ever see it. */
async function openProviderOf(name: SealingName): Promise<SealingProvider> {
  const identity = createBootIdentity({
    measurement: settings.measurement,
    version: settings.version,
    sealing: name,
    anchor: settings.anchor,
    isolation: settings.isolation,
    settings: settingsDigest(settings),
    time: Date.now(),
  });
  return openProvider(name, settings, identity, () => {});
}

try {
  const lines = await run(JSON.parse(readFileSync(0, 'utf8')) as Task);
  process.stdout.write(JSON.stringify({ lines }));
} catch (error) {
  const { message, stack } = error as Error;
  process.stdout.write(JSON.stringify({ error: error instanceof SealingError ? message : stack }));
  process.exitCode = 1;
}
