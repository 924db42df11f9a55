/** `countersign restore`: a backup into an empty data directory, once all of it is known to be sound. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { type BackupFile, openBackupFile } from './backup/container.ts';
import { copyIn } from './backup/copy.ts';
import { listTables, makeTables, withClient, withEmbedded } from './backup/database.ts';
import { type Event, type Header, isSecret, type Listed, type Part, readParts } from './backup/parts.ts';
import { checkDatabaseRole } from './database-role.ts';
import { openDataDirectory, ownFolder, replaceFile } from './files.ts';
import { enclaveFolder, openHost } from './host.ts';
import { OperatorError } from './operator-error.ts';
import { readPassphrase } from './passphrase.ts';
import { rootFilePath } from './root-file.ts';
import type { Settings } from './settings.ts';
import { checkout } from './view.ts';

export const restoreHelp = `usage: countersign restore --from <file> [--passphrase-file <file>] [--moved]

Reads the whole of a backup, checks every part, and only then writes it into COUNTERSIGN_DATA_DIR, which must be empty, and
into the embedded PostgreSQL, or into the empty database of DATABASE_URL. Nothing else is needed: no network, no service.

Whatever was signed or changed after the backup is unknown to it: those keys are lost, and those requests could be sent
again. So the next start begins a new epoch, in the log for all to see: requests stamped before it are refused, spending
windows count as used up. Where a witness or a TPM has seen more than the backup holds, the start is refused until
\`countersign accept-state\` names the state.

  --moved   the service was stopped before the backup and has not run since, as in a move to another machine: nothing is
            missing, and no new epoch begins`;

export async function restore(settings: Settings, args: readonly string[]): Promise<void> {
  const options = {
    from: { type: 'string' },
    'passphrase-file': { type: 'string' },
    moved: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (!values.from) throw new OperatorError(`--from: expected a backup file, got nothing\n\n${restoreHelp}`);
  const file = openBackupFile(values.from);
  if (!file.isSecret && values['passphrase-file'] !== undefined)
    throw new OperatorError(`${values.from} is not encrypted: it is not the file that this passphrase was for`);
  const passphrase = file.isSecret ? await readPassphrase('the backup', values['passphrase-file'], false) : null;
  say('checking the whole file');
  const { header, listed } = check(file, passphrase);
  const dataDir = openEmpty(settings.dataDir);
  const fill = async (url: string) => {
    await fillDatabase(url, header, file, passphrase);
  };
  if (settings.databaseUrl) {
    await checkDatabaseRole(settings.databaseUrl);
    await openHost(dataDir, say);
    await fill(settings.databaseUrl);
  } else await withEmbedded(dataDir, say, fill);
  writeFiles(dataDir, readParts(file.chunks(passphrase)), values.moved ?? false);
  report(header, listed, dataDir, values.moved ?? false);
}

/** Reads all of it, and says whether this version can use it. */
function check(file: BackupFile, passphrase: string | null): { header: Header; listed: Listed[] } {
  const listed: Listed[] = [];
  let header: Header | undefined;
  for (const event of readParts(file.chunks(passphrase))) {
    if (event.type === 'header') header = event.header;
    if (event.type === 'end') listed.push(event.listed);
  }
  if (!header) throw new OperatorError('the backup cannot be used: it is empty');
  if (!file.isSecret && (header.sealing || listed.some(({ name }) => isSecret(name))))
    throw new OperatorError(
      'the backup cannot be used: it is not encrypted, and brings keys or orders all the same, as no backup does: somebody made it up',
    );
  const known = readdirSync(join(checkout, 'migrations')).map((name) => name.replace(/\.ts$/, ''));
  const unknown = header.migrations.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new OperatorError(
      `the backup was made by version ${header.program}, whose tables this version does not know (${unknown.join(', ')})`,
    );
  }
  return { header, listed };
}

function openEmpty(path: string): string {
  const dataDir = openDataDirectory(path);
  if (readdirSync(dataDir).length > 0) {
    throw new OperatorError(`${dataDir} is not empty; set COUNTERSIGN_DATA_DIR to a new directory`);
  }
  return dataDir;
}

function fillDatabase(
  databaseUrl: string,
  { migrations }: Header,
  file: BackupFile,
  passphrase: string | null,
): Promise<void> {
  return withClient(databaseUrl, async (client) => {
    const present = await listTables(client);
    if (present.length > 0) {
      throw new OperatorError(`the database is not empty: it holds ${present.map(({ name }) => name).join(', ')}`);
    }
    await makeTables(databaseUrl, migrations);
    await client.query('begin');
    for (const { part, chunks } of partsOf(readParts(file.chunks(passphrase)))) {
      if (part.kind === 'table') await fillTable(client, part, chunks);
    }
    await client.query('commit');
  });
}

async function fillTable(
  client: pg.Client,
  part: Extract<Part, { kind: 'table' }>,
  chunks: () => Iterable<Buffer>,
): Promise<void> {
  try {
    await copyIn(client, part.name, part.columns, chunks);
    say(`table ${part.name}`);
  } catch (error) {
    throw new OperatorError(`the table ${part.name} cannot be restored: ${(error as Error).message}`);
  }
}

/** Each part with its bytes, which may be left unread. */
function* partsOf(events: Generator<Event>): Generator<{ part: Part; chunks: () => Iterable<Buffer> }> {
  for (let next = events.next(); !next.done; next = events.next()) {
    const event = next.value;
    if (event.type !== 'part') continue;
    let ended = false;
    const chunks = function* () {
      for (let inside = events.next(); !inside.done && inside.value.type === 'data'; inside = events.next())
        yield inside.value.bytes;
      ended = true;
    };
    yield { part: event.part, chunks };
    if (!ended) for (const _ of chunks());
  }
}

function writeFiles(dataDir: string, events: Generator<Event>, moved: boolean): void {
  const folder = enclaveFolder(dataDir);
  const { uid } = statSync(folder);
  const owner = process.getuid?.() === 0 && uid !== 0 ? uid : null;
  // First, lest a crash leave what looks like no restore. The enclave then begins a new epoch, once it has found the state that
  // the anchor names.
  if (!moved) replaceFile(join(folder, 'restored'), `${new Date().toISOString()}\n`, owner);
  for (const { part, chunks } of partsOf(events)) {
    if (part.kind !== 'file') continue;
    const content = Buffer.concat([...chunks()]);
    if (part.name === 'root.json') replaceFile(rootFilePath(dataDir), content);
    else {
      const path = join(dataDir, part.name);
      ownFolder(dirname(path), owner);
      replaceFile(path, content, owner);
    }
    say(`file ${part.name}`);
  }
}

function report({ time, batch, sealing }: Header, listed: readonly Listed[], dataDir: string, moved: boolean): void {
  const lines = [
    `restored ${listed.length} parts of ${time} (batch ${batch?.stored ?? 0}) into ${dataDir}`,
    ...(sealing
      ? []
      : [
          'the backup is not encrypted, so nothing says who wrote it: be sure that it is yours',
          `put your copies of ${join(enclaveFolder(dataDir), 'sealing')} and ${rootFilePath(dataDir)} in place before the first start, of the same owner as their folders`,
        ]),
    moved
      ? 'next: `countersign start`; it goes on where the service was stopped'
      : 'next: `countersign start`; it begins a new epoch. Tell your users: what was done after the backup is lost, and their apps show that the log was restored',
    'if the start is refused, another anchor (witness, TPM) has seen more than this backup holds: its message names the root for `countersign accept-state`',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

const say = (line: string): void => {
  process.stderr.write(`restore: ${line}\n`);
};
