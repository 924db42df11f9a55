import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBer } from '../../../../src/enclave/nitro/ber.ts';
import { EnvelopeError, openEnvelope } from '../../../../src/enclave/nitro/envelope.ts';
import { envelop } from '../../../support/nitro.ts';

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../vectors/nitro-kms/envelopes.json'), 'utf8'),
) as { privateKey: string; content: string; der: string; ber: string };
const privateKey = createPrivateKey(vectors.privateKey);
const content = Buffer.from(vectors.content, 'hex');

describe.each(['der', 'ber'] as const)('what OpenSSL wrote in %s', (form) => {
  const envelope = Buffer.from(vectors[form], 'base64');

  test('opens', () => expect(openEnvelope(envelope, privateKey)).toEqual(content));

  test('does not open with another key', () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    expect(() => openEnvelope(envelope, other)).toThrow('not for this enclave, or was altered');
  });

  test('cut short anywhere, or with something behind it, is refused', () => {
    for (let size = 0; size < envelope.length; size++) {
      expect(() => openEnvelope(envelope.subarray(0, size), privateKey)).toThrow(EnvelopeError);
    }
    expect(() => openEnvelope(Buffer.concat([envelope, Buffer.of(0)]), privateKey)).toThrow('after the end');
  });

  test('altered anywhere never breaks the reader', () => {
    for (let at = 0; at < envelope.length; at += 5) {
      const altered = Buffer.from(envelope);
      altered[at] = (altered[at] as number) ^ 0x01;
      try {
        openEnvelope(altered, privateKey);
      } catch (error) {
        expect(error).toBeInstanceOf(EnvelopeError);
      }
    }
  });
});

test('what is written with indefinite lengths and in pieces opens', () => {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  for (const size of [0, 1, 15, 16, 32, 1000]) {
    const some = randomBytes(size);
    expect(openEnvelope(envelop(some, spki), privateKey)).toEqual(some);
  }
});

test('no bytes break the reader', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeBer(bytes);
      } catch (error) {
        expect((error as Error).name).toBe('BerError');
      }
    }),
  );
  expect(() => decodeBer(Buffer.alloc(10_000, Buffer.of(0x30, 0x80)))).toThrow('nested deeper than 16');
  expect(() => decodeBer(Buffer.from('3084ffffffff00', 'hex'))).toThrow('more than three bytes');
  expect(() => decodeBer(Buffer.from('1f8101', 'hex'))).toThrow('more than one byte');
  expect(() => decodeBer(Buffer.from('0480', 'hex'))).toThrow('indefinite where it may not be');
});
