/** Which enclaves a client accepts, and whether one is among them. */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { type BootStatement, readStatement } from '../verify/read-receipt.ts';
import { hex } from './bytes.ts';
import type { Check, ProvenEvidence } from './evidence.ts';
import { EvidenceError, refuse } from './evidence-error.ts';
import { type PlatformEvidence, verifyEvidence } from './verify-evidence.ts';

/** Values in hex by the platform's name for the register; all of them must be as they are here. */
export type Registers = Readonly<Record<string, string>>;

/** What a release publishes and a client pins (docs/attestation.md). */
export type MeasurementPolicy = {
  /** Measurements of the enclave's code that are accepted, as `countersign measure` prints them. */
  readonly code: readonly string[];
  /** Oldest version that is accepted, such as `1.2.0`. */
  readonly minimumVersion?: string;
  /** Images that are accepted, by platform: one of each list must fit. A platform that is not named is not accepted. */
  readonly platforms?: {
    readonly nitro?: readonly Registers[];
    readonly 'sev-snp'?: readonly Registers[];
    /** `composeHash` names the application; `mrtd`, `rtmr1` and `rtmr2` the image below it, `rtmr0` the virtual machine. */
    readonly dstack?: readonly Registers[];
    /** `key`: SHA-256 of the TPM's attestation key, which the operator published; PCR 11 is compared with the code. */
    readonly tpm2?: readonly Registers[];
  };
  /** Accepts an enclave that no platform vouches for: then all of this is the operator's word. */
  readonly allowUnattested?: boolean;
};

export type EvidenceVerdict = {
  readonly ok: boolean;
  /** Why not; null when it is accepted. */
  readonly refusal: { readonly code: EvidenceError['code']; readonly message: string } | null;
  /** SHA-256 of the statement, in hex: what checkpoints and receipts name. */
  readonly bootId: string;
  /** Null where it cannot be read. */
  readonly statement: BootStatement | null;
  readonly platform: string;
  /** Null where nothing was proven. */
  readonly proven: ProvenEvidence | null;
  /** What held, in order, until the refusal. */
  readonly checks: readonly Check[];
  /** What nobody looked at. */
  readonly notChecked: readonly string[];
};

/**
 * Says whether `statement` (CBOR) and `evidence`, from `GET /attestation`, show an enclave that `policy` accepts. `nonce`: the
 * bytes that the client asked with, none for archived evidence. `at`: Unix ms at which it was asked for; now where absent.
 */
export async function checkEvidence(
  statement: Uint8Array,
  evidence: PlatformEvidence,
  nonce: Uint8Array,
  policy: MeasurementPolicy,
  at?: number,
): Promise<EvidenceVerdict> {
  const checks: Check[] = [];
  let read: BootStatement | null = null;
  let proven: ProvenEvidence | null = null;
  let refusal: EvidenceVerdict['refusal'] = null;
  try {
    read = parse(statement);
    proven = await verifyEvidence(statement, evidence, nonce, at === undefined ? {} : { at });
    checks.push(...(proven?.checks ?? []));
    if (!proven && !policy.allowUnattested)
      refuse('UNATTESTED', 'no platform vouches for this enclave: only its operator does');
    if (proven) checks.push(acceptedImage(proven, evidence.platform, read, policy));
    checks.push(acceptedCode(read, policy));
    if (policy.minimumVersion !== undefined) checks.push(acceptedVersion(read.version, policy.minimumVersion));
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    refusal = { code: error.code, message: error.message };
  }
  const notChecked = proven?.notChecked ?? ['Whether this code runs at all, and whether the operator reads its memory'];
  const bootId = hex(sha256(statement));
  return {
    ok: !refusal,
    refusal,
    bootId,
    statement: read,
    platform: String(Object(evidence).platform),
    proven,
    checks,
    notChecked,
  };
}

function parse(statement: Uint8Array): BootStatement {
  try {
    return readStatement(statement);
  } catch (error) {
    return refuse('MALFORMED', (error as Error).message);
  }
}

function acceptedImage(
  proven: ProvenEvidence,
  platform: string,
  statement: BootStatement,
  policy: MeasurementPolicy,
): Check {
  const accepted = policy.platforms?.[platform as keyof NonNullable<MeasurementPolicy['platforms']>];
  if (!accepted) return refuse('PLATFORM_NOT_ACCEPTED', `the policy accepts no enclave on ${platform}`);
  assertEnough(accepted, platform);
  const { key } = proven.details;
  const found: Registers = { ...proven.measurements, ...(proven.platform === 'tpm2' && key && { key }) };
  const fits = accepted.some((registers) =>
    Object.entries(registers).every(([name, value]) => found[name] === value.toLowerCase()),
  );
  if (!fits) refuse('UNKNOWN_MEASUREMENT', `the policy accepts none of the images with ${describe(found)}`);
  if (proven.platform !== 'tpm2') return { what: 'The image is one that the policy accepts' };
  if (found.pcr11 !== hex(codeRegister(statement.measurement))) {
    refuse('UNKNOWN_MEASUREMENT', 'PCR 11 is not that of the code that the boot statement names');
  }
  return { what: 'The attestation key is one that the policy accepts, and PCR 11 is that of the code' };
}

/** Registers without which an image can be anything; of dstack, RTMR3 is filled by the very image that RTMR1 and 2 are of. */
const decisive: Readonly<Record<string, readonly string[]>> = {
  nitro: ['pcr0'],
  'sev-snp': ['measurement'],
  dstack: ['mrtd', 'rtmr1', 'rtmr2', 'composeHash'],
  tpm2: ['key'],
};

function assertEnough(accepted: readonly Registers[], platform: string): void {
  const missing = decisive[platform]?.find((name) => accepted.some((registers) => !registers[name]));
  if (missing) throw new TypeError(`policy: expected ${missing} in each image of ${platform}`);
}

/** PCR 11 after the launcher extended it once with SHA-256 of the measurement. */
export function codeRegister(measurement: Uint8Array): Uint8Array {
  return sha256(concatBytes(new Uint8Array(32), sha256(measurement)));
}

function acceptedCode({ measurement }: BootStatement, { code }: MeasurementPolicy): Check {
  const value = hex(measurement);
  if (!code.some((accepted) => accepted.toLowerCase() === value)) {
    refuse('UNKNOWN_MEASUREMENT', `the policy does not accept the code ${value}`);
  }
  return { what: 'The code that the boot statement names is one that the policy accepts', value };
}

function acceptedVersion(version: string, minimum: string): Check {
  const [found, least] = [version, minimum].map((text) => /^(\d+)\.(\d+)\.(\d+)$/.exec(text)?.slice(1).map(Number));
  if (!least) throw new TypeError(`minimumVersion: expected a version such as 1.2.0, got ${minimum}`);
  const at = found?.findIndex((number, index) => number !== least[index]) ?? 0;
  if (!found || (at !== -1 && (found[at] as number) < (least[at] as number))) {
    refuse('VERSION_TOO_OLD', `version ${version} is older than ${minimum}`);
  }
  return { what: `The version is not older than ${minimum}`, value: version };
}

const describe = (registers: Registers): string =>
  Object.entries(registers)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
