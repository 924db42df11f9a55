import { ApiKeyStamper } from '@turnkey/api-key-stamper';
import { TurnkeyClient } from '@turnkey/http';
import { hashMessage, recoverMessageAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import { type App, startApp } from '../support/app.ts';
import { launchBrowser, type OpenPage, openPage } from '../support/browser.ts';
import { type Service, startService } from '../support/service.ts';

const launched = await launchBrowser();
const unavailable = 'unavailable' in launched ? ` (skipped, no browser: ${launched.unavailable})` : '';

describe.skipIf(unavailable)(`a web application on an origin of its own${unavailable}`, () => {
  let service: Service;
  let app: App;
  /** The same program on an origin that the service does not allow. */
  let foreignApp: App;

  beforeAll(async () => {
    const appPort = await freePort();
    const modules = ['@turnkey/http', '@turnkey/webauthn-stamper', './sdk/src/index.ts'];
    [service, app, foreignApp] = await Promise.all([
      startService({ env: { COUNTERSIGN_ORIGINS: `http://localhost:${appPort}` } }),
      startApp(modules, appPort),
      startApp(modules),
    ]);
  });

  afterAll(async () => {
    if ('browser' in launched) await launched.browser.close();
    app?.close();
    foreignApp?.close();
    await service?.stop();
  });

  const visit = async (origin: string): Promise<OpenPage> => {
    if (!('browser' in launched)) throw new Error(unavailable);
    const open = await openPage(launched.browser, origin);
    await open.page.waitForFunction('globalThis.createClient');
    return open;
  };

  /** Runs the function that `source` is in the page, with `args`; gives its value, or `{ error }` of what it throws. */
  const run = <T>({ page }: OpenPage, source: string, args: Readonly<Record<string, unknown>>): Promise<T> =>
    page.evaluate(`(${source})(${JSON.stringify({ ...args, baseUrl: service.baseUrl })}).catch(({ name, code, message }) => ({
      error: { name, code, message },
    }))`);

  test("Turnkey's browser client: passkey, whoami with the parent's id, wallet, signature", async () => {
    const { organizationId, apiPublicKey, apiPrivateKey } = service.root;
    const open = await visit(app.origin);
    const [challenge, attestation] = await run<[string, Attestation]>(open, officialAttestation, {});

    const keys = { apiPublicKey, apiPrivateKey };
    const backend = new TurnkeyClient({ baseUrl: service.baseUrl }, new ApiKeyStamper(keys));
    const { activity } = await backend.createSubOrganization({
      type: 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8',
      timestampMs: String(Date.now()),
      organizationId,
      parameters: {
        subOrganizationName: 'user',
        rootQuorumThreshold: 1,
        rootUsers: [
          {
            userName: 'user',
            apiKeys: [],
            oauthProviders: [],
            authenticators: [{ authenticatorName: 'passkey', challenge, attestation }],
          },
        ],
      },
    });
    const subOrganizationId = activity.result.createSubOrganizationResultV8?.subOrganizationId;

    const answers = await run<Official>(open, officialFlow, { organizationId, payload: hashMessage('hello') });
    expect(answers).toMatchObject({
      who: { organizationId: subOrganizationId, organizationName: 'user', username: 'user' },
      signed: { activity: { status: 'ACTIVITY_STATUS_COMPLETED', organizationId: subOrganizationId } },
    });
    const { r, s, v } = answers.signed.activity.result.signRawPayloadResult;
    const signature = `0x${r}${s}${v === '00' ? '1b' : '1c'}` as const;
    expect(await recoverMessageAddress({ message: 'hello', signature })).toBe(answers.address);
    expect(open.errors).toEqual([]);
  });

  test('the SDK: the same, and a stamp of another origin is refused', async () => {
    const open = await visit(app.origin);
    const { organizationId, apiPublicKey: publicKey, apiPrivateKey: privateKey } = service.root;
    const user = await run<User>(open, sdkFlow, { organizationId, key: { publicKey, privateKey } });
    expect(user).toMatchObject({ who: { organizationId: user.subOrganizationId } });
    const { r, s, v } = user.signature;
    const signature = `0x${r}${s}${v === '00' ? '1b' : '1c'}` as const;
    expect(await recoverMessageAddress({ message: 'hello', signature })).toBe(user.address);

    // The same passkey of the same RP ID, on another port.
    const elsewhere = { organizationId: user.subOrganizationId };
    expect(await run(open, sdkWhoami, elsewhere)).toMatchObject({ userId: user.who.userId });
    await open.page.goto(foreignApp.origin);
    await open.page.waitForFunction('globalThis.createClient');
    expect(await run(open, sdkWhoami, elsewhere)).toMatchObject({
      error: { name: 'CountersignClientError', code: 'UNAUTHENTICATED' },
    });
    expect(await run(open, sdkWallet, elsewhere)).toMatchObject({
      error: { name: 'CountersignClientError', code: 'UNAUTHENTICATED' },
    });
    await open.page.goto(app.origin);
    await open.page.waitForFunction('globalThis.createClient');
    expect(await run(open, sdkWallet, elsewhere)).toMatchObject({ walletId: expect.any(String) });
  });

  test('a passkey made on another origin is refused as a credential', async () => {
    const open = await visit(foreignApp.origin);
    const { organizationId, apiPublicKey: publicKey, apiPrivateKey: privateKey } = service.root;
    const refused = await run<{ error: { code: string } }>(open, sdkFlow, {
      organizationId,
      key: { publicKey, privateKey },
    });
    expect(refused).toMatchObject({ error: { name: 'CountersignClientError' } });
    expect(['INVALID_ARGUMENT', 'UNAUTHENTICATED']).toContain(refused.error.code);
  });
});

type Attestation = Parameters<
  TurnkeyClient['createAuthenticators']
>[0]['parameters']['authenticators'][0]['attestation'];
type Signature = { r: string; s: string; v: string };
type Official = {
  who: { organizationId: string };
  address: string;
  signed: { activity: { status: string; result: { signRawPayloadResult: Signature } } };
};
type User = {
  subOrganizationId: string;
  who: { organizationId: string; userId: string };
  address: string;
  signature: Signature;
};

/** As Turnkey's guides have it: a challenge and the attestation over it. */
const officialAttestation = `async () => {
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const attestation = await getWebAuthnAttestation({
    publicKey: {
      rp: { id: 'localhost', name: 'app' },
      challenge,
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -257 }],
      user: { id: crypto.getRandomValues(new Uint8Array(16)), name: 'user', displayName: 'user' },
      authenticatorSelection: { requireResidentKey: true, residentKey: 'required', userVerification: 'preferred' },
    },
  });
  const text = btoa(String.fromCharCode(...challenge)).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '');
  return [text, attestation];
}`;

const officialFlow = `async ({ baseUrl, organizationId: parentId, payload }) => {
  const client = new TurnkeyClient({ baseUrl }, new WebauthnStamper({ rpId: 'localhost' }));
  const who = await client.getWhoami({ organizationId: parentId });
  const { organizationId } = who;
  const send = (method, type, parameters) =>
    client[method]({ type, timestampMs: String(Date.now()), organizationId, parameters });
  const made = await send('createWallet', 'ACTIVITY_TYPE_CREATE_WALLET', {
    walletName: 'wallet',
    accounts: [{
      curve: 'CURVE_SECP256K1',
      pathFormat: 'PATH_FORMAT_BIP32',
      path: "m/44'/60'/0'/0/0",
      addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
    }],
  });
  const [address] = made.activity.result.createWalletResult.addresses;
  const signed = await send('signRawPayload', 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', {
    signWith: address,
    payload,
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_NO_OP',
  });
  return { who, address, signed };
}`;

const sdkFlow = `async ({ baseUrl, organizationId, key }) => {
  const registration = await createPasskey({
    rp: { id: 'localhost', name: 'app' },
    user: { name: 'user', displayName: 'user' },
  });
  const company = createClient({ baseUrl, organizationId, stamp: apiKeyStamper(key) });
  const { subOrganizationId } = await company.createSubOrganization({
    subOrganizationName: 'user',
    rootQuorumThreshold: 1,
    rootUsers: [{ userName: 'user', authenticators: [{ authenticatorName: 'passkey', ...registration }] }],
  });
  const user = createClient({ baseUrl, organizationId: subOrganizationId, stamp: passkeyStamper({ rpId: 'localhost' }) });
  const account = {
    curve: 'CURVE_SECP256K1',
    pathFormat: 'PATH_FORMAT_BIP32',
    path: "m/44'/60'/0'/0/0",
    addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
  };
  // Two at once: the browser shows one ceremony at a time.
  const [who, { addresses }] = await Promise.all([
    user.getWhoami(),
    user.createWallet({ walletName: 'wallet', accounts: [account] }),
  ]);
  const { r, s, v } = await user.signRawPayload({
    signWith: addresses[0],
    payload: '19457468657265756d205369676e6564204d6573736167653a0a3568656c6c6f',
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_KECCAK256',
  });
  return { subOrganizationId, who, address: addresses[0], signature: { r, s, v } };
}`;

const sdkWhoami = `async ({ baseUrl, organizationId }) =>
  createClient({ baseUrl, organizationId, stamp: passkeyStamper({ rpId: 'localhost' }) }).getWhoami()`;

const sdkWallet = `async ({ baseUrl, organizationId }) =>
  createClient({ baseUrl, organizationId, stamp: passkeyStamper({ rpId: 'localhost' }) })
    .createWallet({ walletName: 'another' + Date.now(), accounts: [] })`;
