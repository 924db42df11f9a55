/** The programs of the system that isolation, locking and the microVM are made of (util-linux, bubblewrap, QEMU), by absolute path. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['setpriv', 'unshare', 'flock', 'bwrap', 'busybox', 'qemu-system-x86_64'] as const;

export type Tools = Readonly<Partial<Record<(typeof names)[number], string>>>;

export function findTools(path: string = process.env.PATH ?? ''): Tools {
  const folders = [
    ...path.split(delimiter).filter((folder) => folder.startsWith('/')),
    '/usr/bin',
    '/bin',
    '/usr/sbin',
    '/sbin',
  ];
  const found = names.flatMap((name) => {
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
