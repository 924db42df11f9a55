/**
 * HPKE (RFC 9180) in base mode, one message a context: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. By
 * `node:crypto`, because the enclave's ephemeral key gives its shared secrets and never itself.
 */
import { createCipheriv, createDecipheriv, createECDH, createHmac } from 'node:crypto';

export type Envelope = { readonly info: Uint8Array; readonly aad: Uint8Array };

/** Whoever may open: the shared secret (ECDH) of the own key with another point, and the own point (65 bytes). */
export type Recipient = { readonly publicKey: Uint8Array; agree(point: Uint8Array): Buffer };

const pointSize = 65;
const tagSize = 16;
const version = Buffer.from('HPKE-v1');
const kem = Buffer.from('KEM\x00\x10', 'latin1');
const suite = Buffer.from('HPKE\x00\x10\x00\x01\x00\x02', 'latin1');
const empty = Buffer.alloc(0);

/** Seals to a P-256 point (65 bytes); gives the encapsulated key (65 bytes) ‖ ciphertext ‖ tag. Throws for what is no point. */
export function sealTo(publicKey: Uint8Array, { info, aad }: Envelope, plaintext: Uint8Array): Buffer {
  const ephemeral = createECDH('prime256v1');
  const encapsulated = ephemeral.generateKeys();
  const secret = sharedSecret(ephemeral.computeSecret(publicKey), encapsulated, publicKey);
  const { key, nonce } = schedule(secret, info);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([encapsulated, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when `sealed` was not sealed to this recipient for this envelope. */
export function openSealed({ publicKey, agree }: Recipient, { info, aad }: Envelope, sealed: Uint8Array): Buffer {
  if (sealed.length < pointSize + tagSize) throw new RangeError('an envelope is cut short');
  const encapsulated = sealed.subarray(0, pointSize);
  const { key, nonce } = schedule(sharedSecret(agree(encapsulated), encapsulated, publicKey), info);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-tagSize));
  const plaintext = decipher.update(sealed.subarray(pointSize, -tagSize));
  decipher.final();
  return plaintext;
}

/** RFC 9180 §4.1, ExtractAndExpand. */
function sharedSecret(dh: Buffer, encapsulated: Uint8Array, publicKey: Uint8Array): Buffer {
  const prk = extract(kem, empty, 'eae_prk', dh);
  dh.fill(0);
  return expand(kem, prk, 'shared_secret', Buffer.concat([encapsulated, publicKey]), 32);
}

/** RFC 9180 §5.1, KeySchedule in base mode. */
function schedule(secret: Buffer, info: Uint8Array): { key: Buffer; nonce: Buffer } {
  const mode = Buffer.of(0);
  const context = Buffer.concat([
    mode,
    extract(suite, empty, 'psk_id_hash', empty),
    extract(suite, empty, 'info_hash', info),
  ]);
  const prk = extract(suite, secret, 'secret', empty);
  return { key: expand(suite, prk, 'key', context, 32), nonce: expand(suite, prk, 'base_nonce', context, 12) };
}

/** LabeledExtract, RFC 9180 §4. */
const extract = (id: Buffer, salt: Buffer, label: string, secret: Uint8Array): Buffer =>
  createHmac('sha256', salt).update(version).update(id).update(label).update(secret).digest();

/** LabeledExpand, RFC 9180 §4, of at most one block. */
function expand(id: Buffer, prk: Buffer, label: string, info: Uint8Array, length: number): Buffer {
  const hmac = createHmac('sha256', prk).update(Buffer.of(0, length)).update(version).update(id).update(label);
  return hmac.update(info).update(Buffer.of(1)).digest().subarray(0, length);
}
