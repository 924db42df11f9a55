/** The shop of the SDK's README as it is written there: its page in a browser, its backend a process, on a real chain. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { type Abi, type Address, parseEther, recoverMessageAddress } from 'viem';
import { createBundlerClient, entryPoint08Abi } from 'viem/account-abstraction';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Chain, contracts, deployAll, startChain } from '../../examples/passkey-mint/chain/chain.ts';
import { createClient } from '../../sdk/src/client.ts';
import { freePort } from '../../src/cli/port.ts';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import { launchBrowser, openPage } from '../support/browser.ts';
import { bundlerOf } from '../support/bundler.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { type EnclaveOverHttp, serveEnclave } from '../support/enclave-over-http.ts';
import { noChain } from '../support/no-chain.ts';
import { createSponsor, paymasterOf, rpcOf } from '../support/paymaster.ts';
import { createResident } from '../support/resident.ts';
import { createSdkProject, type SdkProject } from '../support/sdk-project.ts';
import { type Rpc, serveRpc } from '../support/serve-rpc.ts';

const launched = await launchBrowser();
const unavailable = 'unavailable' in launched ? ` (skipped, no browser: ${launched.unavailable})` : noChain;

describe.skipIf(unavailable)(`the README${unavailable}`, () => {
  let project: SdkProject;
  let chain: Chain;
  let enclave: EnclaveInMemory;
  let service: EnclaveOverHttp;
  let deployed: Awaited<ReturnType<typeof deployAll>>;
  let backend: ChildProcess;
  const servers: Server[] = [];
  const closing: (() => void)[] = [];
  let origin: string;

  beforeAll(async () => {
    project = createSdkProject();
    [chain, enclave] = await Promise.all([startChain(), startEnclave()]);
    service = await serveEnclave(enclave.wire);
    const { organizationId, stamp } = enclave.parent;
    const options = { baseUrl: service.baseUrl, organizationId, stamp };
    const sponsor = await createSponsor(options);
    deployed = await deployAll(chain, sponsor.address);
    const company = createClient(options);
    const { users } = await company.getUsers();
    const apiKey = generateApiKey();
    await company.createApiKeys({
      userId: users[0]?.userId ?? '',
      apiKeys: [{ apiKeyName: 'shop', publicKey: apiKey.publicKey, curveType: 'API_KEY_CURVE_P256' }],
    });
    const transport = bundlerOf(chain, entryPoint08Abi as Abi);
    const port = await freePort();
    backend = start('backend.ts', {
      ...environment(organizationId, apiKey),
      PORT: String(port),
      BUNDLER_URL: await rpc(createBundlerClient({ client: chain.client, transport }).request as never),
      PAYMASTER_URL: await rpc(rpcOf(paymasterOf(deployed, sponsor))),
    });
    await once(backend.stdout as NonNullable<typeof backend.stdout>, 'data');
    origin = await serveShop(port);
  });

  afterAll(async () => {
    if ('browser' in launched) await launched.browser.close();
    backend?.kill();
    for (const close of closing) close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    service?.close();
    enclave?.remove();
    chain?.stop();
    project?.remove();
  });

  const environment = (organizationId: string, apiKey: { publicKey: string; privateKey: string }) => ({
    BASE_URL: service.baseUrl,
    ORGANIZATION_ID: organizationId,
    PUBLIC_KEY: apiKey.publicKey,
    PRIVATE_KEY: apiKey.privateKey,
    RPC_URL: chain.rpcUrl,
  });

  const start = (file: string, env: Record<string, string>) =>
    spawn(process.execPath, [join(project.folder, file)], {
      cwd: project.folder,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  async function rpc(answer: Rpc): Promise<string> {
    const { url, close } = await serveRpc(answer);
    closing.push(close);
    return url;
  }

  async function listen(server: Server): Promise<string> {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://localhost:${(server.address() as AddressInfo).port}`;
  }

  /** The page, and behind it the backend, on one origin. */
  async function serveShop(port: number): Promise<string> {
    const { outputFiles } = await build({
      stdin: {
        contents: `import * as page from './page.ts'; import * as session from './session.ts';
          Object.assign(globalThis, page, session);`,
        resolveDir: project.folder,
      },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      logLevel: 'silent',
    });
    const script = outputFiles[0]?.text;
    return listen(
      createServer(async (request, response) => {
        if (request.method === 'GET') {
          const isScript = request.url === '/page.js';
          response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
          response.end(
            isScript ? script : '<!doctype html><title>Shop</title><script type="module" src="/page.js"></script>',
          );
          return;
        }
        const { cookie = '' } = request.headers;
        const body = await text(request);
        const answer = await fetch(`http://127.0.0.1:${port}${request.url}`, {
          method: 'POST',
          headers: { cookie },
          body,
        });
        response.writeHead(answer.status, { 'Set-Cookie': answer.headers.get('set-cookie') ?? '' });
        response.end(await answer.text());
      }),
    );
  }

  test('its shop signs up, logs in and mints with three touches, for somebody without ether', async () => {
    if (!('browser' in launched)) throw new Error(unavailable);
    const { page } = await openPage(launched.browser, origin);
    await page.waitForFunction('globalThis.mint');
    const run = <T>(source: string) => (page as Page).evaluate(source) as Promise<T>;
    const user = await run<{ organizationId: string; address: Address }>(`signUp('Ada')`);
    const shop = JSON.stringify({ rpcUrl: chain.rpcUrl, nft: deployed.nft, paymaster: deployed.sponsor });
    const mint = () => run<{ transactionHash: string }>(`mint(${JSON.stringify(user)}, ${shop})`);
    await expect(mint()).rejects.toThrow('log in first');
    const login = await run<{ organizationId: string; userId: string }>('logIn()');
    expect(login.organizationId).toBe(user.organizationId);
    for (const minted of [2n, 4n]) {
      expect((await mint()).transactionHash).toMatch(/^0x[0-9a-f]{64}$/);
      const { abi } = contracts.Mint;
      const args = [user.address];
      const balance = await chain.client.readContract({ address: deployed.nft, abi, functionName: 'balanceOf', args });
      expect(balance).toBe(minted);
    }
    expect(await chain.client.getBalance({ address: user.address })).toBe(0n);
    await page.context().close();
  });

  test('its wallet signs a message and sends a transaction', async () => {
    const resident = await createResident(enclave.wire, enclave.parent, 'wallet');
    const [address] = resident.addresses as [Address, string];
    const hash = await chain.funded(0).sendTransaction({ to: address, value: parseEther('1') });
    await chain.client.waitForTransactionReceipt({ hash });
    const child = start('wallet.ts', { ...environment(resident.organizationId, resident.apiKey), ADDRESS: address });
    const [signature, sent] = (await text(child.stdout as never)).trim().split('\n') as [`0x${string}`, `0x${string}`];
    expect(await recoverMessageAddress({ message: 'Hello', signature })).toBe(address);
    expect((await chain.client.waitForTransactionReceipt({ hash: sent })).status).toBe('success');
  });
});
