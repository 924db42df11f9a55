/** The programs of the system that isolation and locking are made of (util-linux, bubblewrap), by absolute path. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Tools = Readonly<Partial<Record<'setpriv' | 'unshare' | 'flock' | 'bwrap', string>>>;

export function findTools(path: string = process.env.PATH ?? ''): Tools {
  const folders = [
    ...path.split(delimiter).filter((folder) => folder.startsWith('/')),
    '/usr/bin',
    '/bin',
    '/usr/sbin',
    '/sbin',
  ];
  const found = (['setpriv', 'unshare', 'flock', 'bwrap'] as const).flatMap((name) => {
    const tool = folders.map((folder) => join(folder, name)).find(isExecutable);
    return tool ? [[name, tool]] : [];
  });
  return Object.fromEntries(found);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
