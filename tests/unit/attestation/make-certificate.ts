/** Certificates as an attacker makes them: whatever one likes, properly signed. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const tlv = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
};
const sequence = (...parts: Uint8Array[]) => tlv(0x30, ...parts);
const hex = (text: string) => Buffer.from(text, 'hex');

const ecdsaSha384 = hex('300a06082a8648ce3d040303');
const time = (ms: number) => tlv(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
const name = (common: string) => sequence(tlv(0x31, sequence(hex('0603550403'), tlv(0x0c, Buffer.from(common)))));

type Extension = { readonly id: string; readonly critical?: boolean; readonly value: Uint8Array };

const authority = (pathLength?: number): Extension[] => [
  {
    id: '551d13',
    critical: true,
    value: sequence(hex('0101ff'), ...(pathLength === undefined ? [] : [Buffer.of(2, 1, pathLength)])),
  },
  { id: '551d0f', critical: true, value: hex('03020186') },
];

export type Issuer = { readonly der: Buffer; readonly name: string; readonly privateKey: KeyObject };

export type CertificateOptions = {
  readonly subject: string;
  /** Itself where absent. */
  readonly issuer?: Issuer;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly curve?: 'P-256' | 'P-384';
  readonly extensions?: readonly Extension[];
  /** The name that the certificate says its issuer has. */
  readonly issuerName?: string;
};

export const day = 86_400_000;
export const now = Date.parse('2024-06-01T00:00:00Z');

export function makeCertificate(options: CertificateOptions): Issuer {
  const { subject, issuer, isAuthority, pathLength, notBefore = now - day, notAfter = now + day } = options;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: options.curve ?? 'P-384' });
  const extensions = [...(isAuthority ? authority(pathLength) : []), ...(options.extensions ?? [])];
  const encoded = extensions.map(({ id, critical, value }) =>
    sequence(tlv(6, hex(id)), ...(critical ? [hex('0101ff')] : []), tlv(4, value)),
  );
  const signed = sequence(
    hex('a003020102'),
    hex('020101'),
    ecdsaSha384,
    name(options.issuerName ?? issuer?.name ?? subject),
    sequence(time(notBefore), time(notAfter)),
    name(subject),
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
    ...(encoded.length > 0 ? [tlv(0xa3, sequence(...encoded))] : []),
  );
  const signature = sign('sha384', signed, issuer?.privateKey ?? privateKey);
  return { der: sequence(signed, ecdsaSha384, tlv(3, Buffer.of(0), signature)), name: subject, privateKey };
}
