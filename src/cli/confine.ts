/** The command line that runs a command under a kind of isolation (DESIGN §2). Pure apart from looking at paths. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Tools } from './tools.ts';
import type { Role } from './uids.ts';
import { checkout, type Operation, type View, viewOperations } from './view.ts';

export type IsolationKind =
  /** root: a uid, a mount, PID and IPC namespace each, no network for the enclave. */
  | 'uids and namespaces'
  /** anybody: the namespaces, by bubblewrap or by user namespaces, under the caller's own uid. */
  | 'bubblewrap'
  | 'user namespaces'
  /** root who may not make namespaces, as in a plain container: a uid each. */
  | 'uids'
  | 'none';

export type Isolation = {
  readonly kind: IsolationKind;
  /** null where all run under the caller's uid. */
  readonly uids: Readonly<Record<Role, number>> | null;
  readonly tools: Tools;
  /** An empty folder of the data directory, where the new root is mounted, and a file for /etc/passwd. */
  readonly mountPoint: string;
  readonly passwd: string;
};

export type Confined = {
  readonly role: Role;
  readonly view: View;
  readonly network: boolean;
  /** Groups beside its own, where it has a uid of its own. */
  readonly groups?: readonly number[];
};

/** Whether the confined process is the only child of what is spawned, and so the one to send signals to. */
export const isForked = ({ kind }: Isolation): boolean =>
  kind === 'uids and namespaces' || kind === 'bubblewrap' || kind === 'user namespaces';

/** PostgreSQL refuses uid 0, so whoever is root outside is somebody else inside a user namespace. */
export const innerUid = (): number => process.getuid?.() || 1000;

const withoutCoreDumps = ['/bin/sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'];

/** The words to spawn for `command` to run as `confined` says. Descriptors are passed on. */
export function confine(isolation: Isolation, confined: Confined, command: readonly string[]): string[] {
  const { kind, tools, uids } = isolation;
  const { setpriv = 'setpriv', unshare = 'unshare' } = tools;
  const dieWithParent = [setpriv, '--pdeathsig', 'KILL'];
  const powerless = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
  const own = uids ? asUser(uids[confined.role], confined.groups) : ['--ambient-caps=-all'];
  const drop = [...dieWithParent, ...own, ...powerless, '--', ...command];
  if (kind === 'none') {
    return [...(tools.setpriv ? [...dieWithParent, '--no-new-privs', '--'] : []), ...withoutCoreDumps, ...command];
  }
  if (kind === 'uids') return [...withoutCoreDumps, ...drop];

  const operations = viewOperations(confined.view, isolation.passwd);
  if (kind === 'bubblewrap') return bubblewrap(isolation, confined, operations, command);
  const user = uids ? [] : ['--user', `--map-user=${innerUid()}`, `--map-group=${innerUid()}`, '--keep-caps'];
  const namespaces = [...user, '--mount', '--pid', '--fork', '--kill-child', ...separate(confined)];
  const script = [join(checkout, 'src', 'cli', 'confine.sh'), isolation.mountPoint, ...operations.flatMap(words)];
  return [...dieWithParent, '--', unshare, ...namespaces, '--', '/bin/sh', ...script, '--', ...drop];
}

/** PostgreSQL keeps the host's IPC namespace: its shared memory there tells a second server that one is running. */
const separate = ({ role, network }: Confined): string[] => [
  ...(network ? [] : ['--net']),
  ...(role === 'postgres' ? [] : ['--ipc']),
];

const asUser = (uid: number, groups: readonly number[] = []): string[] => [
  `--reuid=${uid}`,
  `--regid=${uid}`,
  groups.length > 0 ? `--groups=${groups.join(',')}` : '--clear-groups',
];

/** An operation in the words of confine.sh. */
function words(operation: Operation): string[] {
  if (operation.op === 'link') return ['link', operation.path, operation.target];
  if (operation.op === 'hide') return ['hide', operation.path];
  return [operation.op, operation.source, operation.path];
}

function bubblewrap(
  { tools }: Isolation,
  confined: Confined,
  operations: readonly Operation[],
  command: readonly string[],
): string[] {
  const mounts = operations.flatMap((operation) => {
    if (operation.op === 'link') return ['--symlink', operation.target, operation.path];
    if (operation.op === 'hide') return ['--tmpfs', operation.path];
    const bind = statSync(operation.source, { throwIfNoEntry: false })?.isCharacterDevice() ? '--dev-bind' : '--bind';
    return [operation.op === 'ro' ? '--ro-bind' : bind, operation.source, operation.path];
  });
  const uid = String(innerUid());
  return [
    tools.bwrap ?? 'bwrap',
    ...['--unshare-user', '--uid', uid, '--gid', uid, '--unshare-pid', '--as-pid-1'],
    ...separate(confined).map((flag) => flag.replace('--', '--unshare-')),
    ...[
      '--die-with-parent',
      '--new-session',
      '--cap-drop',
      'ALL',
      '--proc',
      '/proc',
      '--dev',
      '/dev',
      '--tmpfs',
      '/tmp',
    ],
    ...mounts,
    ...['--chdir', '/', '--'],
    ...withoutCoreDumps,
    ...command,
  ];
}
