/** Signatures of certificates and of evidence, verified by WebCrypto. */
import { own } from './bytes.ts';
import { readElements, readOne, tags, unsignedInteger } from './der.ts';
import { refuse } from './evidence-error.ts';

export type EcCurve = 'P-256' | 'P-384';

/** `key`: SubjectPublicKeyInfo, or the bare point. `signature`: r ‖ s. False also for a key that is none. */
export async function verifyEcdsa(
  curve: EcCurve,
  key: { readonly spki: Uint8Array } | { readonly point: Uint8Array },
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  const [format, bytes] = 'spki' in key ? (['spki', key.spki] as const) : (['raw', key.point] as const);
  const subtle = openSubtle();
  try {
    const algorithm = { name: 'ECDSA', namedCurve: curve };
    const imported = await subtle.importKey(format, own(bytes), algorithm, false, ['verify']);
    const hash = curve === 'P-256' ? 'SHA-256' : 'SHA-384';
    return await subtle.verify({ name: 'ECDSA', hash }, imported, own(signature), own(message));
  } catch {
    return false;
  }
}

const sizes: Readonly<Record<EcCurve, number>> = { 'P-256': 32, 'P-384': 48 };

/** r ‖ s of a signature as certificates carry it (RFC 3279 §2.2.3). */
export function joinDerSignature(der: Uint8Array, curve: EcCurve): Uint8Array {
  const [r, s, ...rest] = readElements(readOne(der, tags.sequence).content).map(unsignedInteger);
  const size = sizes[curve];
  if (!r || !s || rest.length > 0 || r.length > size || s.length > size) {
    return refuse('MALFORMED', 'certificate: found a signature of another form');
  }
  const joined = new Uint8Array(2 * size);
  joined.set(r, size - r.length);
  joined.set(s, 2 * size - s.length);
  return joined;
}

/** RSASSA-PSS with SHA-384, MGF1 with the same, and 48 bytes of salt. */
export async function verifyRsaPss(spki: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  const subtle = openSubtle();
  try {
    const algorithm = { name: 'RSA-PSS', hash: 'SHA-384' };
    const key = await subtle.importKey('spki', own(spki), algorithm, false, ['verify']);
    return await subtle.verify({ name: 'RSA-PSS', saltLength: 48 }, key, own(signature), own(message));
  } catch {
    return false;
  }
}

/** Browsers have it on https and on localhost only. */
function openSubtle(): typeof crypto.subtle {
  if (!globalThis.crypto?.subtle) throw new TypeError('verifying evidence needs WebCrypto: open the page over https');
  return crypto.subtle;
}
