/** `countersign accept-state`: the operator's word that a restored database is the one to go on from (DESIGN §4). */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDataDirectory, replaceFile } from './files.ts';
import { enclaveFolder } from './host.ts';
import { OperatorError } from './operator-error.ts';
import type { Settings } from './settings.ts';

export const acceptStateHelp = `usage: countersign accept-state --root <hex> [--yes]

Takes the database as it is, although it is not the state that the anchor names: after a deliberate restore, and only
then. <hex> is the root (64 hex digits) that \`start\` and GET /health name when they refuse the database.

What it does:
  - everything that happened after the restored state is given up: keys made since then are lost
  - a new epoch begins, which clients are shown; requests stamped before it are refused
  - spending windows count as used up

Without --yes it only says so. The enclave carries it out at its next start.`;

/** Writes the file that the enclave looks for, once the operator has confirmed. */
export function acceptState(settings: Settings, args: readonly string[]): void {
  const { values } = parseArgs({ args: [...args], options: { root: { type: 'string' }, yes: { type: 'boolean' } } });
  const root = values.root?.toLowerCase();
  if (!root || !/^[0-9a-f]{64}$/.test(root)) {
    throw new OperatorError(`--root: expected 64 hex digits, got ${values.root ?? 'nothing'}\n\n${acceptStateHelp}`);
  }
  const folder = enclaveFolder(openDataDirectory(settings.dataDir));
  if (!existsSync(folder)) throw new OperatorError(`${folder} is not there; set COUNTERSIGN_DATA_DIR`);
  if (!values.yes) throw new OperatorError(`${acceptStateHelp}\n\nNothing was done. To do it, add --yes.`);
  const { uid } = statSync(folder);
  const owner = process.getuid?.() === 0 && uid !== 0 ? uid : null;
  const file = join(folder, 'accept-state.json');
  replaceFile(file, `${JSON.stringify({ version: 1, root })}\n`, owner);
  process.stdout.write(`wrote ${file}; now restart the service\n`);
}
