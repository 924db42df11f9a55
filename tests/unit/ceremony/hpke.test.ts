import { createECDH, randomBytes } from 'node:crypto';
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSealed, sealTo } from '../../../src/protocol/ceremony/hpke.ts';
import { recipient } from '../../support/holders.ts';

/** The reference: another implementation of RFC 9180. */
const suite = new CipherSuite({
  kem: new DhkemP256HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});
const plain = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
const short = fc.uint8Array({ maxLength: 100 });

test('what is sealed here opens with the reference implementation', async () => {
  const key = createECDH('prime256v1');
  key.generateKeys();
  const recipientKey = await suite.kem.importKey('raw', plain(key.getPrivateKey()), false);
  await fc.assert(
    fc.asyncProperty(short, short, short, async (info, aad, text) => {
      const sealed = sealTo(key.getPublicKey(), { info, aad }, text);
      const context = { recipientKey, enc: plain(sealed.subarray(0, 65)), info: plain(info) };
      const opened = await suite.open(context, plain(sealed.subarray(65)), plain(aad));
      expect(Buffer.from(opened).equals(text)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('what the reference implementation seals opens here', async () => {
  const own = recipient();
  const recipientPublicKey = await suite.kem.importKey('raw', plain(own.publicKey), true);
  await fc.assert(
    fc.asyncProperty(short, short, short, async (info, aad, text) => {
      const { ct, enc } = await suite.seal({ recipientPublicKey, info: plain(info) }, plain(text), plain(aad));
      const sealed = Buffer.concat([Buffer.from(enc), Buffer.from(ct)]);
      expect(openSealed(own, { info, aad }, sealed).equals(text)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('every altered byte, another info, other data and another recipient are refused', () => {
  const own = recipient();
  const envelope = { info: Buffer.from('info'), aad: Buffer.from('data') };
  const sealed = sealTo(own.publicKey, envelope, randomBytes(33));
  for (let at = 0; at < sealed.length; at++) {
    const altered = Buffer.from(sealed);
    altered[at] = (altered[at] as number) ^ 1;
    expect(() => openSealed(own, envelope, altered)).toThrow();
  }
  expect(() => openSealed(own, { ...envelope, info: Buffer.from('other') }, sealed)).toThrow();
  expect(() => openSealed(own, { ...envelope, aad: Buffer.from('other') }, sealed)).toThrow();
  expect(() => openSealed(recipient(), envelope, sealed)).toThrow();
  for (let length = 0; length < sealed.length; length += 7) {
    expect(() => openSealed(own, envelope, sealed.subarray(0, length))).toThrow();
  }
});
