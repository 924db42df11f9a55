/** Whether an enclave is one that a holder may trust with a share: its boot statement, under the platform's evidence. */
import { createHash } from 'node:crypto';
import type { MeasurementPolicy } from '../../../sdk/src/attestation/policy.ts';
import { type Cbor, decode } from '../../protocol/cbor.ts';
import { OperatorError } from '../operator-error.ts';
import type { AttestationAnswer } from './ask.ts';

/** What a holder accepts; digests are hex. */
export type Trust = {
  /** What releases publish and operators pin, for enclaves that a platform attests; null where the holder has none. */
  readonly policy: MeasurementPolicy | null;
  /** SHA-384 digests of the enclave's code, beside the policy; empty: any. */
  readonly measurements: readonly string[];
  /** The start that the operator reads from the enclave's own log; null: a platform must attest it. */
  readonly unattestedBoot: string | null;
};

/** An enclave that may have the share. */
export type Attested = { readonly boot: string; readonly encryptionKey: Buffer };

/** Throws an `OperatorError` for an enclave that is not to be trusted. `nonce` is what its attestation was asked with. */
export async function checkAttestation(answer: AttestationAnswer, nonce: Buffer, trust: Trust): Promise<Attested> {
  const statement = Buffer.from(String(answer.statement), 'base64url');
  const boot = createHash('sha256').update(statement).digest('hex');
  if (boot !== answer.bootId)
    throw new OperatorError(`the boot statement was altered: its digest is ${boot}, not ${answer.bootId}`);
  const { measurement, encryptionKey, sealing } = read(statement);
  if (sealing !== 'quorum-shares')
    throw new OperatorError(`this enclave holds its root key by ${JSON.stringify(sealing)}, not by shares`);
  const found = Buffer.from(measurement).toString('hex');
  if (trust.measurements.length > 0 && !trust.measurements.includes(found)) {
    throw new OperatorError(`the enclave runs other code than you accept: its measurement is ${found}`);
  }
  if (trust.unattestedBoot === null) await checkPlatform(statement, answer.evidence, nonce, trust.policy);
  else checkBoot(boot, trust.unattestedBoot);
  return { boot, encryptionKey: Buffer.from(encryptionKey) };
}

async function checkPlatform(
  statement: Buffer,
  evidence: AttestationAnswer['evidence'],
  nonce: Buffer,
  policy: MeasurementPolicy | null,
): Promise<void> {
  if (evidence.platform === 'none') {
    throw new OperatorError(
      'this enclave runs on an ordinary machine: no platform says what runs there, and whoever has the machine can read the root key. ' +
        "To hand your share to it all the same, have the operator read its boot id from the enclave's log, and add --accept-unattested <boot id>",
    );
  }
  if (!policy) throw new OperatorError('--policy: expected a file with the measurements that you accept, got nothing');
  const { checkEvidence } = await import('../../../sdk/src/attestation/policy.ts');
  const verdict = await checkEvidence(statement, evidence, nonce, { ...policy, allowUnattested: false });
  if (verdict.refusal) throw new OperatorError(`the attestation is refused: ${verdict.refusal.message}`);
}

function checkBoot(boot: string, accepted: string): void {
  if (accepted === boot) return;
  throw new OperatorError(
    `this is not the start that you accept: its boot id is ${boot}. Either the enclave was started anew, or somebody between you and it put another key in its statement`,
  );
}

function read(statement: Buffer): { measurement: Uint8Array; encryptionKey: Uint8Array; sealing: Cbor | undefined } {
  try {
    const { v, measurement, encryptionKey, sealing } = decode(statement) as { [name: string]: Cbor };
    const isSound = v === 1 && measurement instanceof Uint8Array && encryptionKey instanceof Uint8Array;
    if (isSound) return { measurement, encryptionKey, sealing };
  } catch {
    // As below.
  }
  throw new OperatorError(
    'the boot statement cannot be read: the enclave is of another version, or this is no enclave',
  );
}
