import type { Pool } from 'pg';
import type { EnclaveStatus } from '../protocol/messages.ts';
import type { EnclaveClient } from './enclave-client.ts';
import type { BatchWriter } from './storage/batch-writer.ts';
import { describeDatabaseError } from './storage/describe-error.ts';
import type { Tables } from './storage/tables.ts';

/** Body of `GET /health`. `reason` is null where all is well. */
export type Health = {
  readonly status: 'ok' | 'unavailable';
  readonly database: { readonly ok: boolean; readonly reason: string | null };
  readonly enclave: { readonly ok: boolean; readonly reason: string | null } & Partial<EnclaveStatus>;
};

export type HealthParts = {
  readonly pool: Pool;
  readonly tables: Pick<Tables, 'trouble'>;
  readonly writer: Pick<BatchWriter, 'trouble'>;
  readonly enclave: Pick<EnclaveClient, 'status'>;
};

/** Asks database and enclave whether they answer. */
export async function checkHealth(parts: HealthParts): Promise<Health> {
  const [database, status] = await Promise.all([checkDatabase(parts), checkEnclave(parts.enclave)]);
  return { status: database.ok && status.ok ? 'ok' : 'unavailable', database, enclave: status };
}

async function checkDatabase({ pool, tables, writer }: HealthParts): Promise<Health['database']> {
  const reason = tables.trouble() ?? writer.trouble()?.reason;
  if (reason) return { ok: false, reason };
  try {
    const config = { text: 'select 1', query_timeout: 2_000 };
    await pool.query(config);
    return { ok: true, reason: null };
  } catch (error) {
    return { ok: false, reason: describeDatabaseError(error) };
  }
}

async function checkEnclave(enclave: HealthParts['enclave']): Promise<Health['enclave']> {
  try {
    const { status, body } = await enclave.status();
    return { ok: status === 200, ...(JSON.parse(Buffer.from(body).toString()) as EnclaveStatus) };
  } catch (error) {
    return { ok: false, reason: (error as Error).message };
  }
}
