/** What the verifiers make of the vectors, and of what is like them. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodeCbor } from '../../../sdk/src/attestation/cbor.ts';
import { verifyNitro } from '../../../sdk/src/attestation/nitro.ts';
import { verifySevSnp } from '../../../sdk/src/attestation/sev-snp.ts';
import { verifyTdx } from '../../../sdk/src/attestation/tdx.ts';
import { verifyTpm2 } from '../../../sdk/src/attestation/tpm2.ts';
import { outcomeOf } from './alter.ts';
import { makeCertificate } from './make-certificate.ts';
import { nitro, nitroDebug, nitroDebug2, sevSnp, tdx, tdxSpr, tpm2 } from './vectors.ts';

const hour = 3_600_000;
const minute = 60_000;

describe('Nitro', () => {
  test('a document says its registers, its time and what was checked', async () => {
    const proven = await verifyNitro(nitro.document, { at: nitro.at });
    expect(proven).toMatchObject({ platform: 'nitro', time: nitro.at, debug: false, reportData: new Uint8Array() });
    expect(Object.keys(proven.measurements)).toHaveLength(16);
    expect(proven.measurements.pcr0).toMatch(/^f4d48b81a460c9916d1e685119074b/);
    expect(proven.details.moduleId).toBe('i-020b6af9246d90e92-enc0183d09086c24190');
    expect(proven.details.nonce).toHaveLength(512);
    expect(proven.checks.map(({ what }) => what)).toHaveLength(4);
  });

  test('with the tag of COSE_Sign1 it is the same document', async () => {
    const tagged = Uint8Array.of(0xd2, ...nitro.document);
    expect(await verifyNitro(tagged, { at: nitro.at })).toEqual(await verifyNitro(nitro.document, { at: nitro.at }));
  });

  test('debug mode is refused, and where it is allowed it is said', async () => {
    for (const { document, at } of [nitroDebug, nitroDebug2]) {
      expect(await outcomeOf(() => verifyNitro(document, { at }))).toBe('DEBUG_MODE');
      expect((await verifyNitro(document, { at, allowDebug: true })).debug).toBe(true);
    }
    const { reportData, details } = await verifyNitro(nitroDebug.document, { at: nitroDebug.at, allowDebug: true });
    expect([reportData.length, details.publicKey?.length]).toEqual([13, 38]);
  });

  test.each([
    ['an hour later', nitro.at + hour, 'STALE'],
    ['six minutes before', nitro.at - 6 * minute, 'CERTIFICATE_NOT_YET_VALID'],
    ['four hours later', nitro.at + 4 * hour, 'CERTIFICATE_EXPIRED'],
    ['now', undefined, 'CERTIFICATE_EXPIRED'],
  ])('asked for %s it is refused', async (_, at, code) => {
    expect(await outcomeOf(() => verifyNitro(nitro.document, at === undefined ? {} : { at }))).toBe(code);
  });

  test('a document of a root of one’s own is refused', async () => {
    const root = makeCertificate({ subject: 'aws.nitro-enclaves', isAuthority: true });
    const leaf = makeCertificate({ subject: 'i-0-enc0', issuer: root });
    const text = (value: string) => [0x60 | value.length, ...Buffer.from(value)];
    const bytes = (value: Uint8Array) => [0x59, value.length >> 8, value.length & 0xff, ...value];
    const at = Date.parse('2024-06-01T00:00:00Z');
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(at));
    const payload = Uint8Array.from([
      ...[0xa6, ...text('module_id'), ...text('i'), ...text('digest'), ...text('SHA384')],
      ...[...text('timestamp'), 0x1b, ...time, ...text('pcrs'), 0xa1, 0, 0x58, 48, ...Buffer.alloc(48, 1)],
      ...[...text('certificate'), ...bytes(leaf.der), ...text('cabundle'), 0x81, ...bytes(root.der)],
    ]);
    const signed = Buffer.concat([
      Buffer.from('846a5369676e61747572653144a101382240', 'hex'),
      Buffer.from(bytes(payload)),
    ]);
    const signature = sign('sha384', signed, { key: leaf.privateKey, dsaEncoding: 'ieee-p1363' });
    const document = Uint8Array.from([
      0x84,
      0x44,
      0xa1,
      0x01,
      0x38,
      0x22,
      0xa0,
      ...bytes(payload),
      0x58,
      96,
      ...signature,
    ]);
    expect(await outcomeOf(() => verifyNitro(document, { at }))).toBe('UNKNOWN_ROOT');
    document[document.length - 1] = (document.at(-1) as number) ^ 1;
    expect(await outcomeOf(() => verifyNitro(document, { at }))).toBe('BAD_SIGNATURE');
  });

  test.each([
    ['nothing', '', 'MALFORMED'],
    ['something behind it', `${Buffer.from(nitro.document).toString('hex')}00`, 'MALFORMED'],
    ['no array', 'a0', 'MALFORMED'],
    ['too deep', '81'.repeat(100), 'MALFORMED'],
    ['a huge length', '9bffffffffffffffff', 'MALFORMED'],
    ['an indefinite length', '9fff', 'MALFORMED'],
    ['another algorithm', '8443a10126a0410058600000', 'MALFORMED'],
  ])('%s is refused', async (_, hex, code) => {
    expect(await outcomeOf(() => verifyNitro(new Uint8Array(Buffer.from(hex, 'hex')), { at: nitro.at }))).toBe(code);
  });

  test('an algorithm that is not ES384 is not taken', async () => {
    const document = Uint8Array.from(nitro.document);
    document[5] = 0x26;
    expect(await outcomeOf(() => verifyNitro(document, { at: nitro.at }))).toBe('UNSUPPORTED');
  });

  test.each(['a1010100', 'a201010102', '1800', '190017', 'f97e00', 'c100', 'f7', '61ff', 'a1f600'])(
    'CBOR %s is refused',
    async (hex) => {
      expect(await outcomeOf(async () => decodeCbor(Buffer.from(hex, 'hex')))).toBe('MALFORMED');
    },
  );
});

describe('SEV-SNP', () => {
  const { evidence, at } = sevSnp;
  const outcome = (more: Partial<typeof evidence>, when = at) =>
    outcomeOf(() => verifySevSnp({ ...evidence, ...more }, { at: when, allowDebug: true }));
  const reportWith = (offset: number, value: number) => {
    const report = Uint8Array.from(evidence.report);
    report[offset] = value;
    return { report };
  };

  test('a report says measurement, report data and chip', async () => {
    const proven = await verifySevSnp(evidence, { at, allowDebug: true });
    expect(proven).toMatchObject({ platform: 'sev-snp', debug: true, time: null });
    expect(Buffer.from(proven.reportData).toString('hex')).toBe('0102030405'.padEnd(128, '0'));
    expect(proven.details.chipId).toMatch(/^3ac3fe21e13fb099/);
  });

  test('each refusal has its code', async () => {
    expect(await outcomeOf(() => verifySevSnp(evidence, { at }))).toBe('DEBUG_MODE');
    expect(await outcome({}, Date.parse('2022-01-01'))).toBe('CERTIFICATE_NOT_YET_VALID');
    expect(await outcome({}, Date.parse('2030-01-01'))).toBe('CERTIFICATE_EXPIRED');
    expect(await outcome({ report: evidence.report.subarray(1) })).toBe('MALFORMED');
    expect(await outcome({ report: Uint8Array.of(...evidence.report, 0) })).toBe('MALFORMED');
    expect(await outcome(reportWith(0, 9))).toBe('UNSUPPORTED');
    expect(await outcome(reportWith(0x34, 2))).toBe('UNSUPPORTED');
    // Signed by a VLEK, or with the chip's key masked.
    expect(await outcome(reportWith(0x48, 4))).toBe('UNSUPPORTED');
    expect(await outcome(reportWith(0x48, 2))).toBe('UNSUPPORTED');
    expect(await outcome(reportWith(0x50, 0xff))).toBe('BAD_SIGNATURE');
    expect(await outcome(reportWith(0x49f, 1))).toBe('MALFORMED');
    const [ask = '', ark = ''] = evidence.chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(await outcome({ chain: ask })).toBe('UNKNOWN_ROOT');
    expect(await outcome({ chain: ark })).toBe('BAD_CHAIN');
    expect(await outcome({ chain: ark + ask })).toBe('UNKNOWN_ROOT');
    expect(await outcome({ chain: '' })).toBe('MALFORMED');
  });
});

describe('TDX', () => {
  const quote = tdx.file.subarray(0, tdx.size);
  const outcome = (bytes: Uint8Array, at = tdx.at) => outcomeOf(() => verifyTdx(bytes, { at }));
  const quoteWith = (offset: number, value: number) => {
    const altered = Uint8Array.from(quote);
    altered[offset] = value;
    return altered;
  };

  test('a quote says its registers and report data, with zeros behind it or without', async () => {
    const proven = await verifyTdx(quote, { at: tdx.at });
    expect(proven).toMatchObject({ platform: 'tdx', debug: false, time: null });
    expect(Object.keys(proven.measurements)).toEqual(['mrtd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3']);
    expect(Buffer.from(proven.reportData).toString('hex')).toMatch(/^9a9d48e7f6799642d3d1b34e1e5e1742/);
    expect(await verifyTdx(tdx.file, { at: tdx.at })).toEqual(proven);
  });

  test('a quote with a text behind it is refused; without, it is accepted', async () => {
    expect(await outcome(tdxSpr.file, tdxSpr.at)).toBe('MALFORMED');
    expect(await outcome(tdxSpr.file.subarray(0, tdxSpr.size), tdxSpr.at)).toBe('accepted');
  });

  test('each refusal has its code', async () => {
    expect(await outcome(quote, Date.parse('2060-01-01'))).toBe('CERTIFICATE_EXPIRED');
    expect(await outcome(quote, Date.parse('2018-01-01'))).toBe('CERTIFICATE_NOT_YET_VALID');
    expect(await outcome(quote.subarray(0, -1))).toBe('MALFORMED');
    expect(await outcome(new Uint8Array())).toBe('MALFORMED');
    // Version 5, a quote of SGX, another quoting enclave.
    expect(await outcome(quoteWith(0, 5))).toBe('UNSUPPORTED');
    expect(await outcome(quoteWith(4, 0))).toBe('UNSUPPORTED');
    expect(await outcome(quoteWith(12, 0))).toBe('UNSUPPORTED');
    // The domain's attributes, made debuggable by hand.
    expect(await outcome(quoteWith(168, 1))).toBe('BAD_SIGNATURE');
    expect(await outcome(quoteWith(636, 0))).toBe('BAD_SIGNATURE');
    // Another attestation key; the quoting enclave's report, altered: in what it vouches for, and elsewhere.
    expect(await outcome(quoteWith(700, 0))).toBe('BAD_SIGNATURE');
    expect(await outcome(quoteWith(770 + 320, 0))).toBe('WRONG_KEY');
    expect(await outcome(quoteWith(770 + 128, 0))).toBe('BAD_SIGNATURE');
  });
});

describe('TPM 2.0', () => {
  const { evidence, reportData } = tpm2;
  const outcome = (more: Partial<typeof evidence>) => outcomeOf(() => verifyTpm2({ ...evidence, ...more }));

  test('a quote says its registers, data and key', async () => {
    const proven = await verifyTpm2(evidence);
    expect(proven).toMatchObject({ platform: 'tpm2', reportData, time: null });
    expect(proven.measurements).toEqual({ pcr11: Buffer.from(evidence.pcrs[11]).toString('hex') });
    expect(proven.details.key).toMatch(/^[0-9a-f]{64}$/);
  });

  test('each refusal has its code', async () => {
    const pcr = evidence.pcrs[11];
    for (const pcrs of [{}, { 10: pcr }, { 11: pcr, 12: pcr }, { 11: pcr.subarray(1) }, { 11: new Uint8Array(32) }]) {
      expect(await outcome({ pcrs: pcrs as typeof evidence.pcrs })).toBe('REGISTERS_MISMATCH');
    }
    expect(await outcome({ quoted: Uint8Array.of(...evidence.quoted, 0) })).toBe('BAD_SIGNATURE');
    expect(await outcome({ signature: Uint8Array.of(...evidence.signature, 0) })).toBe('MALFORMED');
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
    expect(await outcome({ publicKey: other })).toBe('BAD_SIGNATURE');
  });

  test('what the key signs and no TPM made is refused, whatever it says', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const sealed = (quoted: Uint8Array) => {
      const raw = sign('sha256', quoted, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const parts = [raw.subarray(0, 32), raw.subarray(32)].flatMap((part) => [0, 32, ...part]);
      const key = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
      return outcome({ quoted, publicKey: key, signature: Uint8Array.of(0, 0x18, 0, 0x0b, ...parts) });
    };
    expect(await sealed(evidence.quoted)).toBe('accepted');
    expect(await sealed(Uint8Array.of(...evidence.quoted, 0))).toBe('MALFORMED');
    expect(await sealed(evidence.quoted.subarray(0, 60))).toBe('MALFORMED');
    const magic = Uint8Array.from(evidence.quoted);
    magic[0] = 0;
    expect(await sealed(magic)).toBe('MALFORMED');
    const certify = Uint8Array.from(evidence.quoted);
    certify[5] = 0x14;
    expect(await sealed(certify)).toBe('UNSUPPORTED');
  });
});
