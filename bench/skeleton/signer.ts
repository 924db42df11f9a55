/** The skeleton's second process: verifies a passkey stamp, opens the user's sealed key, signs. File descriptor 3 is the wire. */
import { createSecretKey, hash, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { secp256k1 } from '../../src/enclave/keys/secp256k1.ts';
import { parseCoseKey } from '../../src/stamping/cose-key.ts';
import { open, type SkeletonKeys } from './keys.ts';
import { openWire, type SignAnswer, type SignRequest } from './wire.ts';

type User = { organizationId: string; publicKey: KeyObject; sealedKey: Buffer };
type Assertion = { credentialId: string; clientDataJson: string; authenticatorData: string; signature: string };

const keys = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as SkeletonKeys;
// Node 24 takes 20 µs longer over a key in a Buffer.
const sealingKey = createSecretKey(keys.sealingKey, 'base64');
const users = new Map<string, User>();
for (const { organizationId, credentialId, publicKey, sealedKey } of keys.users) {
  users.set(credentialId, {
    organizationId,
    publicKey: parseCoseKey(Buffer.from(publicKey, 'base64')),
    sealedKey: Buffer.from(sealedKey, 'base64'),
  });
}

const send = openWire<SignAnswer, SignRequest>(new Socket({ fd: 3 }), ({ id, body, stamp }) => {
  const assertion = JSON.parse(stamp) as Assertion;
  const user = users.get(assertion.credentialId);
  if (!user || !isStampOver(body, assertion, user.publicKey)) return send({ id });
  const { organizationId, parameters } = JSON.parse(Buffer.from(body).toString());
  if (organizationId !== user.organizationId) return send({ id });
  const secret = open(sealingKey, organizationId, user.sealedKey);
  const { signature, recoveryId } = secp256k1.sign(Buffer.from(parameters.payload, 'hex'), secret);
  secret.fill(0);
  send({ id, organizationId, signature: Buffer.concat([signature, Buffer.of(recoveryId)]) });
});

/** The assertion's challenge is the body's digest, and the passkey signed it. */
function isStampOver(body: Uint8Array, assertion: Assertion, publicKey: KeyObject): boolean {
  const clientData = Buffer.from(assertion.clientDataJson, 'base64url');
  const challenge = Buffer.from(hash('sha256', body, 'hex')).toString('base64url');
  if (JSON.parse(clientData.toString()).challenge !== challenge) return false;
  const signed = Buffer.concat([
    Buffer.from(assertion.authenticatorData, 'base64url'),
    hash('sha256', clientData, 'buffer'),
  ]);
  return verify('sha256', signed, publicKey, Buffer.from(assertion.signature, 'base64url'));
}
