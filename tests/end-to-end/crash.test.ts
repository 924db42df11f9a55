/**
 * kill -9 at random points under load, and then an account of every request: what was acknowledged is there, what was not
 * is carried out once when it is sent again, and nothing is there twice. `CRASH_SEED` repeats a run's choices.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type Service, startService } from '../support/service.ts';
import { healthyAgain, launch, leftOf } from './launch.ts';
import {
  type Activity,
  ask,
  backendOf,
  type Caller,
  carryOut,
  createUser,
  ethereumAccount,
  listActivities,
  type Prepared,
  payloadOf,
  prepareActivity,
  prepareQuery,
  resultOf,
  send,
  signRawPayload,
  type User,
} from './requests.ts';

const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 32));
const random = seededRandom(seed);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;

type Sent = { readonly caller: Caller; readonly request: Prepared; acknowledged?: Activity };

const dataDir = mkdtempSync(join(tmpdir(), 'countersign-crash-'));
const sent = new Map<string, Sent>();
const answered = new Set<Sent>();
const unexpected: unknown[] = [];
let service: Service;
let port: number;
let backend: Caller;
let users: User[];
let count = 0;

beforeAll(async () => {
  console.log(`CRASH_SEED=${seed}`);
  port = await freePort();
  service = await startService({ dataDir, port });
  backend = backendOf(service.root);
  users = [];
  for (const name of ['one', 'two', 'three']) users.push(await createUser(service.baseUrl, service.root, name));
});
afterAll(async () => {
  await service?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

type Victim = 'the process group' | 'the group, again while it starts' | 'api' | 'enclave' | 'postgres';
// A group between the others: a supervisor that saw several ends within seconds waits longer before it starts again.
const rounds: readonly Victim[] = [
  'api',
  'the process group',
  'enclave',
  'the group, again while it starts',
  'postgres',
  'the process group',
];

test.each(rounds.map((victim, index) => [index + 1, victim] as const))(
  'round %i: SIGKILL of %s',

  async (_, victim) => {
    let loaded = true;
    const before = acknowledged().length;
    const workers = Array.from({ length: 5 }, async () => {
      for (; loaded; await sleep(random() * 40)) await work();
    });
    await sleep(100 + random() * 600);
    await kill(victim);
    loaded = false;
    await Promise.all(workers);
    expect(unexpected).toEqual([]);
    expect(acknowledged().length).toBeGreaterThan(before);
    await checkAcknowledged(acknowledged().slice(before).slice(-20));
    await sendUnacknowledgedAgain();
    await checkNothingTwice();
  },
);

test('activities of all rounds are as they were, and their bodies still have that one answer', async () => {
  const sample = Array.from({ length: 50 }, () => pick(acknowledged()));
  await checkAcknowledged(sample);
  await inParallel(sample, async ({ request, acknowledged: known }) => {
    expect(await carryOut(service.baseUrl, request)).toEqual(known);
  });
  await checkNothingTwice();
});

async function kill(victim: Victim): Promise<void> {
  if (victim === 'the process group' || victim === 'the group, again while it starts') {
    await service.kill();
    if (victim === 'the group, again while it starts') {
      const started = launch({ env: { PORT: String(port), COUNTERSIGN_DATA_DIR: dataDir } });
      await sleep(300 + random() * 1500);
      started.signal('SIGKILL');
      await started.ended;
    }
    service = await startService({ dataDir, port });
    return;
  }
  const pid = service.pids()[victim] as number;
  process.kill(pid, 'SIGKILL');
  expect(await leftOf([pid], 5000)).toEqual([]);
  await healthyAgain(service.baseUrl);
  await sleep(300);
}

/** One request of a kind at random; the service may be gone before, during or after it. */
async function work(): Promise<void> {
  const { caller, request } = random() < 0.1 && sent.size > 0 ? pick([...sent.values()]) : newRequest();
  const known = sent.get(request.body) ?? { caller, request };
  sent.set(request.body, known);
  try {
    const answer = await send(service.baseUrl, request);
    const { activity } = answer.body as { activity: Activity };
    if (answer.status === 200) {
      if (known.acknowledged && known.acknowledged.id !== activity.id) unexpected.push([known.acknowledged, activity]);
      known.acknowledged = activity;
      answered.add(known);
    } else if (answer.status !== 503) unexpected.push(answer);
  } catch {
    await sleep(50);
  }
}

function newRequest(): { caller: Caller; request: Prepared } {
  const caller = pick(users);
  const name = `number ${++count}`;
  const kind = random();
  if (kind < 0.8) {
    return { caller, request: prepareActivity(caller, signRawPayload, payloadOf(caller.address, name)) };
  }
  if (kind < 0.87) {
    const wallet = { walletName: name, accounts: [ethereumAccount()] };
    return { caller, request: prepareActivity(caller, 'ACTIVITY_TYPE_CREATE_WALLET', wallet) };
  }
  const organization = { subOrganizationName: name, rootQuorumThreshold: 1, rootUsers: [rootUserOf(name)] };
  const request = prepareActivity(backend, 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8', organization);
  return { caller: backend, request };
}

const rootUserOf = (userName: string) => ({
  userName,
  apiKeys: [{ apiKeyName: 'key', publicKey: service.root.apiPublicKey, curveType: 'API_KEY_CURVE_P256' }],
  authenticators: [],
  oauthProviders: [],
});

/** In order of acknowledgement. */
const acknowledged = () => [...answered];

async function checkAcknowledged(those: readonly Sent[]): Promise<void> {
  const { baseUrl } = service;
  await inParallel(those, async ({ caller, acknowledged: known }) => {
    const query = prepareQuery(caller, 'get_activity', { activityId: known?.id });
    expect((await ask<{ activity: Activity }>(baseUrl, query)).activity).toEqual(known);
  });
}

/** Once more and then again: the first may have been carried out already, the second must change nothing. */
async function sendUnacknowledgedAgain(): Promise<void> {
  const open = [...sent.values()].filter((one) => one.acknowledged === undefined);
  await inParallel(open, async (one) => {
    one.acknowledged = await carryOut(service.baseUrl, one.request);
    answered.add(one);
    expect(await carryOut(service.baseUrl, one.request)).toEqual(one.acknowledged);
  });
}

/** What the lists and the database's own rows show is exactly what was sent. */
async function checkNothingTwice(): Promise<void> {
  const { baseUrl, root } = service;
  for (const caller of [...users, backend]) {
    const own = [...sent.values()].filter((one) => one.caller === caller).map((one) => one.acknowledged as Activity);
    const listed = await listActivities(baseUrl, caller);
    const others = caller === backend ? users.length : 0;
    expect(listed.length).toBe(own.length + others);
    const byFingerprint = new Map(listed.map((activity) => [activity.fingerprint, activity]));
    expect(byFingerprint.size).toBe(listed.length);
    const differing = own.filter((one) => !isDeepStrictEqual(byFingerprint.get(one.fingerprint), one));
    expect(differing).toEqual([]);
    if (caller === backend) continue;
    const { wallets } = await ask<{ wallets: { walletId: string }[] }>(baseUrl, prepareQuery(caller, 'list_wallets'));
    const made = own.flatMap((activity) => resultOf<{ walletId?: string }>(activity).walletId ?? []);
    expect(wallets.length).toBe(made.length + 1);
    expect(wallets.map(({ walletId }) => walletId)).toEqual(expect.arrayContaining(made));
  }
  const database = new pg.Client({ connectionString: root.databaseUrl });
  await database.connect();
  const { rows } = await database.query(`
    select count(*)::int as activities, count(distinct leaf_index)::int as leaves,
      count(distinct (organization_id, fingerprint))::int as fingerprints,
      count(distinct (organization_id, minute, position))::int as positions,
      (select max(number) - count(*) from batches)::int as "missingBatches"
    from activities`);
  await database.end();
  const activities = sent.size + users.length;
  expect(rows).toEqual([
    { activities, leaves: activities, fingerprints: activities, positions: activities, missingBatches: 0 },
  ]);
}

async function inParallel<T>(items: readonly T[], job: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const item of waiting) await job(item);
    }),
  );
}
