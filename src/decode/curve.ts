/** Turnkey's curves; the same union as the enclave's state has, which this side does not import. */
export type Curve = 'CURVE_SECP256K1' | 'CURVE_ED25519' | 'CURVE_P256';
