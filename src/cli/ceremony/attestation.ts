/** Whether an enclave is one that a holder may trust with a share: its boot statement, under the platform's evidence. */
import { createHash } from 'node:crypto';
import { type Cbor, decode } from '../../protocol/cbor.ts';
import { OperatorError } from '../operator-error.ts';
import type { AttestationAnswer } from './ask.ts';

/** What a holder accepts; hex. */
export type Trust = {
  /** SHA-384 digests of the enclave's code, as releases name them; empty: any. */
  readonly measurements: readonly string[];
  /** The start that the operator reads from the enclave's own log; null: evidence of a platform it must be. */
  readonly unattestedBoot: string | null;
};

/** An enclave that may have the share. */
export type Attested = { readonly boot: string; readonly encryptionKey: Buffer };

/** Throws an `OperatorError` for an enclave that is not to be trusted. */
export function checkAttestation({ statement: text, bootId, evidence }: AttestationAnswer, trust: Trust): Attested {
  const statement = Buffer.from(String(text), 'base64url');
  const boot = createHash('sha256').update(statement).digest('hex');
  if (boot !== bootId) throw new OperatorError(`the boot statement was altered: its digest is ${boot}, not ${bootId}`);
  const { measurement, encryptionKey, sealing } = read(statement);
  if (sealing !== 'quorum-shares')
    throw new OperatorError(`this enclave holds its root key by ${String(sealing)}, not by shares`);
  const found = Buffer.from(measurement).toString('hex');
  if (trust.measurements.length > 0 && !trust.measurements.includes(found)) {
    throw new OperatorError(`the enclave runs other code than you accept: its measurement is ${found}`);
  }
  checkEvidence(evidence.platform, boot, trust);
  return { boot, encryptionKey: Buffer.from(encryptionKey) };
}

function checkEvidence(platform: string, boot: string, { unattestedBoot }: Trust): void {
  if (unattestedBoot === null) {
    const reason =
      platform === 'none'
        ? 'this enclave runs on an ordinary machine: no platform says what runs there, and whoever has the machine can read the root key'
        : `evidence of the platform ${JSON.stringify(platform)} cannot be verified by this release`;
    throw new OperatorError(
      `${reason}. To hand your share to it all the same, have the operator read its boot id from the enclave's log, and add --accept-unattested <boot id>`,
    );
  }
  if (unattestedBoot !== boot) {
    throw new OperatorError(
      `this is not the start that you accept: its boot id is ${boot}. Either the enclave was started anew, or somebody between you and it put another key in its statement`,
    );
  }
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
