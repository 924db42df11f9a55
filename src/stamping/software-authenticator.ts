/**
 * A passkey in software (WebAuthn L3 §6), for the demo, the benchmark and tests. Its private key lies unprotected in
 * this process's memory and it claims a user verification that never happened: it protects nobody's key.
 */
import { createHash, generateKeyPairSync, hash, randomBytes, sign as signWith } from 'node:crypto';
import { flag } from './authenticator-data.ts';
import type { Registration, Stamp } from './stamp.ts';

/** What a ceremony does otherwise than it should; tests of refusals are made of these. */
export type Deviations = {
  /** Members of the client data that replace or join the right ones. */
  readonly clientData?: Readonly<Record<string, unknown>>;
  readonly rpId?: string;
  readonly flags?: number;
  readonly signCount?: number;
  /** CBOR map of extension outputs; sets ED. */
  readonly extensions?: Uint8Array;
  readonly sign?: (message: Buffer) => Buffer;
};

export type SoftwareAuthenticator = {
  /** base64url. */
  readonly credentialId: string;
  /** COSE_Key, ES256. */
  readonly publicKey: Buffer;
  /** Makes the passkey known: attestation `none` over a random challenge. */
  register(deviations?: Deviations): Registration;
  /** Stamps `body`; the sign count goes up by one each time. */
  stamp(body: string | Uint8Array, deviations?: Deviations): Stamp;
};

/** A new passkey of `rpId` as used on a page of `origin`. `flags` are those of every ceremony: UP and UV unless given. */
export function createSoftwareAuthenticator(settings: {
  rpId: string;
  origin: string;
  flags?: number;
}): SoftwareAuthenticator {
  const { rpId, origin, flags = flag.UP | flag.UV } = settings;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const coseKey = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ]);
  const credentialId = randomBytes(32);
  let signCount = 0;

  const clientDataJson = (type: string, challenge: string, deviations: Deviations) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...deviations.clientData }));

  const authenticatorData = (credential: Buffer, deviations: Deviations) => {
    const extensions = deviations.extensions ?? Buffer.alloc(0);
    const head = Buffer.alloc(5);
    const implied = (credential.length ? flag.AT : 0) | (extensions.length ? flag.ED : 0);
    head.writeUInt8((deviations.flags ?? flags) | implied);
    head.writeUInt32BE(deviations.signCount ?? signCount, 1);
    return Buffer.concat([hash('sha256', deviations.rpId ?? rpId, 'buffer'), head, credential, extensions]);
  };

  return {
    credentialId: credentialId.toString('base64url'),
    publicKey: coseKey,

    register(deviations = {}) {
      const challenge = randomBytes(32).toString('base64url');
      const length = Buffer.from([0, credentialId.length]);
      const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, coseKey]);
      const data = authenticatorData(attested, deviations);
      return {
        challenge,
        attestation: {
          credentialId: credentialId.toString('base64url'),
          clientDataJson: clientDataJson('webauthn.create', challenge, deviations).toString('base64url'),
          attestationObject: encodeNoneAttestation(data).toString('base64url'),
          transports: ['AUTHENTICATOR_TRANSPORT_INTERNAL'],
        },
      };
    },

    stamp(body, deviations = {}) {
      signCount++;
      const digest = createHash('sha256').update(body).digest('hex');
      const client = clientDataJson('webauthn.get', Buffer.from(digest).toString('base64url'), deviations);
      const data = authenticatorData(Buffer.alloc(0), deviations);
      const sign = deviations.sign ?? ((message) => signWith('sha256', message, privateKey));
      const value = {
        authenticatorData: data.toString('base64url'),
        clientDataJson: client.toString('base64url'),
        credentialId: credentialId.toString('base64url'),
        signature: sign(Buffer.concat([data, hash('sha256', client, 'buffer')])).toString('base64url'),
      };
      return { header: 'X-Stamp-Webauthn', value: JSON.stringify(value) };
    },
  };
}

/** CBOR `{fmt: "none", attStmt: {}, authData}` (WebAuthn L3 §8.7), with up to 65535 bytes of data. */
function encodeNoneAttestation(data: Buffer): Buffer {
  const head = Buffer.from('a363666d74646e6f6e656761747453746d74a0686175746844617461590000', 'hex');
  head.writeUInt16BE(data.length, head.length - 2);
  return Buffer.concat([head, data]);
}
