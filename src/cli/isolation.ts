/** Finds the strongest isolation that works here, by trying it, and says what it gives. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { confine, type Isolation, type IsolationKind, innerUid, isForked } from './confine.ts';
import { findTools, type Tools } from './tools.ts';
import type { Role } from './uids.ts';
import { checkout } from './view.ts';

type Candidate = { kind: IsolationKind; needs: readonly (keyof Tools)[] };

const forRoot: readonly Candidate[] = [
  { kind: 'uids and namespaces', needs: ['setpriv', 'unshare'] },
  { kind: 'uids', needs: ['setpriv'] },
];
const forAnybody: readonly Candidate[] = [
  { kind: 'bubblewrap', needs: ['bwrap'] },
  { kind: 'user namespaces', needs: ['setpriv', 'unshare'] },
];

/**
 * Tries each kind on a harmless command, the strongest first. `folder` is the enclave's, already its own; `uids` those to
 * use where the caller is root.
 */
export async function detectIsolation(
  dataDir: string,
  folder: string,
  uids: Readonly<Record<Role, number>> | null,
): Promise<Isolation> {
  const tools = findTools();
  const mountPoint = join(dataDir, 'view');
  const passwd = join(dataDir, 'passwd');
  mkdirSync(mountPoint, { recursive: true });
  writeFileSync(passwd, passwdFor(uids?.postgres ?? innerUid()), { mode: 0o644 });
  const candidates = process.platform !== 'linux' ? [] : uids ? [...forRoot, ...forAnybody] : forAnybody;
  for (const { kind, needs } of candidates) {
    if (!needs.every((name) => tools[name])) continue;
    const isolation = { kind, uids: kind.startsWith('uids') ? uids : null, tools, mountPoint, passwd };
    if (await works(isolation, dataDir, folder)) return isolation;
  }
  return { kind: 'none', uids: null, tools, mountPoint, passwd };
}

const passwdFor = (uid: number) => `root:x:0:0::/:/bin/false\ncountersign:x:${uid}:${uid}::/:/bin/false\n`;

/** Whether a confined process can read the program and write its folder. */
async function works(isolation: Isolation, dataDir: string, folder: string): Promise<boolean> {
  const view = { dataDir, folders: [folder], readable: [], etc: 'passwd' as const };
  const test = `test -r "$1" && test -x "$2" && test -w "$3" && ! test -e "$4"`;
  const secret = isForked(isolation) ? isolation.passwd : '/nothing';
  const command = ['/bin/sh', '-c', test, 'sh', join(checkout, 'package.json'), process.execPath, folder, secret];
  const [program = '', ...args] = confine(isolation, { role: 'enclave', view, network: false }, command);
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', env: {} });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}

/** One line for start and for the enclave's own report of where it runs. */
export function isolationSummary({ kind, uids }: Isolation): string {
  const namespaces = 'mount, PID and IPC namespaces of their own, no network for the enclave';
  if (kind === 'none') return 'none';
  if (kind === 'uids' && uids)
    return `uids ${Object.values(uids).join(', ')}; no namespaces: the enclave has a network`;
  return uids ? `uids ${Object.values(uids).join(', ')}; ${namespaces}` : `${kind}; ${namespaces}`;
}

/** What `start` prints about the isolation in force. `microvm`: what is in force within that, for an enclave in one. */
export function describeIsolation(isolation: Isolation, microvm: string | null = null): string[] {
  const inForce = isolationSummary(isolation);
  const lines = microvm
    ? [`isolation: ${microvm}`, `  around it, and for api and PostgreSQL: ${inForce}`]
    : [`isolation: ${inForce}`];
  if (isolation.kind === 'none') {
    lines.push(
      '  Enclave, api and PostgreSQL share a uid and a file system. These rows of the trust table do not hold:',
      '  - "api process": whoever takes it over reads the sealing and anchor files, and with them every key',
      '  - "database": whoever runs programs through PostgreSQL does the same',
      '  Run as root, or where user namespaces or bubblewrap are allowed.',
    );
  }
  if (isolation.kind === 'uids') {
    lines.push(
      '  The enclave is not cut off from the network: namespaces are not allowed here (in a container: CAP_SYS_ADMIN).',
    );
  }
  return lines;
}
