/**
 * Seals what the enclave keeps in the database: AES-256-GCM, random 96-bit nonces, a key per (organization, kind,
 * 2^20 sequences), associated data that names the row (DESIGN §4). Opening proves who wrote a row and which row it is,
 * never that it is the current one: the ledger's digests do that.
 *
 * Layout: version(1) ‖ sequence(6, big-endian) ‖ nonce(12) ‖ ciphertext ‖ tag(16).
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import { encode } from '../../protocol/cbor.ts';
import { createKeyCache } from '../../stamping/key-cache.ts';
import { derivations, formatVersion, type SealedKind, sealedVersion } from '../contexts.ts';

/** Which row a blob belongs to. `organization` is 16 bytes, or empty for what belongs to the whole ledger. */
export type SealedPlace = { kind: SealedKind; organization: Uint8Array; id: Uint8Array };

export type Sealer = {
  /** `sequence` is bound to the blob and travels with it. */
  seal(place: SealedPlace, sequence: number, plaintext: Uint8Array): Buffer;
  /** Throws a `RowIntegrityError` when the blob was not sealed for this place. */
  open(place: SealedPlace, sealed: Uint8Array): { plaintext: Buffer; sequence: number };
};

/** A row of the database is not what the enclave wrote there. */
export class RowIntegrityError extends Error {
  override name = 'RowIntegrityError';
}

const headerSize = 7;
const nonceSize = 12;
const tagSize = 16;
/** Keys of rows that are kept once derived, about 0.5 KB each. */
const maxRowKeys = 16_384;

/** A key of 32 bytes below `rootKey` for one purpose. */
export function deriveKey(rootKey: Buffer, purpose: keyof typeof derivations): KeyObject {
  return toKey(Buffer.from(hkdfSync('sha256', rootKey, Buffer.alloc(0), derivations[purpose], 32)));
}

/** Takes the bytes over. As a key object it is several times as fast to use: Node looks at bytes anew each time. */
function toKey(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

export function createSealer(rootKey: Buffer): Sealer {
  const sealKey = deriveKey(rootKey, 'seal');
  const rowKeys = createKeyCache(maxRowKeys);
  const cipherFor = ({ kind, organization, id }: SealedPlace, sequence: number) => {
    const info = `${kind}/${Math.floor(sequence / 2 ** 20)}/`;
    const key = rowKeys(info + Buffer.from(organization).toString('latin1'), () =>
      // One HMAC over a uniform key is HKDF-Expand of a single block (RFC 5869 §2.3).
      toKey(createHmac('sha256', sealKey).update(info).update(organization).update('\x01').digest()),
    );
    return { key, associated: encode([formatVersion, kind, organization, id, sequence]) };
  };
  return {
    seal(place, sequence, plaintext) {
      const { key, associated } = cipherFor(place, sequence);
      const header = Buffer.allocUnsafe(headerSize + nonceSize);
      header[0] = sealedVersion;
      header.writeUIntBE(sequence, 1, 6);
      const nonce = randomFillSync(header.subarray(headerSize));
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
      return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },
    open(place, sealed) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (bytes.length < headerSize + nonceSize + tagSize)
        throw new RowIntegrityError(`a sealed ${place.kind} is cut short`);
      if (bytes[0] !== sealedVersion) {
        throw new RowIntegrityError(`a sealed ${place.kind} has the unknown format version ${bytes[0]}`);
      }
      const sequence = bytes.readUIntBE(1, 6);
      const { key, associated } = cipherFor(place, sequence);
      const nonce = bytes.subarray(headerSize, headerSize + nonceSize);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(associated);
      decipher.setAuthTag(bytes.subarray(bytes.length - tagSize));
      try {
        const body = decipher.update(bytes.subarray(headerSize + nonceSize, bytes.length - tagSize));
        decipher.final();
        return { plaintext: body, sequence };
      } catch {
        throw new RowIntegrityError(`a sealed ${place.kind} was not sealed for this place`);
      }
    },
  };
}
