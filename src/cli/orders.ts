/**
 * Orders: files by which whoever owns the enclave's folder has it make a parent organization. The enclave carries out
 * `<organization id>.json` and renames it to `.done.json`, or writes `.failed.json` with the reason.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ownFolder, readJsonIfThere, replaceFile, syncFolder } from './files.ts';
import { enclaveFolder } from './host.ts';
import { OperatorError } from './operator-error.ts';
import type { Credentials } from './root-file.ts';

export type Names = { readonly organizationName: string; readonly userName: string; readonly apiKeyName: string };

const pathOf = (dataDir: string, organizationId: string, ending: string) =>
  join(enclaveFolder(dataDir), 'orders', `${organizationId}${ending}`);

/**
 * Resolves when the enclave's sealing and anchor are there for good. The enclave cannot fsync its folder itself under
 * Node's permission model; before the first order nobody has anything to lose there. Throws once `signal` is aborted.
 */
export async function anchorDurable(dataDir: string, signal: AbortSignal): Promise<void> {
  const folder = enclaveFolder(dataDir);
  while (!existsSync(join(folder, 'anchor'))) {
    if (signal.aborted) throw new OperatorError('stopped while starting');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  syncFolder(folder);
}

/** Orders the organization of `credentials`; does nothing when that has been done. */
export function placeOrder(dataDir: string, credentials: Credentials, names: Names): void {
  const { organizationId, userId, apiPublicKey } = credentials;
  const known = ['.json', '.done.json', '.failed.json'].some((ending) =>
    existsSync(pathOf(dataDir, organizationId, ending)),
  );
  if (known) return;
  const order = { version: 1, order: 'createRootOrganization', organizationId, userId, apiPublicKey, ...names };
  // The enclave must be able to rename it: the file belongs to whoever its folder belongs to.
  const { uid } = statSync(enclaveFolder(dataDir));
  const owner = process.getuid?.() === 0 && uid !== 0 ? uid : null;
  ownFolder(join(enclaveFolder(dataDir), 'orders'), owner);
  replaceFile(pathOf(dataDir, organizationId, '.json'), `${JSON.stringify(order, null, 2)}\n`, owner);
}

/** Resolves with whether the order was carried out before `signal` was aborted; throws with the reason when it was refused. */
export async function orderDone(dataDir: string, organizationId: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (existsSync(pathOf(dataDir, organizationId, '.done.json'))) return true;
    const failed = readJsonIfThere<{ reason?: string }>(pathOf(dataDir, organizationId, '.failed.json'));
    if (failed)
      throw new OperatorError(`the enclave refused to create the organization: ${failed.reason ?? 'no reason given'}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
