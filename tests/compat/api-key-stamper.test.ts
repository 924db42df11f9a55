/** Stamps of `@turnkey/api-key-stamper`, by each of its three implementations. */
import { ApiKeyStamper, signWithApiKey } from '@turnkey/api-key-stamper';
import { beforeAll, describe, expect, test } from 'vitest';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import { post } from './raw.ts';
import { newSubOrganization, type SubOrganization, useService } from './use-service.ts';

const service = useService();
let sub: SubOrganization;

beforeAll(async () => {
  sub = await newSubOrganization(service.client());
});

const stamperOf = (runtimeOverride: 'node' | 'browser' | 'purejs', { publicKey, privateKey } = sub.key) =>
  new ApiKeyStamper({ apiPublicKey: publicKey, apiPrivateKey: privateKey, runtimeOverride });

const whoami = (body: string, headers: Record<string, string>) =>
  post(`${service.baseUrl}/public/v1/query/whoami`, body, headers);

describe.each(['node', 'browser', 'purejs'] as const)('%s', (runtime) => {
  test('stamps are accepted, whatever length their signatures have', async () => {
    const lengths = new Set<number>();
    // Of 40 pairs of integers, at least one takes a byte more or less than another but in one run of 10¹¹.
    for (let index = 0; index < 40; index++) {
      const body = JSON.stringify({ organizationId: sub.organizationId, index });
      const { stampHeaderName, stampHeaderValue } = await stamperOf(runtime).stamp(body);
      const stamp = JSON.parse(Buffer.from(stampHeaderValue, 'base64url').toString());
      expect(Object.keys(stamp).sort()).toEqual(['publicKey', 'scheme', 'signature']);
      lengths.add(stamp.signature.length);
      expect(await whoami(body, { [stampHeaderName]: stampHeaderValue })).toMatchObject({
        status: 200,
        json: { userId: sub.userId },
      });
    }
    expect(lengths.size).toBeGreaterThan(1);
  });

  test.each([
    ['text of many alphabets', 'Zürich 東京 القاهرة 😀'],
    ['escapes', '\\u0000 \\ud83d\\ude00 \\n'],
  ])('over %s', async (_, text) => {
    const body = `{"organizationId":"${sub.organizationId}","note":"${text}"}`;
    const { stampHeaderName, stampHeaderValue } = await stamperOf(runtime).stamp(body);
    expect((await whoami(body, { [stampHeaderName]: stampHeaderValue })).status).toBe(200);
  });

  test('signWithApiKey makes the signature of a stamp', async () => {
    const { publicKey, privateKey } = sub.key;
    const content = JSON.stringify({ organizationId: sub.organizationId });
    const signature = await signWithApiKey({ content, publicKey, privateKey }, runtime);
    const stamp = { signature, scheme: 'SIGNATURE_SCHEME_TK_API_P256', publicKey };
    const value = Buffer.from(JSON.stringify(stamp)).toString('base64url');
    expect((await whoami(content, { 'X-Stamp': value })).status).toBe(200);
    const another = await whoami(content.replace('{', '{ '), { 'X-Stamp': value });
    expect(another).toMatchObject({ status: 401, json: { details: [{ turnkeyErrorCode: 'SIGNATURE_INVALID' }] } });
  });

  test('a key that nobody registered is refused', async () => {
    const body = JSON.stringify({ organizationId: sub.organizationId });
    const { stampHeaderName, stampHeaderValue } = await stamperOf(runtime, generateApiKey()).stamp(body);
    expect((await whoami(body, { [stampHeaderName]: stampHeaderValue })).status).toBe(401);
  });
});

// The pure one hashes what it is not sent as.
test.each(['node', 'browser'] as const)(
  '%s, over half of a surrogate pair, which is sent as U+FFFD',
  async (runtime) => {
    const body = `{"organizationId":"${sub.organizationId}","note":"\ud83d"}`;
    const { stampHeaderName, stampHeaderValue } = await stamperOf(runtime).stamp(body);
    expect((await whoami(body, { [stampHeaderName]: stampHeaderValue })).status).toBe(200);
  },
);
