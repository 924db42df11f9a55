/** What a browser hands out for a new passkey, made in software: ES256, attestation `none`. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { encode } from '../../src/protocol/cbor.ts';

/** `AuthenticatorParamsV2` for a fresh passkey; `credentialId` may be a stolen one. */
export function newRegistration({
  name = 'passkey',
  origin = 'http://localhost:3000',
  rpId = 'localhost',
  credentialId = randomBytes(16),
} = {}) {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const challenge = randomBytes(32).toString('base64url');
  // COSE_Key {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9052 §7, RFC 9053 §7.1.1).
  const coseKey = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(credentialId.length);
  const authData = Buffer.concat([
    createHash('sha256').update(rpId).digest(),
    Buffer.from('4500000000', 'hex'),
    Buffer.alloc(16),
    length,
    credentialId,
    coseKey,
  ]);
  const clientData = JSON.stringify({ type: 'webauthn.create', challenge, origin, crossOrigin: false });
  return {
    authenticatorName: name,
    challenge,
    attestation: {
      credentialId: credentialId.toString('base64url'),
      clientDataJson: Buffer.from(clientData).toString('base64url'),
      attestationObject: encode({ fmt: 'none', attStmt: {}, authData }).toString('base64url'),
      transports: ['AUTHENTICATOR_TRANSPORT_INTERNAL'],
    },
  };
}
