/** A Chromium for tests, with passkeys that need no hand: the one of `@sparticuz/chromium`, or Debian's. */
import { existsSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { type Browser, type CDPSession, chromium as driver, type Page } from 'playwright-core';

const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];

/** A running browser, or why there is none on this machine. */
export async function launchBrowser(): Promise<{ browser: Browser } | { unavailable: string }> {
  const reasons: string[] = [];
  for (const find of [() => chromium.executablePath(), async () => debianChromium()]) {
    try {
      return { browser: await driver.launch({ executablePath: await find(), headless: true, args }) };
    } catch (error) {
      reasons.push((error as Error).message.split('\n')[0] as string);
    }
  }
  return { unavailable: reasons.join('; ') };
}

function debianChromium(): string {
  if (existsSync('/usr/bin/chromium')) return '/usr/bin/chromium';
  throw new Error('/usr/bin/chromium is not installed');
}

export type OpenPage = {
  readonly page: Page;
  readonly cdp: CDPSession;
  readonly authenticatorId: string;
  /** Errors that the page logged or threw. */
  readonly errors: string[];
  /** URLs that it asked for. */
  readonly requests: string[];
};

/** A page of a context of its own at `url`, with a virtual authenticator (CTAP 2.1, user verification) in place. */
export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto(url);
  return { page, cdp, authenticatorId, errors, requests };
}
