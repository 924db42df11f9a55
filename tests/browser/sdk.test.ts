/** What the SDK keeps and makes in a real browser: session keys that outlive the page, and passkeys that sign for contracts. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { launchBrowser, openPage } from '../support/browser.ts';

const launched = await launchBrowser();
const unavailable = 'unavailable' in launched ? ` (skipped, no browser: ${launched.unavailable})` : '';

describe.skipIf(unavailable)(`the SDK in a browser${unavailable}`, () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp(['./sdk/src/index.ts', './sdk/src/viem/index.ts']);
  });
  afterAll(async () => {
    if ('browser' in launched) await launched.browser.close();
    app?.close();
  });

  const visit = async () => {
    if (!('browser' in launched)) throw new Error(unavailable);
    const { page } = await openPage(launched.browser, app.origin);
    await page.waitForFunction('globalThis.createSessionKey');
    return page;
  };

  test('a session key outlives the page, cannot be read by it, and is gone after the log-out', async () => {
    const page = await visit();
    expect(await page.evaluate('findSessionKey()')).toBeUndefined();
    const publicKey = await page.evaluate('createSessionKey().then((key) => key.publicKey)');
    expect(publicKey).toMatch(/^0[23][0-9a-f]{64}$/);
    await page.reload();
    await page.waitForFunction('globalThis.createSessionKey');
    const kept = await page.evaluate(`findSessionKey().then(async (key) => ({
      publicKey: key.publicKey,
      read: await crypto.subtle.exportKey('jwk', key.privateKey).catch((error) => error.name),
    }))`);
    expect(kept).toEqual({ publicKey, read: 'InvalidAccessError' });
    const { value } = (await page.evaluate(`sessionStamper()('{"a":1}')`)) as { value: string };
    const stamp = JSON.parse(Buffer.from(value, 'base64url').toString()) as Record<'publicKey' | 'signature', string>;
    expect(stamp.publicKey).toBe(publicKey);
    const spki = Buffer.from(`3039301306072a8648ce3d020106082a8648ce3d030107032200${publicKey}`, 'hex');
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify('sha256', Buffer.from('{"a":1}'), key, Buffer.from(stamp.signature, 'hex'))).toBe(true);

    expect(await page.evaluate(`createSessionKey({ name: 'other' }).then((key) => key.publicKey)`)).not.toBe(publicKey);
    await page.evaluate('deleteSessionKey()');
    expect(await page.evaluate('findSessionKey()')).toBeUndefined();
    expect(await page.evaluate(`findSessionKey({ name: 'other' }).then((key) => !!key)`)).toBe(true);
    expect(await page.evaluate(`sessionStamper()('{}').catch((error) => error.message)`)).toContain('createSessionKey');
    await page.context().close();
  });

  test('a passkey of the page signs for contracts', async () => {
    const page = await visit();
    const hash = `0x${'5a'.repeat(32)}`;
    const { publicKey, signature, webauthn } = (await page.evaluate(`(async () => {
      const user = { name: 'ada', displayName: 'Ada' };
      const passkey = await createPasskey({ rp: { id: 'localhost', name: 'Shop' }, user });
      const account = toWebAuthnAccount({ passkey, rpId: 'localhost' });
      return { publicKey: account.publicKey, ...(await account.sign({ hash: '${hash}' })), raw: undefined };
    })()`)) as {
      publicKey: string;
      signature: string;
      webauthn: { authenticatorData: string; clientDataJSON: string };
    };
    const [x, y] = [publicKey.slice(2, 66), publicKey.slice(66)].map((each) =>
      Buffer.from(each, 'hex').toString('base64url'),
    ) as [string, string];
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    const { authenticatorData, clientDataJSON } = webauthn;
    const signed = Buffer.concat([
      Buffer.from(authenticatorData.slice(2), 'hex'),
      createHash('sha256').update(clientDataJSON).digest(),
    ]);
    const compact = Buffer.from(signature.slice(2, 130), 'hex');
    expect(verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, compact)).toBe(true);
    const { challenge } = JSON.parse(clientDataJSON) as { challenge: string };
    expect(Buffer.from(challenge, 'base64url').toString('hex')).toBe(hash.slice(2));
    await page.context().close();
  });
});
