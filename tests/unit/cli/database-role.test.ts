import { expect, test } from 'vitest';
import { checkDatabaseRole, pathsOfDatabaseUrl, refusalOf } from '../../../src/cli/database-role.ts';

const plain = { role: 'app', superuser: false, createRole: false, version: 180_000, memberOf: [] };

test('takes a plain role', () => {
  expect(refusalOf(plain)).toBeUndefined();
  expect(refusalOf({ ...plain, createRole: true })).toBeUndefined();
});

test('refuses roles that reach the files of the server, with the statement that mends it', () => {
  expect(refusalOf({ ...plain, role: 'a"b', superuser: true })).toContain('ALTER ROLE "a""b" NOSUPERUSER');
  const member = { ...plain, memberOf: ['pg_read_server_files', 'pg_execute_server_program'] };
  expect(refusalOf(member)).toContain('REVOKE pg_read_server_files, pg_execute_server_program FROM "app"');
  expect(refusalOf({ ...plain, createRole: true, version: 150_000 })).toContain('ALTER ROLE "app" NOCREATEROLE');
});

test('says that a database cannot be reached, without its password', async () => {
  const refused = checkDatabaseRole('postgres://app:hunter2@127.0.0.1:1/x');
  await expect(refused).rejects.toThrow(/^DATABASE_URL: the database cannot be reached(?!.*hunter2)/);
});

test('finds the paths in a URL', () => {
  expect(pathsOfDatabaseUrl('postgres:///x?user=a&host=/run/postgresql&sslrootcert=/etc/ca.pem&sslcert=c.pem')).toEqual(
    ['/run/postgresql', '/etc/ca.pem'],
  );
  expect(pathsOfDatabaseUrl('postgres://a:b@db/x')).toEqual([]);
});
