import { CountersignError } from '../../protocol/errors.ts';

/** Why the database did not do what it was asked, in words for operators and callers: no addresses, no values. */
export function describeDatabaseError(error: unknown): string {
  if (error instanceof CountersignError) return error.message;
  const { code, message } = error as { code?: string; message?: string };
  if (code && code in reasons) return reasons[code] as string;
  if (code?.startsWith('08') || code?.startsWith('57P')) return 'the database is not available';
  if (code && /^[0-9A-Z]{5}$/.test(code)) return `the database answers with error ${code}`;
  if (error instanceof RangeError) return 'the rows in the database are too large to be used';
  if (message?.includes('timeout')) return 'the database does not answer in time';
  return 'the connection to the database failed';
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the database refuses connections',
  ENOENT: 'the database is not running',
  ENOTFOUND: 'the database host is not known',
  '3D000': 'the database does not exist',
  '25006': 'the database is read-only',
  '28000': 'the database refuses the role',
  '28P01': 'the database refuses the password',
  '42501': 'the database role lacks rights',
  '42703': 'a column is missing in the database',
  '42P01': 'a table is missing in the database',
  '53100': 'the disk of the database is full',
  '53200': 'the database is out of memory',
  '53300': 'the database has too many connections',
  '55P03': 'another process holds a lock in the database',
  '57014': 'the database does not answer in time',
};
