import { expect, test } from 'vitest';
import { signRequest } from '../../../../src/enclave/nitro/sign-request.ts';

/** AWS Signature Version 4 test suite: post-vanilla, post-x-www-form-urlencoded and post-sts-header-before. */
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const now = new Date('2015-08-30T12:36:00Z');
const base = { region: 'us-east-1', service: 'service' };

test.each([
  [
    { host: 'example.amazonaws.com' },
    '',
    'host;x-amz-date',
    '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  ],
  [
    { host: 'example.amazonaws.com', 'content-type': 'application/x-www-form-urlencoded' },
    'Param1=value1',
    'content-type;host;x-amz-date',
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
])('signs as the vectors do: %s', (headers, body, signed, signature) => {
  expect(signRequest({ ...base, headers, body }, credentials, now)).toEqual({
    ...headers,
    'x-amz-date': '20150830T123600Z',
    authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
  });
});

test('a session token is sent and signed', () => {
  const headers = signRequest(
    { ...base, headers: { host: 'h' }, body: '' },
    { ...credentials, sessionToken: 'T' },
    now,
  );
  expect(headers['x-amz-security-token']).toBe('T');
  expect(headers.authorization).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token');
});
