/** `countersign backup`: database, enclave folder and root.json as of one moment, in one file, while the service runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { type BackupWriter, createBackupFile } from './backup/container.ts';
import { copyOut } from './backup/copy.ts';
import { isRunning, listMigrations, listTables, programVersion, withClient, withEmbedded } from './backup/database.ts';
import { isBackedUp, isSecret, type Part, type PartsWriter, writeParts } from './backup/parts.ts';
import { type Snapshot, takeSnapshot } from './backup/snapshot.ts';
import { openDataDirectory } from './files.ts';
import { enclaveFolder } from './host.ts';
import { OperatorError } from './operator-error.ts';
import { readPassphrase } from './passphrase.ts';
import { readRootFile, rootFilePath } from './root-file.ts';
import type { Settings } from './settings.ts';

export const backupHelp = `usage: countersign backup --out <file> [--passphrase-file <file> | --without-sealing]

Writes database, enclave folder (sealed root key, anchor) and root.json to one new file, as of one moment. The service may
run meanwhile. Run it where the enclave's folder is and the database can be reached (DATABASE_URL).

The file holds the root key as it is sealed, with local-file that is the key itself, and the API key of root.json: whoever
reads it has every key. So it is encrypted with a passphrase (scrypt, AES-256-GCM), asked for or from a file.

  --passphrase-file <file>   the first line is the passphrase; - is the standard input
  --without-sealing          leaves out the sealed root key and root.json, which you keep elsewhere: nothing in the file is
                             secret then, it is not encrypted, and without those two it is worth nothing

\`countersign restore\` takes it back. docs/backup.md says when and how.`;

export async function backup(settings: Settings, args: readonly string[]): Promise<void> {
  const options = {
    out: { type: 'string' },
    'passphrase-file': { type: 'string' },
    'without-sealing': { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const { out, 'without-sealing': withoutSealing = false } = values;
  if (!out) throw new OperatorError(`--out: expected a file that is not there yet, got nothing\n\n${backupHelp}`);
  const dataDir = openDataDirectory(settings.dataDir);
  const { databaseUrl: known } = readRootFile(dataDir);
  const databaseUrl = settings.databaseUrl ?? known;
  if (!databaseUrl) throw new OperatorError('DATABASE_URL: expected the URL of the database, got nothing');
  const passphrase = withoutSealing ? null : await readPassphrase('the backup', values['passphrase-file'], true);
  const file = createBackupFile(out, passphrase);
  try {
    const write = (url: string) => writeBackup(file, dataDir, url, !withoutSealing);
    if (settings.databaseUrl || (await isRunning(databaseUrl))) await write(databaseUrl);
    else await withEmbedded(dataDir, say, write);
  } catch (error) {
    file.discard();
    throw error;
  }
  say(
    `${out} is whole; keep it apart from this machine${passphrase === null ? ', and a copy of sealing and root.json' : ', and the passphrase apart from it'}`,
  );
}

function writeBackup(file: BackupWriter, dataDir: string, databaseUrl: string, sealing: boolean): Promise<void> {
  return withClient(databaseUrl, async (client) => {
    const folder = enclaveFolder(dataDir);
    const snapshot = await takeSnapshot(client, folder);
    const { anchored, stored } = snapshot;
    const header = {
      version: 1 as const,
      program: programVersion(),
      time: new Date().toISOString(),
      migrations: await listMigrations(client),
      batch: { anchored, stored },
      sealing,
    };
    say(`batch ${stored} of the database${anchored === null ? '' : `, anchored at ${anchored}`}`);
    const parts = writeParts(file.write, header);
    writeFiles(parts, dataDir, snapshot, sealing);
    for (const { name, columns } of await listTables(client)) {
      const part = begin(parts, { kind: 'table', name, columns: [...columns] });
      await copyOut(client, name, columns, part.write);
      part.end();
    }
    await client.query('rollback');
    parts.finish();
    file.finish();
  });
}

function writeFiles(parts: PartsWriter, dataDir: string, { anchor }: Snapshot, sealing: boolean): void {
  const folder = enclaveFolder(dataDir);
  const files = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `enclave/${relative(folder, join(entry.parentPath, entry.name))}`)
    // The anchor is that of the snapshot.
    .filter((name) => name !== 'enclave/anchor' && isBackedUp(name) && (sealing || !isSecret(name)));
  for (const name of files.sort()) writeFile(parts, name, readFileSync(join(dataDir, name)));
  if (anchor) writeFile(parts, 'enclave/anchor', anchor);
  if (sealing) writeFile(parts, 'root.json', readFileSync(rootFilePath(dataDir)));
}

function writeFile(parts: PartsWriter, name: string, content: Buffer): void {
  const part = begin(parts, { kind: 'file', name });
  part.write(content);
  part.end();
}

/** Says on standard error how large each part became. */
function begin(parts: PartsWriter, part: Part): ReturnType<PartsWriter['begin']> {
  const begun = parts.begin(part);
  return {
    write: begun.write,
    end() {
      const listed = begun.end();
      say(`${part.kind} ${part.name}: ${listed.size} bytes`);
      return listed;
    },
  };
}

const say = (line: string): void => {
  process.stderr.write(`backup: ${line}\n`);
};
