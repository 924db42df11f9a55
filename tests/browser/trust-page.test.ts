import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';
import { lowContrast } from '../support/low-contrast.ts';
import { type Service, startService } from '../support/service.ts';

const launched = await launchBrowser();
const unavailable = 'unavailable' in launched ? ` (skipped, no browser: ${launched.unavailable})` : '';

describe.skipIf(unavailable)(`the page of trust${unavailable}`, { timeout: 60_000 }, () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
  }, 90_000);

  afterAll(async () => {
    if ('browser' in launched) await launched.browser.close();
    await service?.stop();
  }, 60_000);

  const open = async () => {
    if (!('browser' in launched)) throw new Error(unavailable);
    return openPage(launched.browser, `${service.baseUrl}/trust`);
  };

  test('says what is in force, verifies what it can, and loads nothing from elsewhere', async () => {
    const { page, errors, requests } = await open();
    await page.locator('#verdict[data-state=open]').waitFor();
    expect(await page.locator('#verdict').textContent()).toContain('you rely on the operator');
    expect(await page.locator('#checks [data-state=bad]').count()).toBe(0);
    const checks = (await page.locator('#checks').textContent()) ?? '';
    expect(checks).toContain('signed by the key of the log');
    expect(checks).toContain('of this very start of the enclave');
    expect(checks).toContain('No platform vouches for this enclave');
    expect(await page.locator('dt:text-is("Keys are sealed by") + dd').textContent()).toContain('enclave’s own folder');
    expect(await page.locator('#bad').textContent()).toContain('Whoever is root on this machine');

    const measurement = (await page.locator('#measurement').textContent()) ?? '';
    expect(measurement).toMatch(/^[0-9a-f]{96}$/);
    await page.locator('#expected').fill(` ${measurement.toUpperCase()}`);
    expect(await page.locator('#compared').getAttribute('data-state')).toBe('good');
    await page.locator('#expected').fill('0'.repeat(96));
    expect(await page.locator('#compared').textContent()).toContain('Another');
    await page.locator('#expected').fill('12');
    expect(await page.locator('#compared').textContent()).toContain('96 hexadecimal digits');
    expect(errors).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(`${service.baseUrl}/`))).toEqual([]);
  });

  /** An answer of the service, changed on its way. */
  const lies: readonly (readonly [string, (answer: Record<string, string>) => object, string])[] = [
    ['a statement of another', (answer) => ({ statement: `${answer.statement?.slice(0, -4)}AAAA` }), 'The boot id is'],
    [
      'a checkpoint with another size',
      ({ checkpoint = '' }) => ({
        checkpoint: checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`),
      }),
      'The checkpoint is sound',
    ],
    [
      'evidence that is none',
      () => ({ evidence: { platform: 'nitro', document: 'AAAA' } }),
      'The evidence of the platform is true',
    ],
    ['a platform that nobody knows', () => ({ evidence: { platform: 'sgx' } }), 'UNSUPPORTED'],
  ];

  test.each(lies)('shows %s in red', async (_, change, words) => {
    const { page } = await open();
    await page.route('**/attestation?*', async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: { ...answer, ...change(answer) } });
    });
    await page.reload();
    await page.locator('#verdict[data-state=bad]').waitFor();
    expect((await page.locator('#checks [data-state=bad]').allTextContents()).join()).toContain(words);
  });

  test('an enclave that does not answer is said in words', async () => {
    const { page } = await open();
    await page.route('**/attestation?*', (route) =>
      route.fulfill({ status: 503, json: { message: 'the enclave is starting' } }),
    );
    await page.reload();
    await page.locator('#failure:visible').waitFor();
    expect(await page.locator('#failure').textContent()).toBe('Nothing could be verified: the enclave is starting');
  });

  test.each(['light', 'dark'] as const)('is legible in %s colours and fits a width of 320 px', async (colorScheme) => {
    const { page } = await open();
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 320, height: 640 });
    await page.locator('#verdict[data-state=open]').waitFor();
    await page.locator('#expected').fill('12');
    expect(await page.evaluate(lowContrast)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
  });
});
