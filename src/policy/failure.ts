import type { EvaluationCode } from './errors.ts';

/**
 * What a function throws: an evaluation error that does not yet know its place. Made once per cause, for an error's stack is
 * what makes throwing slow.
 */
export class Failure extends Error {
  readonly code: EvaluationCode;

  constructor(code: EvaluationCode, message: string) {
    super(message);
    this.name = 'Failure';
    this.code = code;
  }
}

export const overflow = new Failure('overflow', 'the result is out of range');
export const divisionByZero = new Failure('division-by-zero', 'division by zero');
export const typeMismatch = new Failure('type-mismatch', 'the value has another type');
export const noSuchKey = new Failure('no-such-key', 'there is no such key');
export const unknownHistory = new Failure(
  'no-such-key',
  'this is not known: what is signed cannot be read in full, or a restored state does not go back that far',
);
export const tooManyDestinations = new Failure(
  'no-such-key',
  'there are more addresses than are kept, so nobody can tell whether one is new',
);
export const noSuchOverload = new Failure('type-mismatch', 'no such overload for these types');
export const indexOutOfRange = new Failure('index-out-of-range', 'the index is out of range');
export const invalidUtf8 = new Failure('invalid-argument', 'the bytes are not UTF-8');
export const tooLarge = new Failure('limit', 'the value grows too large');
export const invalidTimestamp = new Failure('invalid-argument', 'not a timestamp of RFC 3339');
export const invalidDuration = new Failure('invalid-argument', 'not a duration such as `1h30m`');
export const invalidZone = new Failure('invalid-argument', 'not a time zone');
export const invalidPattern = new Failure('invalid-argument', 'not a regular expression of RE2');
export const invalidNumber = new Failure('invalid-argument', 'the text is not a number');
export const invalidBool = new Failure('invalid-argument', 'the text is not a bool');
export const invalidAddress = new Failure('invalid-argument', 'the text is not an address');
export const duplicateKey = new Failure('invalid-argument', 'the map has a key twice');
