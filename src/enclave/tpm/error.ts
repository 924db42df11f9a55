/** What a TPM refused, by the response codes that an operator meets (TPM 2.0 Library, Part 2 §6.6). */
export class TpmError extends Error {
  override name = 'TpmError';
  /** The code as it came. */
  readonly code: number;

  constructor(code: number) {
    super(`the TPM answered 0x${code.toString(16)} (${meaningOf(code)})`);
    this.code = code;
  }
}

/** Format-one codes without the number of the handle, parameter or session they are about. */
export const kindOf = (code: number): number => (code & 0x80 ? code & 0xbf : code);

export const responses = {
  nvUninitialized: 0x14a,
  nvDefined: 0x14c,
  authFail: 0x8e,
  handle: 0x8b,
  badAuth: 0xa2,
  policyFail: 0x9d,
} as const;

const meanings: Readonly<Record<number, string>> = {
  256: 'it has not been started up',
  [responses.authFail]: 'the authorization value is not the right one',
  [responses.handle]: 'there is no such index or object',
  [responses.badAuth]: 'the authorization value is not the right one',
  [responses.policyFail]: 'a policy is not fulfilled: the measured code is another',
  331: 'no room is left in its non-volatile memory',
  [responses.nvUninitialized]: 'the index was never written',
  [responses.nvDefined]: 'the index exists already',
  2306: 'it holds too many objects',
  2307: 'it holds too many sessions',
  2337: 'it is locked after too many wrong authorizations',
};

const meaningOf = (code: number): string => meanings[kindOf(code)] ?? 'see TPM 2.0 Library, Part 2 §6.6';
