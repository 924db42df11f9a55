/** What the enclave alone reads of its settings. Their digest is named in every checkpoint. */
import { encode } from '../protocol/cbor.ts';
import { parseOrigins, parseRpIds } from '../stamping/origin.ts';
import { formatVersion } from './contexts.ts';
import { sha256 } from './ledger/hash.ts';

export type EnclaveSettings = {
  /** Folder with sealing, anchor and orders. */
  readonly folder: string;
  readonly sealing: string;
  readonly origins: readonly string[];
  readonly rpIds: readonly string[];
  /** Whether a passkey's stamp counts only when the authenticator verified its user (PIN, biometrics). */
  readonly requireUserVerification: boolean;
  /** What the supervisor says is in force; for the status only. */
  readonly isolation: string;
  /** Path of the Unix socket to listen on; absent: file descriptor 3 is the stream. */
  readonly socket?: string;
};

/** Reads the environment; throws with the variable's name and what was expected. */
export function readSettings(environment: NodeJS.ProcessEnv): EnclaveSettings {
  const folder = environment.COUNTERSIGN_ENCLAVE_DIR;
  if (!folder) throw new Error("COUNTERSIGN_ENCLAVE_DIR: expected the path of the enclave's own folder");
  const sealing = environment.COUNTERSIGN_SEALING ?? 'local-file';
  if (sealing !== 'local-file') throw new Error(`COUNTERSIGN_SEALING: expected local-file, got ${sealing}`);
  const socket = environment.COUNTERSIGN_ENCLAVE_SOCKET;
  return {
    folder,
    sealing,
    origins: parseOrigins(environment.COUNTERSIGN_ORIGINS || 'http://localhost:*'),
    rpIds: parseRpIds(environment.COUNTERSIGN_RP_IDS || 'localhost'),
    requireUserVerification: readBoolean(environment, 'COUNTERSIGN_REQUIRE_USER_VERIFICATION'),
    isolation: environment.COUNTERSIGN_ISOLATION ?? 'none',
    ...(socket && { socket }),
  };
}

function readBoolean(environment: NodeJS.ProcessEnv, name: string): boolean {
  const text = environment[name] || 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Error(`${name}: expected true or false, got ${text}`);
}

/** SHA-256 over the settings that decide. */
export const settingsDigest = ({ sealing, origins, rpIds, requireUserVerification }: EnclaveSettings): Buffer =>
  sha256(encode({ v: formatVersion, sealing, origins, rpIds, requireUserVerification }));
