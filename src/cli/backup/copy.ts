/** COPY of whole tables in PostgreSQL's binary format, over a connection of `pg`. */
import type pg from 'pg';

type Connection = {
  query(text: string): void;
  sendCopyFromChunk(chunk: Uint8Array): void;
  sendCopyFail(reason: string): void;
  endCopyFrom(): void;
  readonly stream: NodeJS.WritableStream & { readonly writableLength: number };
};

/** What `pg` asks of a query (its `Submittable`), as far as COPY needs it. */
type Copy = {
  submit(connection: Connection): void;
  handleError(error: Error): void;
  handleReadyForQuery(): void;
  handleCommandComplete(): void;
  handleCopyInResponse(connection: Connection): void;
  handleCopyData(message: { chunk: Buffer }): void;
};

const named = (table: string, columns: readonly string[]) =>
  `"${table}" (${columns.map((name) => `"${name}"`).join(', ')})`;

/** Gives the rows of a table, as one stream of bytes, to `use`. */
export function copyOut(
  client: pg.Client,
  table: string,
  columns: readonly string[],
  use: (bytes: Buffer) => void,
): Promise<void> {
  let failure: Error | undefined;
  return submit(client, `COPY ${named(table, columns)} TO STDOUT (FORMAT binary)`, {
    handleCopyData({ chunk }) {
      try {
        if (!failure) use(chunk);
      } catch (error) {
        failure = error as Error;
      }
    },
    handleCopyInResponse: () => {},
    failed: () => failure,
  });
}

/** Fills a table with what `copyOut` gave. */
export function copyIn(
  client: pg.Client,
  table: string,
  columns: readonly string[],
  chunks: () => Iterable<Uint8Array>,
): Promise<void> {
  let failure: Error | undefined;
  return submit(client, `COPY ${named(table, columns)} FROM STDIN (FORMAT binary)`, {
    handleCopyData: () => {},
    handleCopyInResponse(connection) {
      void send(connection, chunks()).catch((error: Error) => {
        failure = error;
        connection.sendCopyFail('the backup cannot be read');
      });
    },
    failed: () => failure,
  });
}

const highWater = 4 * 1024 * 1024;

async function send(connection: Connection, chunks: Iterable<Uint8Array>): Promise<void> {
  for (const chunk of chunks) {
    connection.sendCopyFromChunk(chunk);
    while (connection.stream.writableLength > highWater) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  connection.endCopyFrom();
}

type Handlers = Pick<Copy, 'handleCopyData' | 'handleCopyInResponse'> & { failed(): Error | undefined };

function submit(client: pg.Client, text: string, { failed, ...handlers }: Handlers): Promise<void> {
  return new Promise((resolve, reject) => {
    const copy: Copy = {
      ...handlers,
      submit: (connection) => connection.query(text),
      handleError: (error) => reject(failed() ?? error),
      handleCommandComplete: () => {},
      handleReadyForQuery() {
        const failure = failed();
        if (failure) reject(failure);
        else resolve();
      },
    };
    (client as unknown as { query(copy: Copy): void }).query(copy);
  });
}
