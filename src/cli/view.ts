/** What a confined process may see of the file system: everything else is not there for it. */
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export type Operation =
  | { readonly op: 'link'; readonly path: string; readonly target: string }
  | { readonly op: 'hide'; readonly path: string }
  | { readonly op: 'ro' | 'rw'; readonly source: string; readonly path: string };

export type View = {
  /** The data directory: hidden wherever it would show, apart from what `folders` names. */
  readonly dataDir: string;
  /** Writable folders, and sockets and devices to use, at their own paths. */
  readonly folders: readonly string[];
  /** Further files and folders to read, at their own paths. */
  readonly readable: readonly string[];
  /** /etc of the host (name resolution, certificates), or one with nothing but `passwd`. */
  readonly etc: 'host' | 'passwd';
};

/** The root of the program: the folder that holds `src`, `node_modules` and the rest. */
export const checkout = dirname(dirname(import.meta.dirname));

/** What the program itself is read from: the checkout, and where node_modules and Node are if they lie elsewhere. */
export function programPaths(): string[] {
  const paths = [checkout, realpathSync(join(checkout, 'node_modules')), realpathSync(process.execPath)];
  return paths.filter((path, index) => index === 0 || !isWithin(path, checkout));
}

const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store', '/gnu/store'];

/** The mounts that make up `view`, in order. `passwd` is the file that becomes /etc/passwd where there is no other. */
export function viewOperations(view: View, passwd: string): Operation[] {
  const system = systemFolders.filter((path) => existsSync(path)).map(linkOrBind);
  const etc: Operation[] = view.etc === 'host' ? hostEtc() : [{ op: 'ro', source: passwd, path: '/etc/passwd' }];
  const program = programPaths().flatMap(enterable).map(readOnly);
  const shown = [...system, ...etc, ...program, ...view.readable.map(readOnly)];
  const covered = shown.some(({ op, path }) => op === 'ro' && isWithin(view.dataDir, path));
  const hide: Operation[] = covered ? [{ op: 'hide', path: view.dataDir }] : [];
  return [...shown, ...hide, ...view.folders.map((path): Operation => ({ op: 'rw', source: path, path }))];
}

/** Whether `path` is `folder` or lies below it; both absolute. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith('../'));
}

const readOnly = (path: string): Operation => ({ op: 'ro', source: path, path });

const linkOrBind = (path: string): Operation =>
  lstatSync(path).isSymbolicLink() ? { op: 'link', path, target: readlinkSync(path) } : readOnly(path);

/** A folder that other users may not enter is shown by its entries: their own modes decide then. */
function enterable(path: string): string[] {
  if (!statSync(path).isDirectory() || (statSync(path).mode & 0o005) === 0o005) return [path];
  return readdirSync(path).map((entry) => join(path, entry));
}

/** /etc/resolv.conf often points out of /etc. */
function hostEtc(): Operation[] {
  const resolver = existsSync('/etc/resolv.conf') ? realpathSync('/etc/resolv.conf') : '/etc';
  return [readOnly('/etc'), ...(isWithin(resolver, '/etc') ? [] : [readOnly(resolver)])];
}
