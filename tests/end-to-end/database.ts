/** Databases in a test's PostgreSQL, as an operator would make them for the service. */
import pg from 'pg';
import type { TestPostgres } from '../support/postgres.ts';

/** A new database with a role of its own that owns it, which may have further rights; gives its URL. */
export async function addDatabase(postgres: TestPostgres, name: string, rights = ''): Promise<string> {
  await administer(postgres.url, `CREATE ROLE ${name} LOGIN ${rights}`, `CREATE DATABASE ${name} OWNER ${name}`);
  return postgres.url.replace('//postgres@', `//${name}@`).replace('/postgres?', `/${name}?`);
}

/** Runs statements, one by one. */
export async function administer(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
