import { invalidArgument } from '../../protocol/errors.ts';

/**
 * Refuses to delete keys of which nobody has a copy, unless `deleteWithoutExport` says so. `what` is the kind of key as
 * errors name it.
 */
export function checkExported(
  keys: Iterable<{ readonly exported: boolean }>,
  deleteWithoutExport: boolean | undefined,
  what: 'wallet' | 'wallet account' | 'private key',
): void {
  if (deleteWithoutExport) return;
  for (const { exported } of keys) if (!exported) throw invalidArgument(`${what} has not been exported`);
}
