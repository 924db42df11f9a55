/** Numbers of TPM 2.0 Library, Part 2 (structures) that are used here. */

export const commands = {
  nvUndefineSpace: 0x122,
  nvDefineSpace: 0x12a,
  createPrimary: 0x131,
  nvIncrement: 0x134,
  nvExtend: 0x136,
  policyNv: 0x149,
  nvRead: 0x14e,
  create: 0x153,
  load: 0x157,
  quote: 0x158,
  unseal: 0x15e,
  flushContext: 0x165,
  nvReadPublic: 0x169,
  startAuthSession: 0x176,
  getCapability: 0x17a,
  pcrRead: 0x17e,
  policyPcr: 0x17f,
  pcrExtend: 0x182,
} as const;

export const algorithms = {
  aes: 0x0006,
  keyedHash: 0x0008,
  sha256: 0x000b,
  none: 0x0010,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const;
export const curveP256 = 0x0003;

export const handles = { owner: 0x40000001, none: 0x40000007, password: 0x40000009, endorsement: 0x4000000b } as const;

/** TPMA_SESSION. `decrypt`: the TPM decrypts the command's first parameter; `encrypt`: it encrypts the response's. */
export const sessionAttributes = { continueSession: 0x01, decrypt: 0x20, encrypt: 0x40 } as const;

/** TPMA_OBJECT. */
export const objectAttributes = {
  fixedTpm: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  noDa: 1 << 10,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;

/** TPMA_NV. `counter` and `extend` are types (TPM_NT). */
export const nvAttributes = {
  authWrite: 1 << 2,
  counter: 1 << 4,
  extend: 4 << 4,
  ownerRead: 1 << 17,
  authRead: 1 << 18,
  noDa: 1 << 25,
  written: 1 << 29,
} as const;
