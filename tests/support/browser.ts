/** A Chromium for tests, with passkeys that need no hand: the one of `@sparticuz/chromium`, or Debian's. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type CDPSession, chromium as driver, type Page } from 'playwright-core';

const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];

/** A running browser, or why there is none on this machine. */
export async function launchBrowser(): Promise<{ browser: Browser } | { unavailable: string }> {
  const reasons: string[] = [];
  for (const launch of [launchPackaged, launchPackagedWithLibraries, launchDebian]) {
    try {
      return { browser: await launch() };
    } catch (error) {
      reasons.push((error as Error).message.split('\n')[0] as string);
    }
  }
  return { unavailable: reasons.join('; ') };
}

const launchPackaged = async () =>
  driver.launch({ executablePath: join(await unpackChromium(), 'chromium'), headless: true, args });

/** For a machine without NSS and fonts: those of the package. */
async function launchPackagedWithLibraries(): Promise<Browser> {
  const folder = await unpackChromium();
  const env = {
    ...(process.env as Record<string, string>),
    LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
    FONTCONFIG_PATH: join(folder, 'fonts'),
  };
  return driver.launch({ executablePath: join(folder, 'chromium'), headless: true, args, env });
}

const launchDebian = () => driver.launch({ executablePath: '/usr/bin/chromium', headless: true, args });

/**
 * The folder of the unpacked browser, made once on this machine. The package alone would unpack to a fixed path in place,
 * where a second test file finds it half written.
 */
async function unpackChromium(): Promise<string> {
  const manifest = new URL('../package.json', import.meta.resolve('@sparticuz/chromium'));
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  const place = join(tmpdir(), `countersign-chromium-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(place)) return place;
  const folder = await mkdtemp(join(tmpdir(), 'countersign-chromium-'));
  const { TMPDIR, AWS_EXECUTION_ENV } = process.env;
  // The package unpacks its libraries too when it believes to be on Amazon Linux.
  Object.assign(process.env, { TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' });
  try {
    await chromium.executablePath();
  } finally {
    restore({ TMPDIR, AWS_EXECUTION_ENV });
  }
  // Whoever comes second keeps the folder of the first.
  await rename(folder, place).catch(() => rm(folder, { recursive: true, force: true }));
  return place;
}

function restore(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
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
  page.setDefaultTimeout(60_000);
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
