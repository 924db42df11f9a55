/**
 * Whoever sets the host's clock: an hour back or a year ahead, while the enclave runs and across a restart. What has ended stays
 * ended and what was spent stays spent; a year ahead at a start, which is the operator's, is the limit (docs/threat-model.md).
 */
import { serializeTransaction } from 'viem';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { createResident, type Resident, signing } from '../support/resident.ts';
import { activityBody, type Caller, reasonOf, resultOf, submit, type WireAnswer } from '../support/wire.ts';

const hour = 3_600_000;
const year = 365 * 24 * hour;

let enclave: EnclaveInMemory;
let owner: Resident;
let session: Caller;
/** Unix ms when everything below was set up. */
let start: number;

const to = '0x000000000000000000000000000000000000dead';
const transaction = () =>
  serializeTransaction({
    chainId: 1,
    type: 'eip1559',
    gas: 21_000n,
    nonce: Math.floor(Math.random() * 1e9),
    to,
    value: 10n ** 16n,
  }).slice(2);

/** A payment of 0.01 ether, stamped at a time of the attacker's choice. */
function pay(at: number, caller: Caller = owner.byApiKey): Promise<WireAnswer> {
  const parameters = {
    signWith: owner.addresses[0],
    unsignedTransaction: transaction(),
    type: 'TRANSACTION_TYPE_ETHEREUM',
  };
  const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2', parameters, String(at));
  return enclave.wire({ kind: 'submit', name: 'sign_transaction', body, stamp: caller.stamp(body) });
}

function signature(caller: Caller, at: number) {
  const body = activityBody(
    owner.organizationId,
    'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    signing(owner.addresses[0]),
    String(at),
  );
  return () => enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp: caller.stamp(body) });
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  enclave = await startEnclave();
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
  resultOf(
    await submit(enclave.wire, owner.byApiKey, 'create_policy', 'CREATE_POLICY_V3', {
      policyName: 'one payment a day',
      notes: '',
      effect: 'EFFECT_GUARD',
      language: 'cel',
      condition: "activity.kind == 'SIGN_TRANSACTION' && spent('eip155:1', '24h') + spending('eip155:1') > 0.01 ether",
    }),
  );
  const apiKey = generateApiKey();
  const apiKeys = [
    { apiKeyName: 'session', publicKey: apiKey.publicKey, curveType: 'API_KEY_CURVE_P256', expirationSeconds: '120' },
  ];
  resultOf(
    await submit(enclave.wire, owner.byApiKey, 'create_api_keys', 'CREATE_API_KEYS_V2', {
      userId: owner.userId,
      apiKeys,
    }),
  );
  session = { organizationId: owner.organizationId, stamp: (body) => makeApiKeyStamp(body, apiKey) };
  start = Date.now();
  expect((await signature(session, start)()).status).toBe(200);
  expect((await pay(start)).status).toBe(200);
  expect((await pay(start)).status).toBe(403);
});
afterEach(() => {
  enclave.remove();
  vi.useRealTimers();
});

/** Three minutes go by, as far as anybody can tell; then the session has ended. */
async function waitForItsEnd(): Promise<void> {
  vi.setSystemTime(start + 180_000);
  expect(reasonOf(await signature(session, start)())).toBe('API_KEY_EXPIRED');
  // Something happens then, so that it is recorded when it was.
  expect((await signature(owner.byApiKey, start + 180_000)()).status).toBe(200);
}

describe.each([
  ['while it runs', async () => {}],
  ['across a restart', () => enclave.restart()],
])('an hour back, %s', (_, restart) => {
  test('a session that has ended does not begin again, and what was spent stays spent', async () => {
    await waitForItsEnd();
    vi.setSystemTime(start - hour);
    await restart();
    for (const at of [start - hour, start, start + 180_000]) {
      expect((await signature(session, at)()).status).not.toBe(200);
      expect((await pay(at)).status).not.toBe(200);
    }
  });

  test('a body that was carried out is not carried out again, nor one that had grown too old', async () => {
    await waitForItsEnd();
    const once = signature(owner.byApiKey, start);
    const { body } = await once();
    const tooOld = signature(owner.byApiKey, start - hour + 60_000);
    expect(reasonOf(await tooOld())).toBe('INVALID_TIME');
    vi.setSystemTime(start - hour);
    await restart();
    expect((await once()).body.activity).toEqual(body.activity);
    expect(reasonOf(await tooOld())).toBe('INVALID_TIME');
  });
});

describe('a year ahead', () => {
  test('while it runs: nobody follows, the window stays as it is, and sessions go on to their end', async () => {
    vi.setSystemTime(start + year);
    expect((await pay(start)).status).toBe(403);
    expect(reasonOf(await pay(start + year))).toBe('INVALID_TIME');
    expect((await signature(session, start)()).status).toBe(200);
    // It is not recorded either: back in time, everything is as it was.
    vi.setSystemTime(start + 60_000);
    await enclave.restart();
    expect((await pay(start + 60_000)).status).toBe(403);
    expect((await signature(owner.byApiKey, start + 60_000)()).status).toBe(200);
  });

  test('at a start: believed, which is the limit; what is stamped now is then too old, also when the clock is right again', async () => {
    vi.setSystemTime(start + year);
    await enclave.restart();
    expect((await signature(session, start + year)()).status).not.toBe(200);
    expect((await pay(start + year)).status).toBe(200);
    expect((await pay(start + year)).status).toBe(403);
    vi.setSystemTime(start);
    await enclave.restart();
    expect(reasonOf(await pay(start))).toBe('INVALID_TIME');
  });
});
