/** The skeleton's rows: those that come while an insert is under way are the next insert (group commit). */
import { connect } from '../../src/api/storage/connection.ts';
import { byteas, uuids } from '../../src/api/storage/parameters.ts';
import { uuidBytes } from '../../src/protocol/uuid.ts';

export type Row = { id: string; organizationId: string; content: Buffer };
export type Store = { insert(row: Row): Promise<void> };

type Waiting = { row: Row; resolve: () => void; reject: (error: unknown) => void };

/** In the service's own database, so that both have the same server and session settings. */
const createTable = `
  create schema if not exists skeleton;
  create table if not exists skeleton.activities
    (organization_id uuid, id uuid, content bytea not null, primary key (organization_id, id))`;
const insert = {
  name: 'insert',
  text: 'insert into skeleton.activities select * from unnest($1::uuid[], $2::uuid[], $3::bytea[])',
};

export async function openStore(databaseUrl: string): Promise<Store> {
  const client = await connect(databaseUrl);
  await client.query(createTable);
  let waiting: Waiting[] = [];
  let writing = false;

  async function write(batch: readonly Waiting[]): Promise<void> {
    const rows = batch.map(({ row }) => row);
    const values = [
      uuids(rows.map(({ organizationId }) => uuidBytes(organizationId))),
      uuids(rows.map(({ id }) => uuidBytes(id))),
      byteas(rows.map(({ content }) => content)),
    ];
    await client.query({ ...insert, values });
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await write(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    writing = false;
  }

  return {
    insert: (row) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ row, resolve, reject });
        if (writing) return;
        writing = true;
        // Requests that were signed in this turn go together.
        setImmediate(writeAll);
      }),
  };
}
