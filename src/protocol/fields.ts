/**
 * Building blocks of the schemas of activities and queries. `null` is dropped before a schema sees its input, so a field
 * is there or it is not (`v.exactOptional`). Messages are lower case: `expected …`, or Turnkey's own sentence.
 */
import * as v from 'valibot';

/** Text of at most `max` UTF-16 units. Lone surrogates have no UTF-8 form and so could not be sealed as they came. */
export const text = (max: number) =>
  v.pipe(
    v.string(),
    v.maxLength(max, `expected at most ${max} characters`),
    v.regex(/^\P{Cs}*$/u, 'expected well-formed Unicode'),
  );

/** Human-readable name. */
export const label = v.pipe(
  v.string(),
  v.minLength(1, 'expected 1 to 255 characters'),
  v.maxLength(255, 'expected 1 to 255 characters'),
  v.regex(/^[^\p{Cc}\p{Cs}]*$/u, 'expected text without control characters'),
);

export const uuid = v.pipe(v.string(), v.uuid('expected a UUID'), v.toLowerCase());

export const list = <T extends v.GenericSchema>(
  element: T,
  { min = 0, max = 100 }: { min?: number; max?: number } = {},
) =>
  v.pipe(
    v.array(element),
    v.minLength(min, `expected at least ${min} of these`),
    v.maxLength(max, `expected at most ${max} of these`),
  );

/** A list that the wire calls required and that clients leave out or send as `null` when it is empty. */
export const emptyList = <T extends v.GenericSchema>(element: T, max = 100) =>
  v.exactOptional(list(element, { max }), () => []);

/** Refuses a list that has something twice. */
export const once = <T>(message: string) => v.check((values: T[]) => new Set(values).size === values.length, message);

/** Ids of one kind, each named once. */
export const ids = v.pipe(list(uuid, { min: 1 }), once('expected each id once'));

/** The same where there may be none, up to as many as an organization has of what has tags. */
export const emptyIds = v.exactOptional(v.pipe(list(uuid, { max: 1_000 }), once('expected each id once')), () => []);

/**
 * An integer from `min` to `max`, as a JSON number or as digits: the wire form of int32 is a number and that of uint64 a
 * string, and clients differ in which fields they treat so.
 */
export const integer = (min: number, max: number, message = `expected an integer from ${min} to ${max}`) =>
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.maxLength(20))], message),
    v.check((value) => /^\d+$/.test(String(value)) && Number(value) >= min && Number(value) <= max, message),
    v.transform(Number),
  );

/** Hex without `0x`, in either case; lower case comes out. */
export const hex = (max: number) =>
  v.pipe(
    v.string(),
    v.minLength(1, 'expected hex digits'),
    v.maxLength(max, `expected at most ${max} hex digits`),
    v.regex(/^[0-9a-fA-F]*$/, 'expected hex digits'),
    v.toLowerCase(),
  );

/** base64url; padding is taken off. */
export const base64url = (max: number) =>
  v.pipe(
    v.string(),
    v.minLength(1, 'expected base64url'),
    v.maxLength(max, `expected at most ${max} characters of base64url`),
    v.regex(/^[\w-]*={0,2}$/, 'expected base64url'),
    v.transform((value) => value.replace(/=+$/, '')),
  );

const invalidEmail = 'invalid email address';

/** An address as HTML's `input type=email` takes it, or empty for none. */
export const email = v.union(
  [
    v.literal(''),
    v.pipe(
      v.string(),
      v.maxLength(254, invalidEmail),
      v.regex(
        /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,63}$/,
        invalidEmail,
      ),
    ),
  ],
  invalidEmail,
);

const invalidPhoneNumber = 'expected a phone number in E.164 form';

/** E.164 (`+` and at most 15 digits), or empty for none. */
export const phoneNumber = v.union(
  [v.literal(''), v.pipe(v.string(), v.regex(/^\+[1-9]\d{1,14}$/, invalidPhoneNumber))],
  invalidPhoneNumber,
);

/** Seconds that a credential lasts. */
export const expirationSeconds = integer(1, 1e12, 'invalid api key expiration');
