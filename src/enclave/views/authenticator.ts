import type { AuthenticatorObject } from '../../protocol/queries/objects.ts';
import type { Authenticator } from '../state.ts';
import { timesView } from './times.ts';

export const authenticatorView = (authenticator: Authenticator): AuthenticatorObject => ({
  transports: [...authenticator.transports],
  attestationType: 'none',
  aaguid: Buffer.from(authenticator.aaguid).toString('base64url'),
  credentialId: authenticator.credentialId,
  model: modelOf(authenticator),
  credential: {
    publicKey: Buffer.from(authenticator.publicKey).toString('base64url'),
    type: 'CREDENTIAL_TYPE_WEBAUTHN_AUTHENTICATOR',
  },
  authenticatorId: authenticator.id,
  authenticatorName: authenticator.name,
  ...timesView(authenticator),
});

/** What can be told without attestation: whether the passkey is synced, in the device, or on something one plugs in. */
function modelOf({ backupEligible, transports }: Authenticator): string {
  if (backupEligible) return 'Synced passkey';
  return transports.includes('AUTHENTICATOR_TRANSPORT_INTERNAL') ? 'Platform authenticator' : 'Security key';
}
