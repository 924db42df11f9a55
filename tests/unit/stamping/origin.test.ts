import { describe, expect, test } from 'vitest';
import { CountersignError } from '../../../src/protocol/errors.ts';
import { originAllowed, parseOrigins, parseRpIds } from '../../../src/stamping/origin.ts';

const android = `android:apk-key-hash:${'Ab-_'.repeat(10)}xyz`;

describe('originAllowed', () => {
  const allowed = ['https://wallet.example', 'https://wallet.example:8443', android];

  test.each(allowed)('%s', (origin) => expect(originAllowed(origin, allowed)).toBe(true));

  test.each([
    '',
    'null',
    'https://',
    'http://wallet.example',
    'https://wallet.example/',
    'https://wallet.example:443',
    'https://wallet.example:844',
    'https://wallet.example:84433',
    'https://wallet.example.evil',
    'https://evil.example?https://wallet.example',
    'https://wallet.example@evil.example',
    'https://a.wallet.example',
    'https://Wallet.example',
    'http://localhost',
    'http://localhost:3000',
    `${android}x`,
  ])('not `%s`', (origin) => expect(originAllowed(origin, allowed)).toBe(false));

  test('the one pattern: http://localhost with any port and with none', () => {
    const local = ['http://localhost:*'];
    for (const origin of ['http://localhost', 'http://localhost:1', 'http://localhost:65535']) {
      expect(originAllowed(origin, local)).toBe(true);
    }
    for (const origin of [
      'http://localhost:*',
      'http://localhost:',
      'http://localhost:0',
      'http://localhost:123456',
      'http://localhost:3000/',
      'http://localhost:3000.evil.example',
      'http://localhost:3000\n',
      'https://localhost:3000',
      'http://a.localhost:3000',
      'http://localhost.evil.example',
      'http://127.0.0.1:3000',
    ]) {
      expect(originAllowed(origin, local), origin).toBe(false);
    }
  });

  test('no other pattern', () => {
    expect(originAllowed('https://a.example', ['*', 'https://*.example', 'https://a.example:*'])).toBe(false);
  });
});

/** The message of the INVALID_ARGUMENT that `parse` throws. */
function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    expect(error).toBeInstanceOf(CountersignError);
    expect((error as CountersignError).code).toBe('INVALID_ARGUMENT');
    return (error as Error).message;
  }
  return 'nothing';
}

describe('parseOrigins', () => {
  test('a list, each once', () => {
    const text = `https://a.example, http://localhost:3000,http://b.localhost:1 ,http://localhost:*,${android},https://a.example`;
    expect(parseOrigins(text)).toEqual([
      'https://a.example',
      'http://localhost:3000',
      'http://b.localhost:1',
      'http://localhost:*',
      android,
    ]);
  });

  test.each([
    ['', 'empty origin'],
    ['https://a.example,', 'empty origin'],
    ['*', 'not a scheme and host'],
    ['a.example', 'not a scheme and host'],
    ['null', 'not a scheme and host'],
    ['about:blank', 'not a scheme and host'],
    ['javascript:alert(1)', 'not a scheme and host'],
    ['android:apk-key-hash:short', 'not a scheme and host'],
    ['http://a.example', 'must be https'],
    ['http://127.0.0.1:3000', 'must be https'],
    ['http://localhost.evil.example', 'must be https'],
    ['ftp://a.example', 'must be https'],
    ['https://a.example/', 'must be written `https://a.example`'],
    ['https://a.example/path', 'must be written `https://a.example`'],
    ['https://a.example:443', 'must be written `https://a.example`'],
    ['https://A.example', 'must be written `https://a.example`'],
    ['https://user@a.example', 'must be written `https://a.example`'],
    ['https://*.example', 'not a scheme and host'],
    ['https://a.example:*', 'not a scheme and host'],
    ['http://localhost:3000/', 'must be written `http://localhost:3000`'],
  ])('`%s`: %s', (text, message) => expect(refusal(() => parseOrigins(text))).toContain(message));
});

describe('parseRpIds', () => {
  test('a list', () => {
    expect(parseRpIds('localhost, wallet.example,xn--bcher-kva.example')).toEqual([
      'localhost',
      'wallet.example',
      'xn--bcher-kva.example',
    ]);
  });

  test.each([
    '',
    'a,,b',
    'https://a.example',
    'a.example:443',
    'A.example',
    '127.0.0.1',
    '[::1]',
    'a..b',
    '.a',
    'a.',
    '-a.example',
    'a-.example',
    'a b',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(126)}aa`,
    '*.example',
    'bücher.example',
  ])('not `%s`', (text) => expect(refusal(() => parseRpIds(text))).toMatch(/RP id/));
});
