/** X.509 v3 certificates (RFC 5280 §4.1), as far as the chains of attestation keys need them. */

import { hex, textOf } from './bytes.ts';
import {
  bitString,
  boolean,
  type Der,
  expectTag,
  readElements,
  readOne,
  smallInteger,
  tags,
  unsignedInteger,
} from './der.ts';
import { refuse } from './evidence-error.ts';

export type Certificate = {
  readonly der: Uint8Array;
  /** What is signed. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** AlgorithmIdentifier, in hex. */
  readonly signatureAlgorithm: string;
  /** Names as they are encoded. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Unix ms. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly isAuthority: boolean;
  /** Authorities that may follow below this one; null: any number. */
  readonly pathLength: number | null;
  readonly maySignCertificates: boolean;
  /** Content of each extension by its object identifier, in hex of its DER content. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
};

const basicConstraints = '551d13';
const keyUsage = '551d0f';
const understood = new Set([basicConstraints, keyUsage]);

const [versionTag, extensionsTag] = [0xa0, 0xa3];

export function parseCertificate(der: Uint8Array): Certificate {
  const [tbs, algorithm, signature, ...rest] = readElements(readOne(der, tags.sequence).content);
  if (rest.length > 0) malformed('more than a body, an algorithm and a signature');
  const fields = readElements(expectTag(tbs, tags.sequence).content);
  const [version, serial, inner, issuer, validity, subject, publicKey, ...optional] = fields;
  if (smallInteger(readOne(expectTag(version, versionTag).content, tags.integer)) !== 2)
    malformed('another version than 3');
  unsignedInteger(serial);
  const signatureAlgorithm = hex(expectTag(algorithm, tags.sequence).bytes);
  if (signatureAlgorithm !== hex(expectTag(inner, tags.sequence).bytes)) malformed('two signature algorithms');
  const [notBefore, notAfter] = readElements(expectTag(validity, tags.sequence).content);
  const extensions = readExtensions(optional);
  return {
    der,
    signed: (tbs as Der).bytes,
    signature: bitString(signature),
    signatureAlgorithm,
    issuer: expectTag(issuer, tags.sequence).bytes,
    subject: expectTag(subject, tags.sequence).bytes,
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    publicKey: expectTag(publicKey, tags.sequence).bytes,
    ...readConstraints(extensions.get(basicConstraints)),
    maySignCertificates: readCertificateSigning(extensions.get(keyUsage)),
    extensions,
  };
}

/** Unique identifiers, which nobody uses, are refused with everything else that is not the extensions. */
function readExtensions(optional: readonly Der[]): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const [wrapped, ...rest] = optional;
  if (!wrapped) return found;
  if (rest.length > 0) malformed('fields after the extensions');
  const list = readOne(expectTag(wrapped, extensionsTag).content, tags.sequence);
  for (const extension of readElements(list.content)) {
    const parts = readElements(expectTag(extension, tags.sequence).content);
    const id = hex(expectTag(parts[0], tags.oid).content);
    const isCritical = parts.length === 3 && boolean(parts[1]);
    if (parts.length > 3 || found.has(id)) malformed('an extension twice or of another form');
    if (isCritical && !understood.has(id)) refuse('UNSUPPORTED', `certificate: the critical extension ${id}`);
    found.set(id, expectTag(parts.at(-1), tags.octetString).content);
  }
  return found;
}

function readConstraints(value: Uint8Array | undefined): Pick<Certificate, 'isAuthority' | 'pathLength'> {
  if (!value) return { isAuthority: false, pathLength: null };
  const parts = readElements(readOne(value, tags.sequence).content);
  const isAuthority = parts[0]?.tag === tags.boolean && boolean(parts.shift());
  const [pathLength, ...rest] = parts;
  if (rest.length > 0) malformed('constraints of another form');
  return { isAuthority, pathLength: pathLength ? smallInteger(pathLength) : null };
}

/** RFC 5280 §4.2.1.3: bit 5 of the first byte, counted from the left. */
const readCertificateSigning = (value: Uint8Array | undefined): boolean =>
  value !== undefined && ((readOne(value, tags.bitString).content[1] ?? 0) & 0x04) !== 0;

/** RFC 5280 §4.1.2.5: years of two digits lie between 1950 and 2049. */
function readTime(element: Der | undefined): number {
  const text = textOf(element?.content ?? new Uint8Array());
  const short = element?.tag === tags.utcTime;
  if (!short) expectTag(element, tags.generalizedTime);
  const full = short ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? malformed('a time of another form');
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) || malformed('a date that there is not');
}

const malformed = (found: string): never => refuse('MALFORMED', `certificate: found ${found}`);
