/** The example application as a person uses it, and as its own backend would abuse it. */
import { parseAbi } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../../examples/passkey-mint/backend/server.ts';
import { startMint } from '../../examples/passkey-mint/start.ts';
import { apiKeyStamper, createClient, forward, type Stamped } from '../../sdk/src/index.ts';
import { launchBrowser, type OpenPage, openPage } from '../support/browser.ts';
import { lowContrast } from '../support/low-contrast.ts';
import { noChain } from '../support/no-chain.ts';
import { createSwitch, type Switch } from '../support/switch.ts';

const launched = await launchBrowser();
const unavailable = 'unavailable' in launched ? ` (skipped, no browser: ${launched.unavailable})` : noChain;
const erc721 = parseAbi(['function balanceOf(address) view returns (uint256)']);

describe.skipIf(unavailable)(`the example application${unavailable}`, () => {
  let mint: Awaited<ReturnType<typeof startMint>>;
  /** Between a second backend and the chain. */
  let line: Switch;
  let shaky: Awaited<ReturnType<typeof startBackend>>;

  beforeAll(async () => {
    mint = await startMint({ port: 0, mintsPerDay: 12 });
    line = await createSwitch(mint.config.chain.rpcUrl);
    shaky = await startBackend({ ...mint.config, port: 0, chain: { ...mint.config.chain, rpcUrl: line.url } });
  });

  afterAll(async () => {
    if ('browser' in launched) await launched.browser.close();
    await shaky?.close();
    line?.close();
    await mint?.stop();
  });

  const visit = async (origin = mint.origin): Promise<OpenPage> => {
    if (!('browser' in launched)) throw new Error(unavailable);
    const open = await openPage(launched.browser, origin);
    await open.page.locator('#welcome').waitFor();
    return open;
  };

  let people = 0;
  const register = async (origin?: string) => {
    const open = await visit(origin);
    await open.page.locator('#register-email').fill(`person${++people}@example.com`);
    await open.page.locator('#register button').click();
    await open.page.locator('#account').waitFor();
    const address = (await open.page.locator('#address').textContent()) as `0x${string}`;
    return { ...open, address };
  };
  type Person = Awaited<ReturnType<typeof register>>;

  const mintOnPage = async ({ page }: Person, amount: number, destination?: string) => {
    await page.locator('#amount').fill(String(amount));
    if (destination) await page.locator('#destination').fill(destination);
    await page.locator('#mint button[type=submit]').click();
  };
  const included = ({ page }: Person) => page.locator('#steps [data-step=included][data-state=done]').waitFor();
  /** Nothing is going on any more. */
  const done = ({ page }: Pick<OpenPage, 'page'>) => page.locator('#mint[aria-busy=false]').waitFor();
  const alertOf = async ({ page }: Pick<OpenPage, 'page'>, form: string) => {
    await page.locator(`#${form} .alert:not([hidden])`).waitFor();
    return (await page.locator(`#${form} .alert`).textContent()) ?? '';
  };
  const balanceOf = (address: `0x${string}`) =>
    mint.chain.client.readContract({
      address: mint.config.contracts.nft,
      abi: erc721,
      functionName: 'balanceOf',
      args: [address],
    });

  /** A stamped mint that never left the page: what a backend gets to see. */
  const stampedMint = async (person: Person, amount: number): Promise<Stamped> => {
    const { page } = person;
    const [request] = await Promise.all([
      page.waitForRequest('**/api/mint'),
      page.route('**/api/mint', (route) => route.abort()),
      mintOnPage(person, amount),
    ]);
    await page.locator('#retry').waitFor();
    await page.unroute('**/api/mint');
    return request.postDataJSON() as Stamped;
  };

  test('register, sign in and mint, without any ether, from the keyboard alone', async () => {
    const open = await visit();
    const { page, cdp, authenticatorId, errors, requests } = open;
    await page.locator('#register-email').focus();
    await page.keyboard.type('ada@example.com');
    await page.keyboard.press('Enter');
    await page.locator('#account').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('account-title');
    const address = (await page.locator('#address').textContent()) as `0x${string}`;
    expect(await page.locator('#destination').inputValue()).toBe(address);

    await page.locator('#amount').focus();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');
    await page.locator('#steps [data-step=included][data-state=done]').waitFor();
    await page.locator('#tokens li').nth(1).waitFor();
    expect(await balanceOf(address)).toBe(2n);

    // Again, now that the account has its code, and to somebody else.
    const friend = '0x000000000000000000000000000000000000dEaD';
    await mintOnPage({ ...open, address }, 1, friend);
    await done({ page });
    expect(await balanceOf(friend)).toBe(1n);

    expect(await mint.chain.client.getBalance({ address })).toBe(0n);
    expect(await page.locator('#balance').textContent()).toBe('0 ETH');
    // One touch each: registration, sign-in, two mints.
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toMatchObject([{ rpId: 'localhost', signCount: 4 }]);

    const latest = page.locator('#history details').first();
    await latest.locator('summary').click();
    await latest.locator('pre:has-text("root quorum")').waitFor();

    await page.locator('#log-out').click();
    await page.locator('#welcome').waitFor();
    expect((await page.request.get(`${mint.origin}/api/me`)).status()).toBe(401);
    await page.locator('#sign-in button').click();
    await page.locator('#account').waitFor();
    expect(await page.locator('#address').textContent()).toBe(address);
    expect(errors.filter((text) => !text.includes('401'))).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(`${mint.origin}/`))).toEqual([]);
  });

  test('an e-mail that is taken, and one that is none', async () => {
    await register();
    const other = await visit();
    await other.page.locator('#register-email').fill(`Person${people}@example.com `);
    await other.page.locator('#register button').click();
    expect(await alertOf(other, 'register')).toContain('is taken');
    await other.page.locator('#register-email').fill('ada');
    await other.page.locator('#register button').click();
    await expect.poll(() => alertOf(other, 'register')).toContain('Please write an e-mail address');
  });

  test('a stamp logs in once, and only the visitor whose nonce it carries', async () => {
    const person = await register();
    const { page } = person;
    await page.locator('#log-out').click();
    await page.locator('#welcome').waitFor();
    const [login] = await Promise.all([page.waitForRequest('**/api/login'), page.locator('#sign-in button').click()]);
    await page.locator('#account').waitFor();
    const stamped = login.postDataJSON() as Stamped;

    const post = async (path: string, body: unknown, cookie = '') => {
      const headers = { 'Content-Type': 'application/json', cookie };
      const answer = await fetch(mint.origin + path, { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: answer.status, cookie: answer.headers.get('set-cookie') ?? '' };
    };
    // By the visitor itself, by a stranger, and by a stranger with a nonce of its own.
    expect(await page.evaluate(`(${postInPage})('/api/login', ${JSON.stringify(stamped)})`)).toBe(401);
    expect((await post('/api/login', stamped)).status).toBe(401);
    const { cookie } = await post('/api/challenge', {});
    expect(cookie).toMatch(/httponly/i);
    expect(cookie).toMatch(/samesite=strict/i);
    const own = cookie.split(';')[0] as string;
    expect((await post('/api/login', stamped, own)).status).toBe(403);
    const me = await fetch(`${mint.origin}/api/me`, { headers: { cookie: own } });
    expect(me.status).toBe(401);
  });

  test('a cancelled prompt is said in words, and nothing is signed', async () => {
    const person = await register();
    await person.cdp.send('WebAuthn.setUserVerified', {
      authenticatorId: person.authenticatorId,
      isUserVerified: false,
    });
    await mintOnPage(person, 1);
    expect(await alertOf(person, 'mint')).toContain('You cancelled');
    expect(await balanceOf(person.address)).toBe(0n);
  });

  test('a browser without passkeys is told so', async () => {
    const { page } = await visit();
    await page.evaluate('delete window.PublicKeyCredential');
    await page.locator('#sign-in button').click();
    expect(await alertOf({ page }, 'sign-in')).toContain('This browser has no passkeys');
  });

  test('a passkey of nobody gets nobody in', async () => {
    const { page } = await visit();
    await page.evaluate(`navigator.credentials.create({
      publicKey: {
        rp: { id: 'localhost', name: 'another' },
        user: { id: new Uint8Array(16), name: 'another', displayName: 'another' },
        challenge: new Uint8Array(32),
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        authenticatorSelection: { residentKey: 'required' },
      },
    }).then(() => 0)`);
    await page.locator('#sign-in button').click();
    expect(await alertOf({ page }, 'sign-in')).toContain('belongs to no account here');
  });

  test('a rule of the user binds the user, with its reason, until it is removed', async () => {
    const person = await register();
    const { page } = person;
    await page.locator('#per-day').fill('1');
    await page.locator('#rule button[type=submit]').click();
    await page.locator('#rules li').waitFor();
    await mintOnPage(person, 1);
    await included(person);
    await mintOnPage(person, 1);
    const reason = await alertOf(person, 'mint');
    expect(reason).toContain('Your rules do not allow this');
    expect(reason).toContain('At most 1 mint in 24 hours');
    expect(await page.locator('#retry').isVisible()).toBe(false);
    expect(await balanceOf(person.address)).toBe(1n);
    await page.locator('#rules button').click();
    await page.locator('#rules li').waitFor({ state: 'detached' });
    await mintOnPage(person, 1);
    await expect.poll(() => balanceOf(person.address)).toBe(2n);
  });

  test('a second passkey signs in', async () => {
    const person = await register();
    const { page, cdp, authenticatorId } = person;
    const options = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'usb' } as const;
    const abilities = { hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
    const another = await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { ...options, ...abilities } });
    // A person touches one of the two: the new one first, then the old one.
    const touch = (id: string, enabled: boolean) =>
      cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: id, enabled });
    await touch(authenticatorId, false);
    await page.evaluate(`{
      const get = navigator.credentials.get.bind(navigator.credentials);
      const hand = new Promise((resolve) => { globalThis.reachForTheOld = resolve; });
      navigator.credentials.get = async (options) => { await hand; return get(options); };
    }`);
    await page.locator('#add-passkey button').click();
    await expect.poll(async () => (await cdp.send('WebAuthn.getCredentials', another)).credentials.length).toBe(1);
    await touch(another.authenticatorId, false);
    await touch(authenticatorId, true);
    await page.evaluate('reachForTheOld()');
    await page.locator('#passkeys li').nth(1).waitFor();
    await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
    await touch(another.authenticatorId, true);
    await page.locator('#log-out').click();
    await page.locator('#sign-in button').click();
    await page.locator('#account').waitFor();
    expect(await page.locator('#address').textContent()).toBe(person.address);
  });

  test('after an outage of the chain the same mint goes on, once', async () => {
    const person = await register(shaky.origin);
    const { page } = person;
    await page.route('**/api/mint', async (route) => {
      line.cut();
      await route.continue();
    });
    await mintOnPage(person, 2);
    expect(await alertOf(person, 'mint')).toContain('The chain does not answer');
    await page.unroute('**/api/mint');
    expect(await balanceOf(person.address)).toBe(0n);
    line.mend();

    // The answer gets lost on its way, so nobody knows what became of it.
    line.loseAnswersTo('eth_sendRawTransaction');
    await page.locator('#retry').click();
    await expect.poll(() => balanceOf(person.address)).toBe(2n);
    await page.locator('#retry').waitFor();
    line.mend();
    await page.locator('#retry').click();
    await included(person);
    await done(person);
    expect(await balanceOf(person.address)).toBe(2n);
    expect(await page.locator('#tokens li').count()).toBe(2);
    expect(await page.locator('#history summary:has-text("Mint signed")').count()).toBe(1);
  });

  test('the backend cannot sign, nor change what was stamped', async () => {
    const person = await register();
    const stamped = await stampedMint(person, 1);
    const { countersign, contracts, registrar, sponsor } = mint.config;
    const intent = JSON.parse(stamped.body);
    const gas = { callGasLimit: 200_000n, verificationGasLimit: 150_000n, preVerificationGas: 80_000n };
    const completion = { ...gas, maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
    const send = (given: Stamped, more: object = {}) =>
      forward(given, { baseUrl: countersign.baseUrl, completion: { ...completion, ...more } });
    const altered = (from: string, to: string): Stamped => {
      expect(stamped.body).toContain(from);
      return { ...stamped, body: stamped.body.replace(from, to) };
    };

    const { callData } = intent.parameters.userOperation;
    const [amount, destination] = [callData.slice(-64 - 56, -56), person.address.slice(2).toLowerCase()];
    expect(BigInt(`0x${amount}`)).toBe(1n);
    const changes = [
      altered(callData, callData.replace(amount, amount.replace(/1$/, '9'))),
      altered(destination, 'ab'.repeat(20)),
      altered('"chainId":"31337"', '"chainId":"1"'),
      altered(intent.parameters.limits.maxCost, `${intent.parameters.limits.maxCost}0`),
      altered(`["${contracts.sponsor}"]`, `["${contracts.nft}"]`),
    ];
    for (const change of changes) await expect(send(change)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    // What was stamped, completed beyond what was stamped.
    const completions = [
      { callData },
      { sender: contracts.nft },
      { nonce: 9n },
      { maxFeePerGas: 10n ** 15n },
      { paymaster: contracts.nft, paymasterVerificationGasLimit: 1n, paymasterPostOpGasLimit: 1n, paymasterData: '0x' },
    ];
    for (const more of completions)
      await expect(send(stamped, more)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });

    // With all the keys that it holds.
    for (const key of [registrar, sponsor]) {
      const own = createClient({ ...countersign, stamp: apiKeyStamper(key) });
      const { organizationId } = intent;
      const call = own.signUserOperation({ organizationId, ...intent.parameters, limits: undefined } as never);
      await expect(call).rejects.toMatchObject({ name: 'CountersignClientError' });
      const digest = { payload: '11'.repeat(32), encoding: 'PAYLOAD_ENCODING_HEXADECIMAL' } as const;
      const raw = { ...digest, hashFunction: 'HASH_FUNCTION_NO_OP', signWith: person.address } as const;
      await expect(own.signRawPayload({ organizationId, ...raw })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      // Nor anything but a sponsorship in its own organization.
      await expect(own.signRawPayload({ ...raw, signWith: sponsor.address })).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
      });
      const createsUsers = own.createApiOnlyUsers({ apiOnlyUsers: [{ userName: 'more', apiKeys: [] }] });
      await expect(createsUsers).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    expect(await balanceOf(person.address)).toBe(0n);
    // Nothing of that has used up what was stamped.
    await person.page.locator('#retry').click();
    await included(person);
    expect(await balanceOf(person.address)).toBe(1n);
  });

  test.each(['light', 'dark'] as const)('has contrast, names and one main heading, %s', async (colorScheme) => {
    const person = await register();
    const { page } = person;
    await mintOnPage(person, 10);
    await included(person);
    await page.locator('#history summary').click();
    await page.emulateMedia({ colorScheme });
    expect(await page.evaluate(lowContrast)).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    for (const control of await page.locator('button:visible, input:visible, summary').all()) {
      expect(await control.ariaSnapshot()).toMatch(/^- \w+/);
    }
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }
  });

  // The last one: it uses up what the sponsor pays for.
  test('the sponsor pays for so many mints a day, and says so', async () => {
    const person = await register();
    for (let count = 0; count < 12; count++) {
      await mintOnPage(person, 1);
      await done(person);
      if (await person.page.locator('#mint .alert').isVisible()) break;
    }
    const reason = await alertOf(person, 'mint');
    expect(reason).toContain('The sponsor does not pay for this.');
    expect(reason).toContain("activities('SIGN_RAW_PAYLOAD', '24h') < 12");
  });
});

const postInPage = `async (path, body) => {
  const headers = { 'Content-Type': 'application/json' };
  return (await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })).status;
}`;
