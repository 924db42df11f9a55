import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEther, serializeTransaction } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, type OpenPage, openPage } from '../support/browser.ts';
import { lowContrast } from '../support/low-contrast.ts';
import { type Service, startService } from '../support/service.ts';
import { overHttp, query, resultOf, rootCaller, submit } from '../support/wire.ts';

const launched = await launchBrowser();
const unavailable = 'unavailable' in launched ? ` (skipped, no browser: ${launched.unavailable})` : '';
const ether = 10n ** 18n;

describe.skipIf(unavailable)(`the page of policies${unavailable}`, () => {
  let service: Service;
  let open: OpenPage;

  beforeAll(async () => {
    service = await startService();
    await signTransaction('2');
  });

  afterAll(async () => {
    if ('browser' in launched) await launched.browser.close();
    await service?.stop();
  });

  const root = () => rootCaller(service.root);
  const wire = () => overHttp(service.baseUrl);

  /** The root user signs; the address is new each time. */
  async function signTransaction(value: string) {
    const account = { curve: 'CURVE_SECP256K1', pathFormat: 'PATH_FORMAT_BIP32', path: "m/44'/60'/0'/0/0" };
    const { addresses } = resultOf(
      await submit(wire(), root(), 'create_wallet', 'CREATE_WALLET', {
        walletName: `wallet of ${value}`,
        accounts: [{ ...account, addressFormat: 'ADDRESS_FORMAT_ETHEREUM' }],
      }),
    ) as { addresses: [string] };
    const to = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
    const unsigned = serializeTransaction({
      chainId: 1,
      type: 'eip1559',
      gas: 21_000n,
      to,
      value: parseEther(value),
    }).slice(2);
    resultOf(
      await submit(wire(), root(), 'sign_transaction', 'SIGN_TRANSACTION_V2', {
        signWith: addresses[0],
        unsignedTransaction: unsigned,
        type: 'TRANSACTION_TYPE_ETHEREUM',
      }),
    );
  }

  const visit = async () => {
    if (!('browser' in launched)) throw new Error(unavailable);
    open = await openPage(launched.browser, `${service.baseUrl}/policies`);
    await open.page.locator('#verdict:not(:empty)').waitFor();
    return open;
  };

  async function useRootKey() {
    const { page } = open;
    await page.locator('#root-text').fill(await readFile(join(service.dataDir, 'root.json'), 'utf8'));
    await page.locator('#use-key').click();
    await page.locator('#who-result dl').waitFor();
  }

  const textOf = async (selector: string) => (await open.page.locator(selector).first().textContent()) ?? '';
  const write = (clause: string, text: string) => open.page.locator(`#${clause}`).fill(text);
  const read = (clause: string) => open.page.locator(`#${clause}`).inputValue();
  const asked = (requests: readonly string[]) => requests.filter((url) => url.includes('/public/'));
  const storedPolicies = async () =>
    (await query(wire(), root(), 'list_policies')).body.policies as { policyName: string; condition: string }[];

  test('from a mistake to a policy that holds: checked, tried on what was signed, saved', async () => {
    const { page, errors, requests } = await visit();
    const mistaken = `activity.kind == 'SIGN_TRANSACTION' && eth.tx.chain_id == 1 && eth.tx.valu <= ${ether}`;
    await write('condition', mistaken);
    expect(await textOf('#condition-found .place')).toBe(`1:${mistaken.indexOf('valu ') + 1}`);
    expect(await textOf('#condition-found')).toContain('field does not exist: valu');
    expect(await textOf('#condition-found')).toContain('a field of EthereumTransaction');
    expect(await textOf('[data-clause=condition] [data-mark=error]')).toBe('valu');
    expect(await page.locator('#condition').getAttribute('aria-invalid')).toBe('true');
    expect(await textOf('#verdict')).toBe('1 mistake.');
    expect(await page.locator('#run').isDisabled()).toBe(true);

    await page.getByRole('button', { name: 'Use value' }).press('Enter');
    expect(await read('condition')).toContain(`eth.tx.value <= ${ether}`);
    expect(await page.locator('#condition').getAttribute('aria-invalid')).toBe('false');
    expect(await textOf('#verdict')).toMatch(/^Turnkey’s language, at most \d+ steps\.$/);
    await page.keyboard.press('Control+z');
    expect(await read('condition')).toContain('eth.tx.valu <=');
    await page.keyboard.press('Control+Shift+z');
    expect(asked(requests)).toEqual([]);

    await useRootKey();
    await page.locator('#sample').selectOption({ index: 0 });
    expect(await textOf('#sample option')).toContain('SIGN_TRANSACTION, completed');
    await page.locator('#run').click();
    await page.locator('.trace').waitFor();
    expect(await textOf('#outcome .verdict')).toBe('This policy does not match: it allows nothing here.');
    expect(await textOf('#outcome dl')).toContain('allowed (root-quorum)');
    const bad = page.locator('.traced [data-state=false] [data-state=false]');
    expect(await bad.textContent()).toBe(`eth.tx.value <= ${ether}`);
    expect(await page.locator('.traced [data-state=true]').first().textContent()).toBe(
      "activity.kind == 'SIGN_TRANSACTION'",
    );
    const line = page.getByRole('button', { name: `eth.tx.value <= ${ether} false` });
    expect(await line.textContent()).toContain(`eth.tx.value = ${2n * ether}`);
    await line.focus();
    expect(await page.locator('.traced [data-marked]').textContent()).toBe(`eth.tx.value <= ${ether}`);

    // The trace follows the text, and nobody is asked for that.
    const before = asked(requests).length;
    await write('condition', (await read('condition')).replace(String(ether), String(3n * ether)));
    expect(await textOf('#outcome .verdict')).toBe('This policy allows it.');
    expect(await page.locator('.traced [data-state=false]').count()).toBe(0);
    expect(asked(requests)).toHaveLength(before);

    expect(await page.locator('#save').isDisabled()).toBe(true);
    await page.locator('#policy-name').fill('at most 3');
    await page.locator('#save').click();
    await page.locator('#saved dl').waitFor();
    expect(await textOf('#saved')).toContain('Saved.');
    expect(await storedPolicies()).toMatchObject([{ policyName: 'at most 3', condition: await read('condition') }]);

    // What was saved is now what is changed.
    await page.locator('#effect').selectOption('EFFECT_GUARD');
    await write('condition', `eth.tx.value > ${ether}`);
    expect(await page.locator('.difference ins').allTextContents()).toContain(String(ether));
    expect(await page.locator('.difference del').allTextContents()).toContain(String(3n * ether));
    expect(await textOf('#outcome dl')).toContain('denied (at most 3)');
    await page.locator('#replay').click();
    await page.locator('.changes').waitFor();
    expect(await textOf('#replayed')).toMatch(/^1 decision of \d+ would be another/);
    expect(await textOf('.changes tbody tr')).toContain('denied (at most 3)');
    expect(await textOf('.changes tbody tr')).toContain(`eth.tx.value = ${2n * ether}`);
    await page.locator('#save').click();
    await page.locator('#saved dl').waitFor();
    expect(await storedPolicies()).toMatchObject([{ effect: 'EFFECT_GUARD', condition: `eth.tx.value > ${ether}` }]);
    expect(errors).toEqual([]);
  });

  test('a passkey reads and saves the policies of its own organization', async () => {
    const { page, errors } = await visit();
    await page.goto(service.baseUrl);
    await page.locator('#root-file').setInputFiles(join(service.dataDir, 'root.json'));
    await page.locator('#step-company[data-state=done]').waitFor();
    await page.locator('#create').click();
    await page.locator('#step-user[data-state=done]').waitFor();
    const organizationId = await textOf('#step-user dt:text-is("Sub-organization") + dd');
    await page.getByRole('link', { name: 'Policies' }).click();

    await page.locator('#verdict:not(:empty)').waitFor();
    await page.getByText('With a passkey').click();
    await page.locator('#organization-id').fill(organizationId);
    await page.locator('#use-passkey').click();
    await page.locator('#who-result dl').waitFor();
    await page.locator('#start').selectOption({ label: 'no-blind-signing: no blind signing' });
    expect(await page.locator('#delay').inputValue()).toBe('24');
    await page.locator('#save').click();
    await page.locator('#saved dl').waitFor();
    expect(await textOf('#saved')).toContain('Saved.');
    const byParent = { ...root(), organizationId };
    expect((await query(wire(), byParent, 'list_policies')).body.policies).toMatchObject([
      { policyName: 'no blind signing', effect: 'EFFECT_GUARD', delaySeconds: 86_400, language: 'cel' },
    ]);
    await page.locator('#load-activities').click();
    await page.locator('#sample option', { hasText: 'CREATE_POLICY, completed' }).waitFor({ state: 'attached' });
    expect(errors).toEqual([]);
  });

  test('suggests what fits, by the keyboard alone', async () => {
    const { page } = await visit();
    const options = () => page.locator('#condition-list [role=option] > code').allTextContents();
    await page.locator('#condition').click();
    await page.keyboard.type('eth.tx.val');
    expect(await options()).toEqual(['value']);
    await page.keyboard.press('Enter');
    expect(await read('condition')).toBe('eth.tx.value');
    await page.keyboard.type(" == 0 && activity.kind == 'SIGN_RAW");
    expect(await options()).toEqual(['SIGN_RAW_PAYLOAD', 'SIGN_RAW_PAYLOADS']);
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('#condition').getAttribute('aria-activedescendant')).toBe('condition-list-1');
    await page.keyboard.press('Tab');
    await page.keyboard.type(' && eth.tx.calls.ex');
    expect(await options()).toEqual(['exists', 'exists_one']);
    await page.keyboard.press('Enter');
    await page.keyboard.type('x.sel');
    await page.keyboard.press('Enter');
    expect(await read('condition')).toBe(
      "eth.tx.value == 0 && activity.kind == 'SIGN_RAW_PAYLOADS' && eth.tx.calls.exists(x, x.selector)",
    );
    await page.keyboard.type('.starts');
    await page.keyboard.press('Escape');
    expect(await page.locator('#condition-list').isHidden()).toBe(true);
    await page.keyboard.press('Control+Space');
    expect(await options()).toEqual(['startsWith']);

    await page.locator('#kind').selectOption('CREATE_WALLET');
    await write('condition', '');
    await page.locator('#condition').click();
    await page.keyboard.type('tx');
    expect(await options()).toEqual([]);
    await page.locator('#kind').selectOption('SIGN_TRANSACTION');
    await page.locator('#language').selectOption('turnkey');
    await write('condition', '');
    await page.locator('#condition').click();
    await page.keyboard.type('eth.tx.call');
    expect(await options()).not.toContain('calls_complete');
  });

  test('the language counts, warnings have a way out, and formatting can be undone', async () => {
    const { page } = await visit();
    await write('condition', '1 ether > eth.tx.value||eth.tx.value==0 // both');
    expect(await textOf('#verdict')).toMatch(/^CEL, .* 1 warning\.$/);
    await page.locator('#language').selectOption('turnkey');
    expect(await textOf('#verdict')).toBe('1 mistake.');
    await page.locator('#language').selectOption('cel');
    await page.getByRole('button', { name: 'Add eth.tx.chain_id == 1' }).click();
    expect(await read('condition')).toBe('(1 ether > eth.tx.value||eth.tx.value==0 // both\n) && eth.tx.chain_id == 1');
    expect(await page.locator('#condition-found li').count()).toBe(0);
    await page.locator('#format').click();
    expect(await read('condition')).toBe('(1 ether > eth.tx.value || eth.tx.value == 0) && eth.tx.chain_id == 1');
    expect(await textOf('#progress')).toContain('comments are not part');
  });

  test('every template is right, and its examples can be tried without a key', async () => {
    const { page, requests } = await visit();
    const values = await page
      .locator('#start option')
      .evaluateAll((all) => all.map((each) => (each as unknown as { value: string }).value));
    for (const value of values.filter((each) => each !== '')) {
      await page.locator('#start').selectOption(value);
      expect(await textOf('#verdict')).not.toContain('mistake');
      await page.locator('#run').click();
      await page.locator('.trace').first().waitFor();
      expect(await page.locator('#outcome [role=alert]').count()).toBe(0);
    }
    expect(asked(requests)).toEqual([]);
  });

  test('a refusal is said in words', async () => {
    const { page } = await visit();
    await page.locator('#root-text').fill('{"organizationId": "x"}');
    await page.locator('#use-key').click();
    expect(await textOf('#who-result [role=alert]')).toContain('apiPublicKey, apiPrivateKey is missing');
    await useRootKey();
    await page.locator('#policy-name').fill('twice');
    await write('condition', 'eth.tx.value == 0 && eth.tx.chain_id == 1');
    await page.locator('#save').click();
    await page.locator('#saved dl').waitFor();
    await page.locator('#start').selectOption('');
    await page.locator('#policy-name').fill('twice');
    await page.locator('#save').click();
    expect(await textOf('#saved [role=alert]')).toMatch(/^Refused: .*\(400 INVALID_ARGUMENT\)/);
    expect(await page.locator('#save').isEnabled()).toBe(true);
  });

  test('the private key leaves the page in no request', async () => {
    const { page } = await visit();
    const sent: string[] = [];
    page.on('request', (request) => {
      const { 'x-stamp': stamp = '', ...headers } = request.headers();
      sent.push(request.url(), request.postData() ?? '', JSON.stringify(headers));
      sent.push(Buffer.from(stamp, 'base64url').toString());
    });
    await useRootKey();
    const kept = await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])');
    const seen = [...sent, await page.content(), await page.locator('#root-text').inputValue(), kept].join('\n');
    expect(seen).toContain(service.root.apiPublicKey);
    const { apiPrivateKey } = service.root;
    for (const form of [apiPrivateKey, Buffer.from(apiPrivateKey, 'hex').toString('base64url')]) {
      expect(seen.toLowerCase()).not.toContain(form.toLowerCase());
    }
  });

  /** With all that can be there: a mistake, a warning, a trace, suggestions. */
  async function fill() {
    const { page } = await visit();
    await page.locator('#start').selectOption({ index: 1 });
    await page.locator('#run').click();
    await page.locator('.trace').first().waitFor();
    await write('consensus', 'approvers.any(user, user.name == 1)');
    await page.locator('#condition').press('Control+End');
    await page.keyboard.type(' && eth');
    return page;
  }

  test('has one main heading, named controls, and nothing from elsewhere', async () => {
    const page = await fill();
    const { errors, requests } = open;
    expect(await page.title()).toBe('Policies · Countersign');
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    for (const control of await page.locator('button, input, textarea, a, select').all()) {
      if (!(await control.isVisible())) continue;
      const snapshot = await control.ariaSnapshot();
      const markup = await control.evaluate((element) => (element as unknown as { outerHTML: string }).outerHTML);
      expect(snapshot, markup).toMatch(/^- \w+ "[^"]+|^- '\w+ "[^"]+/);
    }
    const levels = (await page
      .locator('h1, h2, h3, h4')
      .evaluateAll((all) =>
        all.map((each) => Number((each as unknown as { tagName: string }).tagName[1])),
      )) as number[];
    expect(levels.filter((level) => level === 2).length).toBeGreaterThan(3);
    expect(errors).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(`${service.baseUrl}/`))).toEqual([]);
  });

  test.each(['light', 'dark'] as const)('text has contrast enough, %s (WCAG 2.2, 1.4.3 AA)', async (colorScheme) => {
    const page = await fill();
    await page.emulateMedia({ colorScheme });
    const low = (await page.evaluate(lowContrast)) as string[];
    // The text areas' own text is on the layer behind them.
    expect(low.filter((text) => !/^<textarea id="(?:condition|consensus|time)"/.test(text))).toEqual([]);
  });

  test('fits a screen of 320 px, and of 1280 px', async () => {
    const page = await fill();
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }
  });
});
