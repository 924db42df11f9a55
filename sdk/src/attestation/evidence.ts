export type Check = {
  /** In words. */
  readonly what: string;
  /** The value that was found, for whoever compares. */
  readonly value?: string;
};

/** What evidence proves; whoever holds this holds it from a verifier that refused nothing. */
export type ProvenEvidence = {
  readonly platform: 'nitro' | 'sev-snp' | 'tdx' | 'tpm2';
  /** Digests of the code, in hex, by the platform's name for the register: `pcr0`, `measurement`, `mrtd`, `rtmr3`. */
  readonly measurements: Readonly<Record<string, string>>;
  /** What the enclave had bound into the evidence; empty where it had bound nothing. */
  readonly reportData: Uint8Array;
  /** Unix ms at which the platform says that it made the evidence; null where the format has no time. */
  readonly time: number | null;
  /** The operator can read this enclave's memory: true only where that was allowed. */
  readonly debug: boolean;
  /** Further facts of the platform. */
  readonly details: Readonly<Record<string, string>>;
  /** What was verified, in order. */
  readonly checks: readonly Check[];
  /** What this verifier does not look at, so that nobody takes it for verified. */
  readonly notChecked: readonly string[];
};

export type VerifyOptions = {
  /** Unix ms at which the evidence was asked for and certificates must be valid; now where absent. */
  readonly at?: number;
  /** Accepts enclaves that the operator can look into, for tests of one's own. */
  readonly allowDebug?: boolean;
};
