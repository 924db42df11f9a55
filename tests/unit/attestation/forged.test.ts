/**
 * Evidence as somebody makes it who has a key that the manufacturer vouches for: the chain is taken as verified here, and the
 * rest has to stand by itself.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { outcomeOf } from './alter.ts';
import { makeCertificate, now } from './make-certificate.ts';
import { sevSnp, tdx } from './vectors.ts';

vi.mock('../../../sdk/src/attestation/chain.ts', () => ({ verifyChain: async () => {} }));
const { verifyNitro } = await import('../../../sdk/src/attestation/nitro.ts');
const { verifySevSnp } = await import('../../../sdk/src/attestation/sev-snp.ts');
const { verifyTdx } = await import('../../../sdk/src/attestation/tdx.ts');

const at = now;
const signP1363 = (hash: string, message: Uint8Array, key: KeyObject) =>
  sign(hash, message, { key, dsaEncoding: 'ieee-p1363' });
const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const le = (value: number, size: number) =>
  Buffer.from(Array.from({ length: size }, (_, at) => (value >> (8 * at)) & 0xff));
const pem = (der: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}(?!$)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

describe('TDX, with a platform of one’s own', () => {
  const platformExtension = { id: '2a864886f84d010d01', value: Buffer.from('3000', 'hex') };
  const platform = makeCertificate({ subject: 'PCK', curve: 'P-256', extensions: [platformExtension] });
  const qeReportAt = 770;

  type Changes = {
    body?: Record<number, number>;
    report?: Record<number, number>;
    certificate?: typeof platform;
    behindKey?: number;
  };

  /** The real quote with other keys; `body` and `report` (of the quoting enclave) are bytes by offset, changed before signing. */
  function forge({ body = {}, report = {}, certificate = platform, behindKey = 0 }: Changes): Uint8Array {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const point = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-64);
    const signed = Buffer.from(tdx.file.subarray(0, 632));
    for (const [offset, value] of Object.entries(body)) signed[48 + Number(offset)] = value;
    const qe = Buffer.from(tdx.file.subarray(qeReportAt, qeReportAt + 384));
    const authData = Buffer.alloc(32, 1);
    sha256(point, authData).copy(qe, 320);
    qe[383] = behindKey;
    for (const [offset, value] of Object.entries(report)) qe[Number(offset)] = value;
    const chain = Buffer.from(pem(certificate.der));
    const inner = [
      qe,
      signP1363('sha256', qe, certificate.privateKey),
      le(32, 2),
      authData,
      le(5, 2),
      le(chain.length, 4),
      chain,
    ];
    const certified = Buffer.concat(inner);
    const data = Buffer.concat([
      signP1363('sha256', signed, privateKey),
      point,
      le(6, 2),
      le(certified.length, 4),
      certified,
    ]);
    return new Uint8Array(Buffer.concat([signed, le(data.length, 4), data]));
  }
  const outcome = (changes: Changes, allowDebug = false) =>
    outcomeOf(() => verifyTdx(forge(changes), { at, allowDebug }));

  test('what is like the real one passes', async () => {
    expect(await outcome({})).toBe('accepted');
  });

  test('a quoting enclave that is not Intel’s is refused', async () => {
    expect(await outcome({ report: { 128: 0 } })).toBe('WRONG_KEY');
    // Intel's, but another one: not for TDX.
    expect(await outcome({ report: { 256: 1 } })).toBe('WRONG_KEY');
    expect(await outcome({ report: { 257: 1 } })).toBe('WRONG_KEY');
    expect(await outcome({ report: { 16: 1 } })).toBe('WRONG_KEY');
    expect(await outcome({ report: { 48: 0x17 } })).toBe('DEBUG_MODE');
  });

  test('an attestation key that it does not name is refused', async () => {
    expect(await outcome({ report: { 320: 0, 321: 0 } })).toBe('WRONG_KEY');
    expect(await outcome({ behindKey: 1 })).toBe('WRONG_KEY');
  });

  test('a domain that can be debugged is refused, and where it is allowed it is said', async () => {
    for (const bits of [0x01, 0x02, 0x80]) expect(await outcome({ body: { 120: bits } })).toBe('DEBUG_MODE');
    expect((await verifyTdx(forge({ body: { 120: 1 } }), { at, allowDebug: true })).debug).toBe(true);
    // That does not allow a quoting enclave in debug mode.
    expect(await outcome({ report: { 48: 0x17 } }, true)).toBe('DEBUG_MODE');
  });

  test('a TDX module of somebody else is refused', async () => {
    expect(await outcome({ body: { 64: 1 } })).toBe('UNSAFE_POLICY');
    expect(await outcome({ body: { 112: 1 } })).toBe('UNSAFE_POLICY');
  });

  test('a certificate of Intel’s that is not of a platform is refused', async () => {
    expect(await outcome({ certificate: makeCertificate({ subject: 'TCB signing', curve: 'P-256' }) })).toBe(
      'BAD_CHAIN',
    );
  });
});

describe('SEV-SNP, with a chip of one’s own', () => {
  const chipId = Buffer.from(sevSnp.evidence.report.subarray(0x1a0, 0x1e0));
  const tcb = sevSnp.evidence.report.subarray(0x180, 0x188);
  const part = (id: string, value: number) => ({ id: `2b060104019c7801${id}`, value: Buffer.of(2, 1, value) });
  const parts = (levels: Uint8Array) => [
    part('0301', levels[0] as number),
    part('0302', levels[1] as number),
    part('0303', levels[6] as number),
    part('0308', levels[7] as number),
  ];
  const ofChip = { id: '2b060104019c780104', value: chipId };
  const vcek = makeCertificate({ subject: 'VCEK', extensions: [...parts(tcb), ofChip] });

  function forge(changes: Record<number, number>, certificate = vcek) {
    const report = Buffer.from(sevSnp.evidence.report);
    // Without the permission to debug that the vector has.
    report[0x0a] = 0x03;
    for (const [offset, value] of Object.entries(changes)) report[Number(offset)] = value;
    const signature = signP1363('sha384', report.subarray(0, 0x2a0), certificate.privateKey);
    report.fill(0, 0x2a0);
    signature.subarray(0, 48).reverse().copy(report, 0x2a0);
    signature
      .subarray(48)
      .reverse()
      .copy(report, 0x2a0 + 72);
    return { report: new Uint8Array(report), vcek: certificate.der, chain: sevSnp.evidence.chain };
  }
  const outcome = (changes: Record<number, number>, certificate = vcek) =>
    outcomeOf(() => verifySevSnp(forge(changes, certificate), { at }));

  test('what is like the real one passes', async () => {
    expect(await outcome({})).toBe('accepted');
    expect((await verifySevSnp(forge({}), { at })).debug).toBe(false);
  });

  test('a guest that the host may look into, take away, or that is not asked itself, is refused', async () => {
    expect(await outcome({ 10: 0x0b })).toBe('DEBUG_MODE');
    expect(await outcome({ 10: 0x07 })).toBe('UNSAFE_POLICY');
    expect(await outcome({ 10: 0x01 })).toBe('MALFORMED');
    const host = { 48: 0xff, 49: 0xff, 50: 0xff, 51: 0xff };
    expect(await outcome(host)).toBe('UNSAFE_POLICY');
    expect(await outcome({ 48: 3 })).toBe('accepted');
  });

  test('a key of another chip, of other firmware, or of neither, is refused', async () => {
    expect(await outcome({ 416: 0 })).toBe('WRONG_KEY');
    for (const byte of [0, 1, 6, 7]) expect(await outcome({ [0x180 + byte]: 0xee })).toBe('WRONG_KEY');
    const without = (...extensions: Parameters<typeof makeCertificate>[0]['extensions'] & object) =>
      outcome({}, makeCertificate({ subject: 'VCEK', extensions }));
    expect(await without(...parts(tcb))).toBe('WRONG_KEY');
    expect(await without(ofChip)).toBe('WRONG_KEY');
  });
});

describe('Nitro, with an enclave of one’s own', () => {
  const leaf = makeCertificate({ subject: 'enclave' });
  const head = (major: number, value: number) =>
    value < 24
      ? Buffer.of((major << 5) | value)
      : value < 0x100
        ? Buffer.of((major << 5) | 24, value)
        : Buffer.of((major << 5) | 25, value >> 8, value & 0xff);
  const text = (value: string) => Buffer.concat([head(3, value.length), Buffer.from(value)]);
  const bytes = (value: Uint8Array) => Buffer.concat([head(2, value.length), value]);
  const map = (entries: readonly (readonly [Buffer, Buffer])[]) =>
    Buffer.concat([head(5, entries.length), ...entries.flat()]);
  const time = Buffer.alloc(9, 0x1b);
  time.writeBigUInt64BE(BigInt(at), 1);
  const isNull = Buffer.of(0xf6);
  const pcr = (index: number, value: Uint8Array) => [head(0, index), bytes(value)] as const;

  const members: Readonly<Record<string, Buffer>> = {
    module_id: text('i-0'),
    digest: text('SHA384'),
    timestamp: time,
    pcrs: map([pcr(0, Buffer.alloc(48, 1)), pcr(1, Buffer.alloc(48))]),
    certificate: bytes(leaf.der),
    cabundle: Buffer.concat([head(4, 1), bytes(leaf.der)]),
    public_key: isNull,
    user_data: bytes(Buffer.alloc(64, 5)),
    nonce: isNull,
  };

  function forge(changes: Readonly<Record<string, Buffer | undefined>>): Uint8Array {
    const entries = Object.entries({ ...members, ...changes }).filter(([, value]) => value !== undefined);
    const payload = map(entries.map(([name, value]) => [text(name), value as Buffer]));
    const header = Buffer.from('44a1013822', 'hex');
    const signed = Buffer.concat([Buffer.of(0x84), text('Signature1'), header, Buffer.of(0x40), bytes(payload)]);
    const signature = bytes(signP1363('sha384', signed, leaf.privateKey));
    return new Uint8Array(Buffer.concat([Buffer.of(0x84), header, Buffer.of(0xa0), bytes(payload), signature]));
  }
  const outcome = (changes: Readonly<Record<string, Buffer | undefined>>) =>
    outcomeOf(() => verifyNitro(forge(changes), { at }));

  test('what is like a real one passes, with its user data', async () => {
    const proven = await verifyNitro(forge({}), { at });
    expect(proven).toMatchObject({ debug: false, reportData: new Uint8Array(64).fill(5) });
    expect(Object.keys(proven.measurements)).toEqual(['pcr0', 'pcr1']);
    expect(await outcome({ nonce: undefined, public_key: undefined, user_data: undefined })).toBe('accepted');
  });

  test.each<[string, Readonly<Record<string, Buffer | undefined>>, string]>([
    ['zero PCR0', { pcrs: map([pcr(0, Buffer.alloc(48))]) }, 'DEBUG_MODE'],
    ['no PCR0', { pcrs: map([pcr(1, Buffer.alloc(48, 1))]) }, 'MALFORMED'],
    ['no PCRs', { pcrs: map([]) }, 'MALFORMED'],
    ['a short PCR', { pcrs: map([pcr(0, Buffer.alloc(32, 1))]) }, 'MALFORMED'],
    ['PCR 32', { pcrs: map([pcr(0, Buffer.alloc(48, 1)), pcr(32, Buffer.alloc(48, 1))]) }, 'MALFORMED'],
    ['PCR0 twice', { pcrs: map([pcr(0, Buffer.alloc(48, 1)), pcr(0, Buffer.alloc(48, 2))]) }, 'MALFORMED'],
    ['registers of a NitroTPM', { pcrs: undefined, nitrotpm_pcrs: members.pcrs }, 'MALFORMED'],
    ['another digest', { digest: text('SHA256') }, 'UNSUPPORTED'],
    ['no certificate', { certificate: undefined }, 'MALFORMED'],
    ['no authorities', { cabundle: head(4, 0) }, 'MALFORMED'],
    ['a time without end', { timestamp: Buffer.from('1b0020000000000000', 'hex') }, 'MALFORMED'],
    ['no module', { module_id: text('') }, 'MALFORMED'],
    ['too much user data', { user_data: bytes(Buffer.alloc(513)) }, 'MALFORMED'],
    ['user data as text', { user_data: text('x') }, 'MALFORMED'],
    ['an unknown member', { more: isNull }, 'MALFORMED'],
  ])('%s is refused', async (_, changes, code) => {
    expect(await outcome(changes)).toBe(code);
  });
});
