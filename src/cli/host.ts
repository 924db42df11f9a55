/** What the parts of `start` share: where things lie and how processes are confined. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Confined, Isolation } from './confine.ts';
import { ownFolder, readIfThere } from './files.ts';
import { detectIsolation } from './isolation.ts';
import { chooseFirstUid, type Role, uidsFrom } from './uids.ts';

export type Host = {
  readonly dataDir: string;
  readonly isolation: Isolation;
  readonly say: (line: string) => void;
};

export const enclaveFolder = (dataDir: string): string => join(dataDir, 'enclave');

/** Gives the enclave its folder and finds the isolation that works with it. */
export async function openHost(dataDir: string, say: (line: string) => void): Promise<Host> {
  const folder = enclaveFolder(dataDir);
  const uids = process.getuid?.() === 0 && process.platform === 'linux' ? uidsOf(folder) : null;
  ownFolder(folder, uids?.enclave ?? null);
  const isolation = await detectIsolation(dataDir, folder, uids);
  if (!isolation.uids) ownFolder(folder, process.getuid?.() ?? null);
  return { dataDir, isolation, say };
}

/** The uids are kept as the owner of the enclave's folder; a folder that root owns has not been given away yet. */
function uidsOf(folder: string): Readonly<Record<Role, number>> {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  return uidsFrom(owner || chooseFirstUid(readIfThere('/proc/self/uid_map') ?? '', readIfThere('/etc/passwd') ?? ''));
}

/** Gives a folder of the data directory to a role and confines the role to it. */
export function ownView({ dataDir, isolation }: Host, role: Role, folder: string, etc: 'host' | 'passwd'): Confined {
  ownFolder(folder, isolation.uids?.[role] ?? null);
  return { role, network: role !== 'enclave', view: { dataDir, folders: [folder], readable: [], etc } };
}
