/** Checks a PostgreSQL that the operator brought: it must answer, and its role must not be a way to the server's files. */
import type { ClientConfig } from 'pg';
import { OperatorError } from './operator-error.ts';

type Facts = { role: string; superuser: boolean; createRole: boolean; version: number; memberOf: string[] };

const query = `SELECT current_user AS role, rolsuper AS superuser, rolcreaterole AS "createRole",
    current_setting('server_version_num')::int AS version,
    ARRAY(SELECT rolname::text FROM pg_roles
      WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
        AND pg_has_role(current_user, oid, 'MEMBER')) AS "memberOf"
  FROM pg_roles WHERE rolname = current_user`;

/** Resolves when the database of `databaseUrl` can be used. Throws `OperatorError` with the statement that mends it. */
export async function checkDatabaseRole(databaseUrl: string): Promise<void> {
  const { default: pg } = await import('pg');
  const config: ClientConfig = { connectionString: databaseUrl, connectionTimeoutMillis: 10_000 };
  try {
    const client = new pg.Client(config);
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<Facts>(query).finally(() => client.end());
    const refusal = rows[0] && refusalOf(rows[0]);
    if (refusal) throw new OperatorError(`DATABASE_URL: ${refusal}`);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`DATABASE_URL: the database cannot be reached: ${messageOf(error)}`);
  }
}

/** Why a role must not be used; undefined when it may. */
export function refusalOf({ role, superuser, createRole, version, memberOf }: Facts): string | undefined {
  const name = `"${role.replaceAll('"', '""')}"`;
  if (superuser) return `the role ${name} is a superuser; run as another one: ALTER ROLE ${name} NOSUPERUSER`;
  if (memberOf.length) {
    const roles = memberOf.join(', ');
    return `the role ${name} is a member of ${roles} and so reaches the server's files; run: REVOKE ${roles} FROM ${name}`;
  }
  // Before PostgreSQL 16 such a role can make itself a member of those.
  if (createRole && version < 160_000) return `the role ${name} may create roles; run: ALTER ROLE ${name} NOCREATEROLE`;
  return undefined;
}

/** Of an AggregateError (several addresses tried) the message is empty. */
function messageOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}

/** Files and folders that a database URL names: a socket's folder, certificates and keys. */
export function pathsOfDatabaseUrl(databaseUrl: string): string[] {
  const { searchParams } = new URL(databaseUrl);
  const names = ['host', 'sslrootcert', 'sslcert', 'sslkey'];
  return names.map((name) => searchParams.get(name) ?? '').filter((value) => value.startsWith('/'));
}
