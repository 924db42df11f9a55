import { expect, test } from 'vitest';
import { noQuery } from '../../../src/enclave/queries/app-proofs.ts';
import { toStatus } from '../../../src/protocol/errors.ts';

test.each(['list_app_proofs', 'get_boot_proof', 'get_latest_boot_proof'])('%s is refused with a reason', (name) => {
  const { status, body } = toStatus(noQuery(name));
  expect(status).toBe(501);
  expect(JSON.stringify(body)).toContain('APP_PROOFS_UNAVAILABLE');
  expect(body.message).toContain('GET /attestation');
});

test('a name that there is not is not found', () => {
  expect(toStatus(noQuery('x'.repeat(1000)))).toMatchObject({
    status: 404,
    body: { message: `no query \`${'x'.repeat(100)}\`` },
  });
});
