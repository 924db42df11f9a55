/** MFA policies as they come in. */
import * as v from 'valibot';
import { integer, label, list, text, uuid } from '../fields.ts';

export const authenticationType = v.picklist([
  'AUTHENTICATION_TYPE_PASSKEY',
  'AUTHENTICATION_TYPE_API_KEY',
  'AUTHENTICATION_TYPE_SESSION',
  'AUTHENTICATION_TYPE_EMAIL_OTP',
  'AUTHENTICATION_TYPE_SMS_OTP',
  'AUTHENTICATION_TYPE_OAUTH',
]);
export type AuthenticationType = v.InferOutput<typeof authenticationType>;

/** `AuthenticationMethodParams`. */
const method = v.strictObject({ type: authenticationType, id: v.exactOptional(uuid) });

/** `RequiredAuthenticationMethodParams`: all of the steps, each by any of its methods. */
const requiredAuthenticationMethods = list(v.strictObject({ any: list(method, { min: 1, max: 10 }) }), {
  min: 1,
  max: 5,
});

/** A condition that stands alone: of an MFA policy, or the scope of a session profile. */
export const condition = v.pipe(text(2048), v.minLength(1, 'expected an expression'));

export const shortNotes = text(512);

export const mfaPolicyFields = {
  mfaPolicyName: label,
  condition,
  requiredAuthenticationMethods,
  order: integer(0, 2 ** 31 - 1),
  notes: shortNotes,
};
