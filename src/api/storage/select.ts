import type { Pool, QueryResultRow } from 'pg';

/** A statement that is prepared once for each connection, under its name. */
export type Select = { readonly name: string; readonly text: string };

/** Rows of a prepared statement. */
export async function select<Row extends QueryResultRow>(
  pool: Pool,
  statement: Select,
  values: unknown[],
): Promise<Row[]> {
  const { rows } = await pool.query<Row>({ ...statement, values });
  return rows;
}
