/** Turnkey's names of the curves that keys are on. */
export type Curve = 'CURVE_SECP256K1' | 'CURVE_ED25519' | 'CURVE_P256';
