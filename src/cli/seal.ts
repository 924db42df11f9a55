/** `countersign seal …`: how the root key is sealed, and its way from one provider to another (docs/sealing.md). */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { sealingNames } from '../protocol/sealing-names.ts';
import { openDataDirectory } from './files.ts';
import { enclaveFolder, openHost } from './host.ts';
import { measureEnclave } from './measurement.ts';
import { codeOf, OperatorError } from './operator-error.ts';
import { enclaveProgram } from './services.ts';
import type { Settings } from './settings.ts';

export const sealHelp = `usage: countersign seal status
       countersign seal move --to <provider> (--backup <file> | --no-backup | --from-backup <file>) [--dry-run]
       countersign seal rotate
       countersign seal upgrade --measurement <hex> [--backup <file>]

status   says how the root key is sealed, and whether a move is prepared.
move     seals it with another provider: ${sealingNames.join(', ')}.
         The present sealing stays in force until the service has started with COUNTERSIGN_SEALING=<provider>, so a move
         can be given up until then; the service may run meanwhile.
           --backup <file>       a copy of the sealing file of local-file, which is checked to hold the same key
           --no-backup           go without: when the TPM, the shares or the KMS key are lost, so is everything
           --from-backup <file>  take the key from that copy: needed to leave any provider but local-file, and when the
                                 present sealing does not open any more
           --dry-run             seals, opens again and changes nothing
rotate   seals the same key anew with the same provider, while the service runs. With tpm2 older sealing files are
         worthless from then on. The root key itself does not change: whoever has it keeps it.
upgrade  with tpm2: seals it for the code of the release to be installed as well (its \`countersign measure\`), which
         the TPM would not open it to. Where it is sealed to more registers than that of the code, only with the backup
         of the key: whom those keep from the key must not choose the code that gets it.`;

const tasks: Readonly<Record<string, (args: readonly string[]) => object>> = {
  status: (args) => none('status', args),
  rotate: (args) => none('rotate', args),
  move: (args) => moveTask(args),
  upgrade: (args) => upgradeTask(args),
};

export async function seal(settings: Settings, [name = '', ...args]: readonly string[]): Promise<void> {
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (!task)
    throw new OperatorError(`seal: expected status, move, rotate or upgrade, got ${name || 'nothing'}\n\n${sealHelp}`);
  const wanted = task(args) as { to?: string; task: string };
  const dataDir = openDataDirectory(settings.dataDir);
  if (!existsSync(enclaveFolder(dataDir))) {
    throw new OperatorError(
      `${enclaveFolder(dataDir)} is not there; set COUNTERSIGN_DATA_DIR, or start the service once`,
    );
  }
  const uses = wanted.task === 'status' ? [] : [settings.sealing, ...(wanted.to ? [wanted.to] : [])];
  for (const line of await runJob(settings, dataDir, uses, wanted)) process.stdout.write(`${line}\n`);
}

async function runJob(settings: Settings, dataDir: string, uses: string[], task: object): Promise<string[]> {
  const host = await openHost(dataDir, () => {});
  // The socket is where the service meets its api; a job has none.
  const alone = { settings: { ...settings, enclaveSocket: null }, host };
  const { command, env } = enclaveProgram(alone, 'sealing/job.ts', uses, measureEnclave().digest);
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(task));
  const answer = await text(child.stdout);
  const { lines, error } = parse(answer);
  if (lines) return lines;
  throw new OperatorError(error ?? 'the job ended without an answer');
}

function parse(answer: string): { lines?: string[]; error?: string } {
  try {
    return JSON.parse(answer) as { lines?: string[]; error?: string };
  } catch {
    return {};
  }
}

function none(task: string, args: readonly string[]): object {
  parseArgs({ args: [...args], options: {} });
  return { task };
}

function upgradeTask(args: readonly string[]): object {
  const options = { measurement: { type: 'string' }, backup: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const measurement = values.measurement?.toLowerCase();
  if (!measurement || !/^[0-9a-f]{96}$/.test(measurement)) {
    throw new OperatorError(`--measurement: expected 96 hex digits, got ${measurement ?? 'nothing'}\n\n${sealHelp}`);
  }
  return { task: 'upgrade', measurement, backup: values.backup === undefined ? null : read(values.backup) };
}

function moveTask(args: readonly string[]): object {
  const { values } = parseArgs({
    args: [...args],
    options: {
      to: { type: 'string' },
      backup: { type: 'string' },
      'no-backup': { type: 'boolean' },
      'from-backup': { type: 'string' },
      'dry-run': { type: 'boolean' },
    },
  });
  const { to, backup, 'no-backup': without, 'from-backup': source } = values;
  if (!to || !sealingNames.some((name) => name === to)) {
    throw new OperatorError(`--to: expected one of ${sealingNames.join(', ')}, got ${to ?? 'nothing'}\n\n${sealHelp}`);
  }
  if ([backup, without, source].filter((given) => given !== undefined).length !== 1) {
    throw new OperatorError(
      'expected one of --backup <file>, --no-backup and --from-backup <file>: what a TPM, people or a cloud keep can be lost with them. With local-file the sealing file is the backup: copy <data>/enclave/sealing to where keys are kept, and name it with --backup',
    );
  }
  const file = backup ?? source;
  return {
    task: 'move',
    to,
    dryRun: values['dry-run'] ?? false,
    backup: file === undefined ? null : read(file),
    fromBackup: source !== undefined,
  };
}

function read(path: string): string {
  try {
    return readFileSync(path).toString('base64');
  } catch (error) {
    throw new OperatorError(`the backup ${path} cannot be read (${codeOf(error)})`);
  }
}
