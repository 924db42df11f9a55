/** What the activities that vote about another one have in common. */
import * as v from 'valibot';

/** `fingerprint` as in the activity: `sha256:` and the digest of its body in hex. */
export const targetActivity = v.strictObject({
  fingerprint: v.pipe(
    v.string('expected the fingerprint of an activity'),
    v.regex(/^sha256:[0-9a-f]{64}$/, 'expected `sha256:` and 64 hexadecimal digits'),
  ),
});

/** The answer is the activity that was voted about, with the result that it has. */
export const anyResult = v.record(v.string(), v.unknown());
