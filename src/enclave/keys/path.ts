import { type CountersignError, invalidArgument } from '../../protocol/errors.ts';

/** Added to the index of a hardened part (BIP-32). */
export const hardened = 0x80000000;

const form = /^m(?:\/(?:0|[1-9]\d{0,9})'?){1,10}$/;

/**
 * The indices of a BIP-32 path of 1 to 10 parts, as `m/44'/60'/0'/0/0`. Only `'` marks a hardened part and numbers have
 * one form, so that one key has one path. Throws INVALID_ARGUMENT `invalid path format`.
 */
export function parsePath(path: string): number[] {
  if (!form.test(path)) throw invalidPath("expected 1 to 10 parts, as in `m/44'/60'/0'/0/0`");
  const parts = path.slice(2).split('/');
  return parts.map((part) => {
    const index = Number.parseInt(part, 10);
    if (index >= hardened) throw invalidPath(`expected parts below ${hardened}, found ${index}`);
    return part.endsWith("'") ? index + hardened : index;
  });
}

export const invalidPath = (description: string): CountersignError =>
  invalidArgument('invalid path format', { fields: [{ field: 'path', description }] });
