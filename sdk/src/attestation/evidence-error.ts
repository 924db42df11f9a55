/** Why evidence was refused: one code for each reason. */
export type EvidenceErrorCode =
  /** The bytes are not the format, or not its one right form: lengths, reserved bytes and bytes after the end included. */
  | 'MALFORMED'
  /** A version, key type or product that is not verified here. */
  | 'UNSUPPORTED'
  /** The chain of certificates does not end in the manufacturer's pinned root. */
  | 'UNKNOWN_ROOT'
  /** A certificate is not what its place in the chain asks for: names, rights, signature. */
  | 'BAD_CHAIN'
  | 'CERTIFICATE_EXPIRED'
  | 'CERTIFICATE_NOT_YET_VALID'
  /** The signature over the evidence is not by the key that the chain names. */
  | 'BAD_SIGNATURE'
  /** The key is for another chip, firmware or quoting enclave than the evidence says. */
  | 'WRONG_KEY'
  /** The operator can read the memory of this enclave. */
  | 'DEBUG_MODE'
  /** The platform's own rules for the guest let the operator in by another way. */
  | 'UNSAFE_POLICY'
  /** Made at another time than it was asked for. */
  | 'STALE'
  /** The values of the registers, or the log of their events, are not those that were signed. */
  | 'REGISTERS_MISMATCH'
  /** The evidence is for another statement, or another nonce. */
  | 'REPORT_DATA_MISMATCH'
  /** The code is not among those that the policy accepts. */
  | 'UNKNOWN_MEASUREMENT'
  /** The code is older than the policy accepts. */
  | 'VERSION_TOO_OLD'
  /** The policy has no entry for this platform. */
  | 'PLATFORM_NOT_ACCEPTED'
  /** There is no evidence. */
  | 'UNATTESTED';

/** Thrown for evidence that proves nothing; `message` says what was found and what was expected. */
export class EvidenceError extends Error {
  override name = 'EvidenceError';
  readonly code: EvidenceErrorCode;

  constructor(code: EvidenceErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function refuse(code: EvidenceErrorCode, message: string): never {
  throw new EvidenceError(code, message);
}
