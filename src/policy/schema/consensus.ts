import type { Schema } from '../types.ts';
import { organization } from './organization.ts';
import { bool, cel, duration, field, int, list, namespace, orEmpty, string, struct, timestamp } from './shorthand.ts';

export const user = struct('User', {
  id: field(string, 'the id of the user'),
  tags: { ...field(list(string, 100), 'ids of the tags that the user has'), default: [] },
  email: orEmpty(string, 'e-mail address, or empty'),
  alias: orEmpty(string, 'name of the user, or empty'),
  created_at: cel(field(timestamp, 'when the user was created')),
});

export const credential = struct('Credential', {
  id: field(string, 'the id of the authenticator or API key'),
  user_id: field(string, 'the id of its user'),
  type: field(string, '`CREDENTIAL_TYPE_…`'),
  credential_id: orEmpty(string, 'WebAuthn credential id in base64url; empty for API keys'),
  public_key: orEmpty(string, 'public key in hex'),
  user_verified: cel(field(bool, 'the passkey saw a PIN or a biometric for this approval')),
  backup_eligible: cel(field(bool, 'the passkey may be synchronized between devices')),
  backed_up: cel(field(bool, 'the passkey is synchronized')),
  counter: cel(field(int, "the passkey's signature counter")),
  age: cel(field(duration, 'time since the credential was added')),
});

/** What `consensus` may name: who approved, and with what. */
export const consensusSchema: Schema = {
  approvers: field(list(user, 100), 'users who approved, the initiator included'),
  credentials: field(list(credential, 100), 'the credentials that they approved with'),
  organization: cel({ ...organization, namespace: true }),
  now: cel(namespace(timestamp, 'time of the decision')),
};
