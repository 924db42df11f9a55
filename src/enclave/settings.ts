/** What the enclave alone reads of its settings. Their digest is named in every checkpoint. */
import { encode } from '../protocol/cbor.ts';
import { type SealingName, sealingNames } from '../protocol/sealing-names.ts';
import { type AnchorName, anchorNames, parseWitnessPolicy } from '../protocol/witness-policy.ts';
import { parseOrigins, parseRpIds } from '../stamping/origin.ts';
import { formatVersion } from './contexts.ts';
import { sha256 } from './ledger/hash.ts';

export type EnclaveSettings = {
  /** Folder with sealing, anchor and orders. */
  readonly folder: string;
  readonly sealing: SealingName;
  /** Where the sealing providers find what they use; absent where none was named. */
  readonly tpm?: string;
  readonly tpmPcrs?: readonly number[];
  readonly dstackSocket?: string;
  readonly nsmSocket?: string;
  readonly kms?: { readonly key: string; readonly socket: string };
  readonly anchor: AnchorName;
  /** Text of the policy that pins the witnesses (src/protocol/witness-policy.ts); there with them. */
  readonly witnessPolicy?: string;
  readonly origins: readonly string[];
  readonly rpIds: readonly string[];
  /** Whether a passkey's stamp counts only when the authenticator verified its user (PIN, biometrics). */
  readonly requireUserVerification: boolean;
  /** SHA-384 of the manifest of the sources that run, as the launcher measured them; zeros where nobody did. */
  readonly measurement: Uint8Array;
  readonly version: string;
  /** What the supervisor says is in force; for the status only. */
  readonly isolation: string;
  /** Path of the Unix socket to listen on; absent: file descriptor 3 is the stream. */
  readonly socket?: string;
  /** Path of the serial port that is the stream instead. */
  readonly port?: string;
};

/** Reads the environment; throws with the variable's name and what was expected. */
export function readSettings(environment: NodeJS.ProcessEnv): EnclaveSettings {
  const folder = environment.COUNTERSIGN_ENCLAVE_DIR;
  if (!folder) throw new Error("COUNTERSIGN_ENCLAVE_DIR: expected the path of the enclave's own folder");
  const sealing = environment.COUNTERSIGN_SEALING ?? 'local-file';
  const name = sealingNames.find((known) => known === sealing);
  if (!name) throw new Error(`COUNTERSIGN_SEALING: expected one of ${sealingNames.join(', ')}, got ${sealing}`);
  const { COUNTERSIGN_ENCLAVE_SOCKET: socket, COUNTERSIGN_ENCLAVE_PORT: port } = environment;
  return {
    folder,
    sealing: name,
    ...readPlaces(environment),
    ...readAnchor(environment),
    origins: parseOrigins(environment.COUNTERSIGN_ORIGINS || 'http://localhost:*'),
    rpIds: parseRpIds(environment.COUNTERSIGN_RP_IDS || 'localhost'),
    requireUserVerification: readBoolean(environment, 'COUNTERSIGN_REQUIRE_USER_VERIFICATION'),
    measurement: readMeasurement(environment.COUNTERSIGN_MEASUREMENT),
    version: environment.COUNTERSIGN_VERSION ?? 'unknown',
    isolation: environment.COUNTERSIGN_ISOLATION ?? 'none',
    ...(socket && { socket }),
    ...(port && { port }),
  };
}

function readAnchor({
  COUNTERSIGN_ANCHOR: text = 'file',
  COUNTERSIGN_WITNESSES: witnessPolicy,
}: NodeJS.ProcessEnv): Pick<EnclaveSettings, 'anchor' | 'witnessPolicy'> {
  const anchor = anchorNames.find((known) => known === text);
  if (!anchor) throw new Error(`COUNTERSIGN_ANCHOR: expected one of ${anchorNames.join(', ')}, got ${text}`);
  if (!anchor.includes('witness')) return { anchor };
  try {
    parseWitnessPolicy(witnessPolicy ?? '');
  } catch (error) {
    throw new Error(`the witness policy: ${(error as Error).message}`);
  }
  return { anchor, witnessPolicy: witnessPolicy as string };
}

/** The supervisor has checked them. */
function readPlaces(environment: NodeJS.ProcessEnv): Partial<EnclaveSettings> {
  const { COUNTERSIGN_TPM: tpm, COUNTERSIGN_TPM_PCRS: pcrs, COUNTERSIGN_DSTACK_SOCKET: dstackSocket } = environment;
  const { COUNTERSIGN_NSM_SOCKET: nsmSocket, COUNTERSIGN_KMS_KEY: key, COUNTERSIGN_KMS_SOCKET: socket } = environment;
  return {
    ...(tpm && { tpm }),
    ...(pcrs && { tpmPcrs: pcrs.split(',').map(Number) }),
    ...(dstackSocket && { dstackSocket }),
    ...(nsmSocket && { nsmSocket }),
    ...(key && socket && { kms: { key, socket } }),
  };
}

function readMeasurement(hex = '00'.repeat(48)): Buffer {
  if (/^[0-9a-f]{96}$/.test(hex)) return Buffer.from(hex, 'hex');
  throw new Error('COUNTERSIGN_MEASUREMENT: expected 48 bytes in lower-case hex');
}

function readBoolean(environment: NodeJS.ProcessEnv, name: string): boolean {
  const text = environment[name] || 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Error(`${name}: expected true or false, got ${text}`);
}

/** SHA-256 over the settings that decide. */
export const settingsDigest = ({
  sealing,
  anchor,
  witnessPolicy,
  origins,
  rpIds,
  requireUserVerification,
}: EnclaveSettings): Buffer =>
  sha256(
    encode({
      v: formatVersion,
      sealing,
      anchor,
      witnessPolicy: witnessPolicy ?? null,
      origins,
      rpIds,
      requireUserVerification,
    }),
  );
