import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../sdk/src/attestation/certificate.ts';
import { verifyChain } from '../../../sdk/src/attestation/chain.ts';
import { readPemCertificates } from '../../../sdk/src/attestation/pem.ts';
import { outcomeOf } from './alter.ts';
import { type CertificateOptions, day, type Issuer, makeCertificate, now } from './make-certificate.ts';

const root = makeCertificate({ subject: 'root', isAuthority: true });
const middle = makeCertificate({ subject: 'middle', issuer: root, isAuthority: true, pathLength: 0 });
const leaf = makeCertificate({ subject: 'leaf', issuer: middle });

const rootDigest = createHash('sha256').update(root.der).digest('hex');
const outcome = (chain: readonly Issuer[], at = now) =>
  outcomeOf(() =>
    verifyChain(
      chain.map(({ der }) => parseCertificate(der)),
      rootDigest,
      at,
    ),
  );
const withLeaf = (options: Partial<CertificateOptions>, issuer = middle) =>
  outcome([makeCertificate({ subject: 'leaf', issuer, ...options }), issuer, ...(issuer === middle ? [root] : [])]);

test('a chain to the pinned root is accepted', async () => {
  expect(await outcome([leaf, middle, root])).toBe('accepted');
  expect(await withLeaf({}, root)).toBe('accepted');
});

describe('refused is', () => {
  test('no chain, one without its root, and one to another root of the same name', async () => {
    expect(await outcome([])).toBe('UNKNOWN_ROOT');
    expect(await outcome([leaf, middle])).toBe('UNKNOWN_ROOT');
    expect(await outcome([leaf, ...new Array<Issuer>(9).fill(middle), root])).toBe('BAD_CHAIN');
    const other = makeCertificate({ subject: 'root', isAuthority: true });
    const issued = makeCertificate({ subject: 'leaf', issuer: other });
    expect(await outcome([issued, other])).toBe('UNKNOWN_ROOT');
    // The pinned root behind it, or in front of it, does not help.
    expect(await outcome([issued, other, root])).toBe('BAD_CHAIN');
    expect(await outcome([root, issued, other])).toBe('UNKNOWN_ROOT');
  });

  test('one out of order, or of another leaf', async () => {
    expect(await outcome([middle, leaf, root])).toBe('BAD_CHAIN');
    expect(await outcome([leaf, root])).toBe('BAD_CHAIN');
    const stranger = makeCertificate({ subject: 'middle', isAuthority: true });
    expect(await outcome([makeCertificate({ subject: 'leaf', issuer: stranger }), middle, root])).toBe('BAD_CHAIN');
    expect(await withLeaf({ issuerName: 'somebody' })).toBe('BAD_CHAIN');
  });

  test('a leaf that plays authority, and an authority that may not be one', async () => {
    const under = makeCertificate({ subject: 'under', issuer: leaf });
    expect(await outcome([under, leaf, middle, root])).toBe('BAD_CHAIN');
    expect(await withLeaf({ isAuthority: true })).toBe('BAD_CHAIN');
    const deeper = makeCertificate({ subject: 'deeper', issuer: middle, isAuthority: true });
    const below = makeCertificate({ subject: 'leaf', issuer: deeper });
    // The path length of `middle` is 0.
    expect(await outcome([below, deeper, middle, root])).toBe('BAD_CHAIN');
  });

  test('one that is not valid at the time, each certificate of it', async () => {
    expect(await withLeaf({ notAfter: now - 1000 })).toBe('CERTIFICATE_EXPIRED');
    expect(await withLeaf({ notBefore: now + 1000 })).toBe('CERTIFICATE_NOT_YET_VALID');
    expect(await outcome([leaf, middle, root], now + 2 * day)).toBe('CERTIFICATE_EXPIRED');
    const old = makeCertificate({ subject: 'old', issuer: root, isAuthority: true, notAfter: now - 1000 });
    expect(await outcome([makeCertificate({ subject: 'leaf', issuer: old }), old, root])).toBe('CERTIFICATE_EXPIRED');
  });

  test('a critical extension that nobody here understands', async () => {
    const nameConstraints = { id: '551d1e', critical: true, value: Buffer.from('3000', 'hex') };
    expect(await withLeaf({ extensions: [nameConstraints] })).toBe('UNSUPPORTED');
    expect(await withLeaf({ extensions: [{ ...nameConstraints, critical: false }] })).toBe('accepted');
    expect(
      await withLeaf({
        extensions: [
          { ...nameConstraints, critical: false },
          { ...nameConstraints, critical: false },
        ],
      }),
    ).toBe('MALFORMED');
  });

  test.each([
    ['nothing', () => Buffer.alloc(0)],
    ['a byte behind it', () => Buffer.concat([leaf.der, Buffer.of(0)])],
    ['a cut end', () => leaf.der.subarray(0, -1)],
    ['an indefinite length', () => Buffer.concat([Buffer.of(0x30, 0x80), leaf.der.subarray(4), Buffer.of(0, 0)])],
    ['a length with leading zeros', () => Buffer.concat([Buffer.of(0x30, 0x83, 0), leaf.der.subarray(2)])],
    ['random bytes', () => Buffer.from('00'.repeat(300), 'hex')],
  ])('a certificate that is %s', async (_, bytes) => {
    expect(await outcomeOf(async () => parseCertificate(bytes()))).toBe('MALFORMED');
  });

  test('PEM of any other form than the strict one', async () => {
    const body = leaf.der.toString('base64').replace(/.{64}(?!$)/g, '$&\n');
    const pem = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
    expect(readPemCertificates(pem + pem)).toHaveLength(2);
    for (const other of [
      '',
      ' ',
      `x${pem}`,
      `${pem}x`,
      pem.replaceAll('\n', '\r\n'),
      pem.slice(0, -1),
      pem.replace('M', ' '),
      `${pem}\n${pem}`,
    ]) {
      expect(await outcomeOf(async () => readPemCertificates(other))).toBe('MALFORMED');
    }
  });
});
