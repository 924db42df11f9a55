import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashMessage, recoverAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, type OpenPage, openPage } from '../support/browser.ts';
import { lowContrast } from '../support/low-contrast.ts';
import { type Service, startService } from '../support/service.ts';

const launched = await launchBrowser();
const unavailable = 'unavailable' in launched ? ` (skipped, no browser: ${launched.unavailable})` : '';

describe.skipIf(unavailable)(`the start page${unavailable}`, () => {
  let service: Service;
  let open: OpenPage;

  beforeAll(async () => {
    service = await startService();
  });

  afterAll(async () => {
    if ('browser' in launched) await launched.browser.close();
    await service?.stop();
  });

  const visit = async () => {
    if (!('browser' in launched)) throw new Error(unavailable);
    open = await openPage(launched.browser, `${service.baseUrl}/`);
    return open;
  };

  const textOf = async (selector: string) => (await open.page.locator(selector).textContent()) ?? '';
  const factOf = (step: string, term: string) => textOf(`#${step} dt:text-is("${term}") + dd`);

  test('does the main job with a passkey, from the keyboard alone', async () => {
    const { page, cdp, authenticatorId, errors, requests } = await visit();
    await page.locator('#health[data-state=ok]').waitFor();

    await page.locator('#root-text').fill(await readFile(join(service.dataDir, 'root.json'), 'utf8'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('#step-company[data-state=done]').waitFor();
    expect(await factOf('step-company', 'Organization id')).toBe(service.root.organizationId);

    expect(await page.evaluate('document.activeElement.id')).toBe('user-name');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('#step-user[data-state=done]').waitFor();
    const address = await factOf('step-user', 'Ethereum address');
    expect(address).toMatch(/^0x[0-9a-fA-F]{40}$/);

    expect(await page.evaluate('document.activeElement.id')).toBe('message');
    await page.locator('#message').fill('grüße, 世界');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('#step-sign[data-state=done]').waitFor();
    const signature = (await factOf('step-sign', 'Signature')) as `0x${string}`;
    expect(await recoverAddress({ hash: hashMessage('grüße, 世界'), signature })).toBe(address);

    expect(await page.locator('#step-verify').getAttribute('data-state')).toBe('done');
    expect(await textOf('#step-verify')).toContain(address.toLowerCase());
    expect(await page.locator('.checks [data-state=bad]').count()).toBe(0);
    expect(await textOf('#progress')).toContain('Verified');

    expect(errors).toEqual([]);
    await page.locator('#refuse').click();
    await page.locator('#step-refuse[data-state=done]').waitFor();
    expect(await textOf('#step-refuse')).toContain('organization mismatch');

    // The passkey is the browser's, and was used once.
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toMatchObject([{ rpId: 'localhost', isResidentCredential: true, signCount: 2 }]);
    expect(requests.filter((url) => !url.startsWith(`${service.baseUrl}/`))).toEqual([]);
  });

  test('the private key leaves the page in no request', async () => {
    const { page } = await visit();
    const sent: string[] = [];
    page.on('request', (request) => {
      const { 'x-stamp': stamp = '', ...headers } = request.headers();
      sent.push(request.url(), request.postData() ?? '', JSON.stringify(headers), base64url(stamp).toString());
    });
    await page.locator('#root-file').setInputFiles(join(service.dataDir, 'root.json'));
    await page.locator('#step-company[data-state=done]').waitFor();
    await page.locator('#create').click();
    await page.locator('#step-user[data-state=done]').waitFor();
    const seen = [...sent, await page.content()].join('\n');
    expect(seen).toContain(service.root.apiPublicKey);
    const { apiPrivateKey } = service.root;
    for (const form of [apiPrivateKey, Buffer.from(apiPrivateKey, 'hex').toString('base64url')]) {
      expect(seen.toLowerCase()).not.toContain(form.toLowerCase().replace(/=+$/, ''));
    }
  });

  test.each([
    ['no JSON', 'hello', 'This is not JSON'],
    ['another JSON', '{"organizationId": "x"}', 'apiPublicKey, apiPrivateKey is missing'],
  ])('%s in place of root.json is said in words', async (_, text, words) => {
    const { page } = await visit();
    await page.locator('#root-text').fill(text);
    await page.locator('#use-key').click();
    await page.locator('#step-company[data-state=failed]').waitFor();
    expect(await textOf('#step-company [role=alert]')).toContain(words);
    expect(await page.locator('#create').isDisabled()).toBe(true);
  });

  test('an unknown key is refused by the service, in its words', async () => {
    const { page } = await visit();
    const stranger = { ...service.root, organizationId: '00000000-0000-4000-8000-000000000000' };
    await page.locator('#root-text').fill(JSON.stringify(stranger));
    await page.locator('#use-key').click();
    expect(await textOf('#step-company [role=alert]')).toMatch(/^Refused: .+\(4\d\d [A-Z_]+\)/);
  });

  test('a declined passkey leaves the step open', async () => {
    const { page, cdp, authenticatorId } = await visit();
    await page.locator('#root-file').setInputFiles(join(service.dataDir, 'root.json'));
    await page.locator('#step-company[data-state=done]').waitFor();
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.locator('#create').click();
    expect(await textOf('#step-user [role=alert]')).toContain('declined');
    expect(await page.locator('#create').isEnabled()).toBe(true);
    expect(await page.locator('#sign').isDisabled()).toBe(true);
  });

  test('has a language, one main heading, named controls, and nothing from elsewhere', async () => {
    const { page, errors, requests } = await visit();
    await page.locator('#health[data-state=ok]').waitFor();
    expect(await page.evaluate('document.documentElement.lang')).toBe('en');
    expect(await page.title()).toBe('Countersign');
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.getByRole('main').count()).toBe(1);
    for (const control of await page.locator('button, input, textarea, a, select').all()) {
      const snapshot = await control.ariaSnapshot();
      expect(snapshot, await control.evaluate((element) => element.outerHTML)).toMatch(
        /^- \w+ "[^"]+"|^- \w+ "[^"]+":/,
      );
    }
    const levels = (await page
      .locator('h1, h2, h3, h4')
      .evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])))) as number[];
    for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
    expect(errors).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(`${service.baseUrl}/`))).toEqual([]);
  });

  test.each(['light', 'dark'] as const)('text has contrast enough, %s (WCAG 2.2, 1.4.3 AA)', async (colorScheme) => {
    const { page } = await visit();
    await page.emulateMedia({ colorScheme });
    await page.locator('#health[data-state=ok]').waitFor();
    const low = await page.evaluate(lowContrast);
    expect(low).toEqual([]);
  });

  test('fits a screen of 320 px, and of 1280 px', async () => {
    const { page } = await visit();
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }
  });
});

const base64url = (text: string) => Buffer.from(text, 'base64url');
