/** The package as it is published: packed, installed in a project of its own, bundled. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../sdk/src/client.ts';
import { freePort } from '../../../src/cli/port.ts';
import { generateApiKey } from '../../../src/stamping/make-api-key-stamp.ts';
import { startEnclave } from '../../support/enclave-in-memory.ts';
import { serveEnclave } from '../../support/enclave-over-http.ts';
import { newPasskey, signing } from '../../support/resident.ts';
import { createSdkProject, type SdkProject } from '../../support/sdk-project.ts';
import { type Caller, query, resultOf, submit, type Wire } from '../../support/wire.ts';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

let project: SdkProject;
beforeAll(() => {
  project = createSdkProject();
}, 180_000);
afterAll(() => project?.remove());

/** Bytes of what an application that runs `contents` ships, minified and gzipped. */
async function shipped(contents: string, external: string[] = []): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: project.folder },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external,
    logLevel: 'silent',
  });
  return gzipSync(outputFiles[0]?.contents ?? '').length;
}

describe('sizes', () => {
  const parts = (names: string) => `import { ${names} } from '@countersign/sdk'; console.log(${names});`;

  test.each([
    ['the passkey stamper alone', 'passkeyStamper', 6_000],
    ['the session stamper alone', 'sessionStamper', 6_000],
    ['a client with passkeys', 'createClient, passkeyStamper, createPasskey', 20_000],
    ['a backend', 'createClient, apiKeyStamper, forward, checkLogin', 20_000],
  ])('%s', async (_, names, limit) => {
    const size = await shipped(parts(names));
    expect(size).toBeGreaterThan(500);
    expect(size).toBeLessThanOrEqual(limit);
  });

  test('all of it, and the accounts for viem without viem', async () => {
    const all = `export * from '@countersign/sdk'; export * from '@countersign/sdk/viem';`;
    expect(await shipped(all, ['viem', 'viem/*'])).toBeLessThanOrEqual(20_000);
  });

  test('the verifiers of evidence', async () => {
    const policy = `import { checkEvidence } from '@countersign/sdk/attestation'; console.log(checkEvidence);`;
    expect(await shipped(policy)).toBeLessThanOrEqual(20_000);
  });

  test('what verifies receipts', async () => {
    const size = await shipped(`export * from '@countersign/sdk/verify';`);
    expect(size).toBeGreaterThan(5_000);
    expect(size).toBeLessThanOrEqual(15_000);
  });

  test('what an application does not use it does not ship', async () => {
    expect(
      await shipped(`import '@countersign/sdk'; import '@countersign/sdk/verify'; import '@countersign/sdk/viem';`),
    ).toBeLessThan(100);
    expect(await shipped(parts('CountersignClientError'))).toBeLessThan(600);
  });
});

describe('in a project', () => {
  test('nothing but what it is for is in the tarball', () => {
    const files = readdirSync(join(project.folder, 'node_modules/@countersign/sdk'));
    expect(files.sort()).toEqual(['README.md', 'dist', 'package.json']);
  });

  test('without viem the client works, and each entry imports what its exports map says', () => {
    const run = (source: string) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', source], { cwd: project.folder, encoding: 'utf8' });
    const names = (entry: string) => run(`console.log(Object.keys(await import('${entry}')).join())`).trim().split(',');
    expect(names('@countersign/sdk')).toContain('createClient');
    expect(names('@countersign/sdk/viem').sort()).toEqual([
      'completeIntent',
      'prepareIntent',
      'smartAccountPin',
      'toAccount',
      'toProvider',
      'toSimple7702SmartAccount',
      'toSmartAccount',
      'toWebAuthnAccount',
    ]);
    expect(names('@countersign/sdk/attestation')).toContain('checkEvidence');
    expect(names('@countersign/sdk/verify').sort()).toEqual(['answerVerifier', 'verifyRead', 'verifyReceipt']);
    const source = readFileSync(join(project.folder, 'node_modules/@countersign/sdk/dist/index.js'), 'utf8');
    expect(source).not.toMatch(/from\s*"(?!\.)/);
    expect(
      run(`console.log(typeof (await import('@countersign/sdk/package.json', { with: { type: 'json' } })).default)`),
    ).toBe('object\n');
  });

  test('the examples of the README have right types, and wrong use has not', () => {
    expect([...project.examples.keys()]).toEqual(
      expect.arrayContaining(['page.ts', 'backend.ts', 'session.ts', 'wallet.ts', 'smart-account.ts', 'leave.ts']),
    );
    const wrong = `import { type Client, forward, type Stamped } from '@countersign/sdk';
      declare const client: Client;
      declare const stamped: Stamped;
      // @ts-expect-error: a number is no name
      client.createWallet({ walletName: 1 });
      // @ts-expect-error: no such method
      client.createNothing({});
      // @ts-expect-error: no such method
      forward(stamped, { baseUrl: '', method: 'createNothing' });
      const { walletId } = await forward(stamped, { baseUrl: '', method: 'createWallet' });
      // @ts-expect-error: a string is no number
      const number: number = walletId;
      console.log(number);
      export {};`;
    writeFileSync(join(project.folder, 'wrong.ts'), wrong);
    const compilerOptions = {
      target: 'ES2024',
      lib: ['ES2024', 'DOM', 'DOM.Iterable'],
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
    };
    const include = [...project.examples.keys(), 'wrong.ts'];
    writeFileSync(join(project.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }));
    const typescript = dirname(fileURLToPath(import.meta.resolve('typescript/package.json')));
    const { stdout, status } = spawnSync(process.execPath, [join(typescript, 'bin', 'tsc'), '-p', project.folder], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  }, 120_000);
});

test('the backend of the examples signs up, passes on what was stamped, and nothing else', async () => {
  const enclave = await startEnclave();
  const service = await serveEnclave(enclave.wire);
  const { wire, parent } = enclave;
  const company = await createApiKey(wire, parent);
  const rootFile = { apiBaseUrl: service.baseUrl, organizationId: parent.organizationId, ...company };
  writeFileSync(join(project.folder, 'root.json'), JSON.stringify(rootFile));
  copyFileSync(join(examples, 'node-backend', 'server.mjs'), join(project.folder, 'server.mjs'));
  const port = await freePort();
  const backend = spawn(process.execPath, ['server.mjs'], {
    cwd: project.folder,
    env: { PATH: process.env.PATH, ROOT_JSON: 'root.json', PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    backend.kill();
    service.close();
    enclave.remove();
  });
  await once(backend.stdout, 'data');
  const post = async (path: string, content: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(content) });
    return [answer.status, await answer.json()] as const;
  };

  const passkey = newPasskey();
  const [signedUp, user] = await post('/sign-up', { userName: 'Ada', registration: passkey.register() });
  expect(signedUp).toBe(200);
  const { address, subOrganizationId: organizationId } = user as { address: string; subOrganizationId: string };
  const page = createClient({
    baseUrl: 'http://elsewhere.invalid',
    organizationId,
    stamp: async (body) => passkey.stamp(body),
  });
  const payload = {
    ...signing(address),
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_NO_OP',
  } as const;
  const stamped = await page.stamp.signRawPayload(payload);
  expect(await post('/forward', stamped)).toEqual([200, expect.objectContaining({ r: expect.any(String) })]);
  const altered = { ...stamped, body: stamped.body.replace(payload.payload, '00'.repeat(32)) };
  expect(await post('/forward', altered)).toEqual([401, expect.objectContaining({ code: 'UNAUTHENTICATED' })]);
  expect(await post('/forward', { ...stamped, url: 'http://elsewhere.invalid/health' })).toMatchObject([400, {}]);
  expect(await post('/forward', null)).toMatchObject([400, {}]);
  expect(await post('/public/v1/submit/sign_raw_payload', {})).toMatchObject([404, {}]);
});

/** Of the parent's admin, in the names of `root.json`. */
async function createApiKey(wire: Wire, parent: Caller) {
  const { publicKey, privateKey } = generateApiKey();
  const { userId } = (await query(wire, parent, 'whoami')).body;
  const apiKeys = [{ apiKeyName: 'company', publicKey, curveType: 'API_KEY_CURVE_P256' }];
  resultOf(await submit(wire, parent, 'create_api_keys', 'CREATE_API_KEYS_V2', { userId, apiKeys }));
  return { apiPublicKey: publicKey, apiPrivateKey: privateKey };
}
