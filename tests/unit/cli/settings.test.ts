import { describe, expect, test } from 'vitest';
import { apiBaseUrlOf, readSettings, settingRows, settingsHelp } from '../../../src/cli/settings.ts';

describe('readSettings', () => {
  test('fills in the defaults', () => {
    expect(readSettings({})).toEqual({
      port: 8787,
      host: '127.0.0.1',
      dataDir: `${process.cwd()}/data`,
      databaseUrl: null,
      sealing: 'local-file',
      anchor: 'file',
      witnessPolicy: null,
      enclave: 'process',
      tpm: '/dev/tpmrm0',
      tpmPcrs: [11],
      dstackSocket: '/var/run/dstack.sock',
      nsmSocket: null,
      kmsSocket: null,
      kmsKey: null,
      mode: 'all',
      origins: ['http://localhost:*'],
      rpIds: ['localhost'],
      requireUserVerification: false,
      publicUrl: null,
      trustedProxies: null,
      rateLimit: null,
      enclaveSocket: null,
      logLevel: 'info',
    });
  });

  test('reads every setting; an empty variable is an unset one', () => {
    const settings = readSettings({
      PORT: ' 80 ',
      HOST: '::',
      COUNTERSIGN_DATA_DIR: '/var/lib/countersign/',
      DATABASE_URL: 'postgres://a:b@db/c',
      COUNTERSIGN_SEALING: '',
      COUNTERSIGN_ORIGINS: 'https://app.example.com, http://localhost:3000',
      COUNTERSIGN_RP_IDS: 'example.com,localhost',
      COUNTERSIGN_PUBLIC_URL: 'https://sign.example.com/',
      COUNTERSIGN_TRUSTED_PROXIES: '10.0.0.0/8,::1',
      COUNTERSIGN_RATE_LIMIT: '50',
      COUNTERSIGN_LOG_LEVEL: 'warn',
    });
    expect(settings).toMatchObject({
      port: 80,
      host: '::',
      dataDir: '/var/lib/countersign',
      databaseUrl: 'postgres://a:b@db/c',
      sealing: 'local-file',
      origins: ['https://app.example.com', 'http://localhost:3000'],
      rpIds: ['example.com', 'localhost'],
      publicUrl: 'https://sign.example.com',
      trustedProxies: ['10.0.0.0/8', '::1'],
      rateLimit: 50,
      logLevel: 'warn',
    });
  });

  test.each([
    ['PORT', '0'],
    ['PORT', '65536'],
    ['PORT', '8787x'],
    ['PORT', '1e3'],
    ['HOST', 'a b'],
    ['COUNTERSIGN_MODE', 'both'],
    ['COUNTERSIGN_SEALING', 'sgx'],
    ['COUNTERSIGN_TPM', 'tpmrm0'],
    ['COUNTERSIGN_TPM_PCRS', '0,7'],
    ['COUNTERSIGN_TPM_PCRS', '11,7'],
    ['COUNTERSIGN_TPM_PCRS', '11,24'],
    ['COUNTERSIGN_TPM_PCRS', '0,1,2,3,4,5,6,7,11'],
    ['COUNTERSIGN_DSTACK_SOCKET', 'dstack.sock'],
    ['COUNTERSIGN_KMS_KEY', 'alias/countersign'],
    ['COUNTERSIGN_ORIGINS', 'app.example.com'],
    ['COUNTERSIGN_ORIGINS', 'https://app.example.com/'],
    ['COUNTERSIGN_ORIGINS', 'https://app.example.com,'],
    ['COUNTERSIGN_ORIGINS', 'https://*.example.com:1:*'],
    ['COUNTERSIGN_RP_IDS', 'https://example.com'],
    ['COUNTERSIGN_RP_IDS', 'Example.com'],
    ['COUNTERSIGN_REQUIRE_USER_VERIFICATION', 'yes'],
    ['COUNTERSIGN_PUBLIC_URL', 'https://example.com/path'],
    ['COUNTERSIGN_PUBLIC_URL', 'ftp://example.com'],
    ['COUNTERSIGN_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['COUNTERSIGN_TRUSTED_PROXIES', 'proxy'],
    ['COUNTERSIGN_RATE_LIMIT', '0'],
    ['COUNTERSIGN_ENCLAVE_SOCKET', 'enclave.sock'],
    ['COUNTERSIGN_LOG_LEVEL', 'loud'],
  ])('%s=%s is refused with what was expected and what was given', (name, value) => {
    expect(() => readSettings({ [name]: value })).toThrow(new RegExp(`^${name}: expected .*, got "`));
  });

  test('names every wrong setting at once', () => {
    expect(() => readSettings({ PORT: 'x', HOST: '/' })).toThrow(/^PORT: .*\nHOST: /);
  });

  test('does not repeat a database URL, which holds a password', () => {
    expect(() => readSettings({ DATABASE_URL: 'mysql://root:hunter2@db/x' })).toThrow(
      /^DATABASE_URL: expected(?!.*hunter2)/,
    );
  });

  test('nitro-kms needs a bridge, a proxy and a key', () => {
    expect(() => readSettings({ COUNTERSIGN_SEALING: 'nitro-kms' })).toThrow(
      /^COUNTERSIGN_NSM_SOCKET: .*\nCOUNTERSIGN_KMS_SOCKET: .*\nCOUNTERSIGN_KMS_KEY: .*, got nothing$/,
    );
  });

  test('modes that run apart need a socket, and api a database', () => {
    expect(() => readSettings({ COUNTERSIGN_MODE: 'enclave' })).toThrow(/^COUNTERSIGN_ENCLAVE_SOCKET: expected/);
    const socket = { COUNTERSIGN_ENCLAVE_SOCKET: '/run/countersign/enclave.sock' };
    expect(() => readSettings({ COUNTERSIGN_MODE: 'api', ...socket })).toThrow(/^DATABASE_URL: expected/);
    expect(readSettings({ COUNTERSIGN_MODE: 'enclave', ...socket }).enclaveSocket).toBe(
      '/run/countersign/enclave.sock',
    );
    expect(() => readSettings(socket)).toThrow(/COUNTERSIGN_MODE/);
  });
});

test('the help lists each setting once, with its default', () => {
  const help = settingsHelp();
  for (const { name } of settingRows) expect(help.match(new RegExp(`^ {2}${name} `, 'gm'))).toHaveLength(1);
  expect(help).toMatch(/^ {2}PORT .*\(8787\)$/m);
});

test('the base URL is the public one or localhost', () => {
  expect(apiBaseUrlOf(readSettings({ PORT: '9000', HOST: '0.0.0.0' }))).toBe('http://localhost:9000');
  expect(apiBaseUrlOf(readSettings({ COUNTERSIGN_PUBLIC_URL: 'https://a.example' }))).toBe('https://a.example');
});
