/**
 * Where api and enclave meet when they run apart. Node cannot ask a socket who is at its other end, so the file system
 * decides: the folder is the enclave's and api may only pass through it (0710), the socket is api's alone (0600).
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { codeOf, OperatorError } from './operator-error.ts';

const folderMode = 0o710;

/**
 * Prepares the folder of `socket` for a process of `role`, and gives its path. `uid` is the role's own where the caller is
 * root: then the folder belongs to the enclave's uid and to the group of api's, whoever is started first. Otherwise
 * (null) it is as the operator made it. Throws `OperatorError` for a folder that holds anything else.
 */
export function openMeeting(socket: string, role: 'enclave' | 'api', uid: number | null): string {
  const folder = dirname(socket);
  const refuse = (what: string): never => {
    throw new OperatorError(`COUNTERSIGN_ENCLAVE_SOCKET: ${what}; name a socket in a folder of its own`);
  };
  if (uid === null) return existsSync(folder) ? folder : refuse(`there is no folder ${folder}`);
  try {
    if (!existsSync(folder)) mkdirSync(folder, { mode: folderMode });
  } catch (error) {
    refuse(`the folder ${folder} cannot be made (${codeOf(error)})`);
  }
  if (readdirSync(folder).some((name) => name !== basename(socket))) {
    refuse(`the folder ${folder} holds other things, and would be closed to all but api and enclave`);
  }
  const found = statSync(folder);
  if (role === 'enclave') chownSync(folder, uid, isPrepared(found) ? found.gid : 0);
  else chownSync(folder, found.uid, uid);
  chmodSync(folder, folderMode);
  if (role === 'api') giveSocket(socket, uid);
  return folder;
}

const isPrepared = ({ mode }: Stats): boolean => (mode & 0o7777) === folderMode;

/** Lets api use the enclave's socket, as soon as that is there; `isRoot`: by its uid, else by what the folder's group may do. */
export async function shareSocket(socket: string, isRoot: boolean, signal: AbortSignal): Promise<void> {
  while (!existsSync(socket)) {
    if (signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { gid, mode } = statSync(dirname(socket));
  if (isRoot) {
    // Until api's supervisor has said who it is nobody may connect.
    if (gid !== 0) giveSocket(socket, gid);
  } else if (mode & 0o020) {
    chownSync(socket, -1, gid);
    chmodSync(socket, 0o660);
  }
}

/** Never what a link points to. */
function giveSocket(socket: string, uid: number): void {
  if (lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) lchownSync(socket, uid, uid);
}
