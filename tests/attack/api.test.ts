/**
 * The `api` process as the attacker of DESIGN §1: it speaks to a real enclave over its own stream, keeps the rows, and lies
 * about everything it is asked. It may delay and drop; it must never forge, alter or replay.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { entropyToMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../../sdk/src/client.ts';
import { derivations } from '../../src/enclave/contexts.ts';
import { openPages } from '../../src/enclave/ledger/pages.ts';
import { keyPlace } from '../../src/enclave/ledger/transition.ts';
import { createSealer, deriveKey } from '../../src/enclave/sealing/seal.ts';
import type { BatchRows, Fetch, FetchedRows, ToEnclave } from '../../src/protocol/messages.ts';
import { queries } from '../../src/protocol/queries/index.ts';
import { uuidBytes } from '../../src/protocol/uuid.ts';
import {
  type EnclaveProcess,
  enclaveFolder,
  orderParent,
  ordersDone,
  spawnEnclave,
  startEnclave,
} from '../support/enclave-process.ts';
import { createMemoryStorage, hex, type MemoryStorage } from '../support/memory-storage.ts';
import { createResident, type Resident, sign, signing } from '../support/resident.ts';
import { rootKeyOf } from '../support/root-key.ts';
import {
  activityBody,
  type Caller,
  query,
  reasonOf,
  resultOf,
  submit,
  type Wire,
  type WireAnswer,
} from '../support/wire.ts';

type World = {
  storage: MemoryStorage;
  folder: string;
  parent: Caller;
  alice: Resident;
  bob: Resident;
  enclave: ReturnType<typeof startEnclave>;
  restart(): ReturnType<typeof startEnclave>;
};

/** An enclave inside this process with two residents; it can be restarted in a few ms. */
async function newWorld(): Promise<World> {
  const storage = createMemoryStorage();
  const { folder, parent, remove } = enclaveFolder();
  let enclave = startEnclave(folder, storage);
  onTestFinished(() => {
    enclave.stop();
    remove();
  });
  await enclave.serving();
  await ordersDone(folder);
  const alice = await createResident(enclave.wire, parent, 'Alice');
  const bob = await createResident(enclave.wire, parent, 'Bob');
  const world: World = {
    ...{ storage, folder, parent, alice, bob, enclave },
    restart() {
      enclave.stop();
      enclave = startEnclave(folder, storage);
      world.enclave = enclave;
      return enclave;
    },
  };
  return world;
}

const signRequest = (resident: Resident, body: string) =>
  ({ kind: 'submit', name: 'sign_raw_payload', body, stamp: resident.byPasskey.stamp(body) }) as const;

const signBody = ({ organizationId, addresses }: Resident, timestampMs?: string) =>
  activityBody(organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(addresses[0]), timestampMs);

/** Whether a promise is still open after a while in which honest answers come. */
async function isHeld(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise, sleep(60, 'held')])) === 'held';
}

const newestBatch = ({ storage }: World): BatchRows => storage.received.at(-1) as BatchRows;

describe('news about batches', () => {
  test('a batch reported as committed and never written is refused after a restart, until it is there', async () => {
    const world = await newWorld();
    world.storage.store = false;
    const held = sign(world.enclave.wire, world.alice.byPasskey, world.alice.addresses[0]);
    expect(await isHeld(held)).toBe(true);
    world.enclave.send({ type: 'committed', number: newestBatch(world).number });
    const signed = await held;
    expect(signed.status).toBe(200);
    const lost = newestBatch(world);

    world.storage.store = true;
    const restarted = world.restart();
    const reason = await restarted.refusal();
    expect(reason).toContain(`the database does not hold batch ${lost.number}`);
    expect(reason).toMatch(/run: countersign accept-state --root [0-9a-f]{64}/);
    const refused = await sign(restarted.wire, world.alice.byPasskey, world.alice.addresses[0]);
    expect([refused.status, reasonOf(refused)]).toEqual([503, 'STATE_REFUSED']);

    world.storage.port.write(lost);
    await restarted.serving();
    const id = signed.body.activity?.id as string;
    const found = await query(restarted.wire, world.alice.byPasskey, 'get_activity', { activityId: id });
    expect(found.body.activity?.result).toEqual(signed.body.activity?.result);
  });

  test('committed for a batch that is not out releases nothing', async () => {
    const world = await newWorld();
    world.storage.store = false;
    const held = sign(world.enclave.wire, world.alice.byPasskey, world.alice.addresses[0]);
    expect(await isHeld(held)).toBe(true);
    const { number } = newestBatch(world);
    for (const wrong of [number - 1, number + 1, number + 1000, -1, 0.5, `${number}`, null, [number]]) {
      world.enclave.send({ type: 'committed', number: wrong as number });
    }
    expect(await isHeld(held)).toBe(true);
    world.enclave.send({ type: 'committed', number });
    expect((await held).status).toBe(200);
  });

  test('a batch that was withheld before a restart is no part of the history when it turns up later', async () => {
    const world = await newWorld();
    world.storage.store = false;
    const body = signBody(world.alice);
    const abandoned = world.enclave.wire(signRequest(world.alice, body));
    expect(await isHeld(abandoned)).toBe(true);
    const old = newestBatch(world);

    world.storage.store = true;
    const restarted = world.restart();
    await restarted.serving();
    const { alice, storage } = world;
    const boot = newestBatch(world);
    expect(boot.number).toBe(old.number);
    expect(boot.record).not.toEqual(old.record);

    // Its activity is not believed, its body has not been carried out, and is carried out once.
    for (const row of old.activities) storage.tables.activities.set(`${hex(row.organizationId)}/${hex(row.id)}`, row);
    const id = uuidOf(old.activities[0]?.id as Uint8Array);
    const ghost = await query(restarted.wire, alice.byPasskey, 'get_activity', { activityId: id });
    expect([404, 503]).toContain(ghost.status);
    for (const row of old.activities) storage.tables.activities.delete(`${hex(row.organizationId)}/${hex(row.id)}`);
    const again = await restarted.wire(signRequest(alice, body));
    expect(again.status).toBe(200);
    expect(again.body.activity?.id).not.toBe(id);

    // Shown in the place of the one that took its number, it is refused.
    storage.tables.batches.set(old.number, { ...old });
    const tricked = world.restart();
    storage.answer = (fetch, rows) =>
      fetch.what === 'batches' && rows.what === 'batches'
        ? { what: 'batches', batches: [{ ...old }, ...rows.batches.filter(({ number }) => number !== old.number)] }
        : rows;
    expect(await tricked.refusal()).toMatch(/^(the database does not hold batch|batch \d+ in the database is not)/);
  });

  test('a conflict stops the service for good, and nothing that was held gets out', async () => {
    const world = await newWorld();
    world.storage.store = false;
    const held = sign(world.enclave.wire, world.alice.byPasskey, world.alice.addresses[0]);
    expect(await isHeld(held)).toBe(true);
    world.enclave.send({ type: 'conflict', number: newestBatch(world).number });
    expect([(await held).status, reasonOf(await held)]).toEqual([503, 'LEDGER_HALTED']);
    world.enclave.send({ type: 'committed', number: newestBatch(world).number });
    expect((await query(world.enclave.wire, world.bob.byPasskey, 'whoami')).status).toBe(503);
    expect(await world.enclave.refusal()).toContain('another enclave writes there');

    world.storage.store = true;
    const restarted = world.restart();
    await restarted.serving();
    expect((await sign(restarted.wire, world.alice.byPasskey, world.alice.addresses[0])).status).toBe(200);
  });

  test('an answer that is held is not to be had by a repeat, a read or a refusal', async () => {
    const world = await newWorld();
    const { enclave, alice, bob, parent, storage } = world;
    storage.store = false;
    const body = signBody(alice);
    const first = enclave.wire(signRequest(alice, body));
    expect(await isHeld(first)).toBe(true);
    const id = uuidOf(newestBatch(world).activities[0]?.id as Uint8Array);
    const others = [
      enclave.wire(signRequest(alice, body)),
      query(enclave.wire, alice.byPasskey, 'whoami'),
      query(enclave.wire, alice.byPasskey, 'get_activity', { activityId: id }),
      query(enclave.wire, alice.byPasskey, 'list_activities'),
      query(enclave.wire, parent, 'list_suborgs'),
      query(enclave.wire, bob.byPasskey, 'list_wallets'),
      enclave.wire({ ...signRequest(alice, body), stamp: bob.byPasskey.stamp(body) }),
      enclave.wire({ kind: 'query', name: 'whoami', body: 'no JSON', stamp: null }),
    ];
    for (const held of [first, ...others]) expect(await isHeld(held)).toBe(true);
    storage.storeNext();
    const [signed, repeated, whoami, activity] = await Promise.all([first, ...others]);
    expect(signed?.body.activity?.id).toBe(id);
    expect(repeated?.body.activity).toEqual(signed?.body.activity);
    expect(activity?.body.activity).toEqual(signed?.body.activity);
    expect(whoami?.status).toBe(200);
  });
});

const uuidOf = (bytes: Uint8Array) => {
  const text = hex(bytes);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
};

describe('rows', () => {
  type Lie = (fetch: Fetch, rows: FetchedRows, older: FetchedRows) => unknown;

  const eachBytes = (value: unknown, change: (bytes: Uint8Array) => unknown): unknown => {
    if (value instanceof Uint8Array) return change(value);
    if (Array.isArray(value)) return value.map((part) => eachBytes(part, change));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, eachBytes(part, change)]));
  };
  const eachList = (value: unknown, change: (list: unknown[]) => unknown[]): unknown => {
    if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return change(value);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, eachList(part, change)]));
  };
  const flipped = (bytes: Uint8Array, at: number) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] as number) ^ 1;
    return copy;
  };
  const lies: Record<string, Lie> = {
    'the first byte of everything flipped': (_, rows) => eachBytes(rows, (bytes) => flipped(bytes, 0)),
    'the last byte of everything flipped': (_, rows) => eachBytes(rows, (bytes) => flipped(bytes, bytes.length - 1)),
    'everything a byte short': (_, rows) => eachBytes(rows, (bytes) => bytes.subarray(1)),
    'everything a byte long': (_, rows) => eachBytes(rows, (bytes) => Buffer.concat([bytes, Buffer.of(0)])),
    'text for bytes': (_, rows) => eachBytes(rows, (bytes) => Buffer.from(bytes).toString('hex')),
    'null for bytes': (_, rows) => eachBytes(rows, () => null),
    'no rows': (_, rows) =>
      eachBytes(
        eachList(rows, () => []),
        () => Buffer.alloc(0),
      ),
    'null for lists': (_, rows) => eachList(rows, () => null as never),
    'the first row missing': (_, rows) => eachList(rows, (list) => list.slice(1)),
    'each row twice': (_, rows) => eachList(rows, (list) => list.flatMap((row) => [row, row])),
    'rows as of earlier': (_, __, older) => older,
    'an answer to another question': (fetch) => ({ what: fetch.what === 'keys' ? 'batches' : 'keys', keys: [] }),
    'no answer': () => null,
    'an empty answer': ({ what }) => ({ what }),
  };
  const kinds: Fetch['what'][] = [
    ...(['organization', 'keys', 'fingerprints', 'activities', 'activityList', 'subOrganizations'] as const),
    ...(['batches', 'headDigests', 'lookups', 'frontier'] as const),
  ];
  /** What the database need not be believed about is what it leaves out (docs/threat-model.md). */
  const mayHide: readonly Fetch['what'][] = ['activities', 'activityList', 'subOrganizations'];

  /** What an enclave that was lied to about `what` answers, and what it answers once it is not. */
  async function lieAbout(what: Fetch['what'], name: string, world: World, earlier: MemoryStorage, before: Readings) {
    const { storage, alice, bob } = world;
    storage.answer = async (fetch, rows) => {
      if (fetch.what !== what) return rows;
      return (lies[name] as Lie)(fetch, rows, await earlier.port.fetch(fetch)) as FetchedRows;
    };
    const enclave = world.restart();
    await Promise.race([enclave.serving(), enclave.refusal().catch(() => {})]);
    const { repeatable, right } = before;
    for (const [index, answer] of (await readings(enclave.wire, world, repeatable)).entries()) {
      if (answer.status === 503) continue;
      // A sub-organization whose rows were altered is left out of its parent's lists, which are the last readings.
      const isListOfOrganizations = what === 'organization' && index >= firstListOfOrganizations;
      if ((mayHide.includes(what) || isListOfOrganizations) && isPart(answer, right[index] as WireAnswer)) continue;
      expect(answer, `${name} in ${what}, reading ${index}`).toEqual(right[index]);
    }
    const signed = await sign(enclave.wire, alice.byPasskey, alice.addresses[1]);
    expect([200, 503], `${name} in ${what}: ${reasonOf(signed)}`).toContain(signed.status);

    storage.answer = (_, rows) => rows;
    await enclave.serving();
    expect(await readings(enclave.wire, world, repeatable), `${name} in ${what}, then honest`).toEqual(right);
    for (const { byPasskey, addresses } of [alice, bob]) {
      expect((await sign(enclave.wire, byPasskey, addresses[1])).status, `${name} in ${what}, then honest`).toBe(200);
    }
  }

  test('lies of every kind about every kind: refused or right, and right again without a restart', async () => {
    await Promise.all(
      Object.keys(lies).map(async (name) => {
        const world = await newWorld();
        const { storage, alice, bob } = world;
        const repeatable = signRequest(alice, signBody(alice));
        expect((await world.enclave.wire(repeatable)).status).toBe(200);
        const earlier = createMemoryStorage();
        earlier.tables = storage.snapshot();
        resultOf(await rename(world.enclave.wire, alice, 'renamed'));
        resultOf(await rename(world.enclave.wire, bob, 'renamed too'));
        const right = await readings(world.enclave.wire, world, repeatable);
        for (const { status } of right) expect(status).toBe(200);
        for (const what of kinds) await lieAbout(what, name, world, earlier, { repeatable, right });
      }),
    );
  }, 120_000);

  type Readings = { repeatable: Parameters<Wire>[0]; right: readonly WireAnswer[] };

  const rename = (wire: Wire, { byPasskey, walletId }: Resident, walletName: string) =>
    submit(wire, byPasskey, 'update_wallet', 'UPDATE_WALLET', { walletId, walletName });

  /** Reads by every way in which rows come to the enclave, with answers that later activities do not change. */
  async function readings(wire: Wire, { alice, bob, parent }: World, repeatable: Parameters<Wire>[0]) {
    const activities = (caller: Caller) =>
      query(wire, caller, 'list_activities', {
        filterByType: ['ACTIVITY_TYPE_UPDATE_WALLET'],
        paginationOptions: { limit: '100' },
      });
    return Promise.all([
      query(wire, alice.byPasskey, 'list_wallets'),
      query(wire, bob.byApiKey, 'get_organization'),
      query(wire, { ...alice.byPasskey, organizationId: parent.organizationId }, 'whoami'),
      wire(repeatable),
      activities(alice.byPasskey),
      query(wire, parent, 'list_suborgs', { filterType: 'NAME', filterValue: 'Bob' }),
      query(wire, parent, 'list_suborgs'),
      query(wire, parent, 'list_suborgs', { filterType: 'CREDENTIAL_ID', filterValue: alice.passkey.credentialId }),
    ]);
  }

  const firstListOfOrganizations = 5;

  /** Whether a list is one from which something was left out. */
  function isPart(answer: WireAnswer, whole: WireAnswer): boolean {
    const lists = ({ body }: WireAnswer) => Object.values(body).find(Array.isArray) as unknown[] | undefined;
    const [shown, all] = [lists(answer), lists(whole)];
    if (!shown || !all || shown.length >= all.length) return false;
    const rest = all.map((entry) => JSON.stringify(entry));
    return shown.every((entry) => rest.includes(JSON.stringify(entry)));
  }

  test("an activity in another one's place is not taken for it", async () => {
    const world = await newWorld();
    const { enclave, alice, storage } = world;
    const requests = [signRequest(alice, signBody(alice)), signRequest(alice, signBody(alice))] as const;
    const signed = [await enclave.wire(requests[0]), await enclave.wire(requests[1])];
    const [first, second] = signed.map((answer) => answer.body.activity?.id as string) as [string, string];
    storage.answer = async (fetch, rows) => {
      if (fetch.what !== 'activities') return rows;
      const ids = [uuidBytes(hex(fetch.ids[0] as Uint8Array) === hex(uuidBytes(first)) ? second : first)];
      const other = createMemoryStorage();
      other.tables = storage.tables;
      return other.port.fetch({ ...fetch, ids });
    };
    const shown = await query(enclave.wire, alice.byPasskey, 'get_activity', { activityId: first });
    expect(shown.status).not.toBe(200);
    const repeated = await enclave.wire(requests[0]);
    expect([repeated.status, reasonOf(repeated)]).toEqual([503, 'ROW_INTEGRITY']);
    storage.answer = (_, rows) => rows;
    expect((await enclave.wire(requests[0])).body.activity).toEqual(signed[0]?.body.activity);
  });

  test("another organization's rows, and another parent's sub-organizations, are not taken for one's own", async () => {
    const world = await newWorld();
    const { storage, alice, bob } = world;
    const honest = createMemoryStorage();
    honest.tables = storage.tables;
    storage.answer = (fetch, rows) =>
      'organizationId' in fetch && hex(fetch.organizationId) === hex(uuidBytes(alice.organizationId))
        ? honest.port.fetch({ ...fetch, organizationId: uuidBytes(bob.organizationId) })
        : rows;
    const enclave = world.restart();
    await enclave.serving();
    for (const caller of [alice.byPasskey, { ...bob.byPasskey, organizationId: alice.organizationId }]) {
      const answers = await Promise.all([
        query(enclave.wire, caller, 'list_wallets'),
        sign(enclave.wire, caller, alice.addresses[0]),
        sign(enclave.wire, caller, bob.addresses[0]),
      ]);
      for (const answer of answers) expect([401, 503]).toContain(answer.status);
    }
    expect((await sign(enclave.wire, bob.byPasskey, bob.addresses[0])).status).toBe(200);

    storage.answer = (_, rows) => rows;
    expect((await sign(enclave.wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
    const other = orderParent(world.folder);
    await ordersDone(world.folder);
    const carol = await createResident(enclave.wire, other, 'Carol');
    storage.answer = (fetch, rows) =>
      fetch.what === 'subOrganizations' && rows.what === 'subOrganizations'
        ? { what: 'subOrganizations', organizationIds: [...rows.organizationIds, uuidBytes(carol.organizationId)] }
        : rows;
    const listed = (await query(enclave.wire, world.parent, 'list_suborgs')).body.organizationIds as string[];
    expect(listed.sort()).toEqual([alice.organizationId, bob.organizationId].sort());
  });

  test('state as of before a deletion gives a deleted credential nothing back', async () => {
    const world = await newWorld();
    const { storage, alice } = world;
    const before = storage.snapshot();
    const keys = await query(world.enclave.wire, alice.byPasskey, 'get_api_keys', { userId: alice.userId });
    const [apiKey] = keys.body.apiKeys as [{ apiKeyId: string }];
    const parameters = { userId: alice.userId, apiKeyIds: [apiKey.apiKeyId] };
    resultOf(await submit(world.enclave.wire, alice.byPasskey, 'delete_api_keys', 'DELETE_API_KEYS', parameters));
    expect((await sign(world.enclave.wire, alice.byApiKey, alice.addresses[0])).status).toBe(401);
    const old = createMemoryStorage();
    old.tables = before;
    for (const kinds of [['organization'], ['organization', 'lookups'], ['organization', 'headDigests', 'lookups']]) {
      storage.answer = (fetch, rows) => (kinds.includes(fetch.what) ? old.port.fetch(fetch) : rows);
      const enclave = world.restart();
      await Promise.race([enclave.serving(), enclave.refusal().catch(() => {})]);
      expect([401, 503]).toContain((await sign(enclave.wire, alice.byApiKey, alice.addresses[0])).status);
      storage.answer = (_, rows) => rows;
      await enclave.serving();
      expect((await sign(enclave.wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
      expect((await sign(enclave.wire, alice.byApiKey, alice.addresses[0])).status).toBe(401);
    }
  });
});

describe('time', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('a body is carried out once, in every minute of its hour, across restarts, and refused after it', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    const world = await newWorld();
    const { alice } = world;
    const request = signRequest(alice, signBody(alice));
    const { id } = (await world.enclave.wire(request)).body.activity as { id: string };
    const start = Date.now();
    for (let minute = 1; minute <= 60; minute++) {
      vi.setSystemTime(start + minute * 60_000 - 1);
      if (minute % 20 === 0) await world.restart().serving();
      // Something else happens in each minute, so that old buckets are dropped.
      if (minute % 7 === 0) await sign(world.enclave.wire, alice.byPasskey, alice.addresses[0]);
      const again = await world.enclave.wire(request);
      expect(again.body.activity?.id ?? reasonOf(again), `minute ${minute}`).toBe(id);
    }
    for (const late of [60, 61, 120]) {
      vi.setSystemTime(start + late * 60_000 + 1);
      if (late === 61) await world.restart().serving();
      expect(reasonOf(await world.enclave.wire(request))).toBe('INVALID_TIME');
    }
    // The host's clock runs back: the enclave's does not.
    vi.setSystemTime(start);
    await world.restart().serving();
    expect(reasonOf(await world.enclave.wire(request))).toBe('INVALID_TIME');
  });

  test('the window is one hour back and five minutes ahead', async () => {
    const world = await newWorld();
    const at = (offset: number) => {
      const body = signBody(world.alice, String(Date.now() + offset));
      return world.enclave.wire(signRequest(world.alice, body));
    };
    for (const offset of [0, -59 * 60_000, 4 * 60_000]) expect((await at(offset)).status).toBe(200);
    for (const offset of [-60 * 60_000 - 1, 6 * 60_000, -1e12, 1e12]) {
      expect(reasonOf(await at(offset))).toBe('INVALID_TIME');
    }
    for (const odd of ['', '-1', '1e12', ' 1', '0x1', '9'.repeat(16), '1.0']) {
      const body = signBody(world.alice, odd);
      expect((await world.enclave.wire(signRequest(world.alice, body))).status).toBe(400);
    }
  });
});

describe('requests and the stream', () => {
  let storage: MemoryStorage;
  let enclave: EnclaveProcess;
  let folder: string;
  let alice: Resident;
  let bob: Resident;
  let parent: Caller;
  let remove: () => void;

  beforeAll(async () => {
    storage = createMemoryStorage();
    ({ folder, parent, remove } = enclaveFolder());
    enclave = spawnEnclave(folder, storage);
    await enclave.serving(60_000);
    await ordersDone(folder);
    alice = await createResident(enclave.wire, parent, 'Alice');
    bob = await createResident(enclave.wire, parent, 'Bob');
  }, 90_000);

  afterAll(async () => {
    await enclave.kill();
    remove();
  });

  const activities = () => storage.tables.activities.size;

  test('not a byte of a stamped body can be changed', async () => {
    const body = signBody(alice);
    const request = signRequest(alice, body);
    const bytes = Buffer.from(body);
    const before = activities();
    const altered = [...bytes.keys()].map((at) => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] as number) ^ 0x20;
      return copy;
    });
    const rewritten = JSON.parse(body) as Record<string, unknown>;
    const reordered = JSON.stringify(Object.fromEntries(Object.entries(rewritten).reverse()));
    const spaced = [`${body} `, ` ${body}`, body.replace(':', ': '), JSON.stringify(rewritten, null, 1), reordered];
    const others = [body.slice(0, -1), `${body}${body}`, body.replaceAll(alice.organizationId, bob.organizationId)];
    for (const wrong of [...altered, ...spaced, ...others]) {
      const { status } = await enclave.wire({ ...request, body: wrong });
      expect([400, 401, 404], String(wrong)).toContain(status);
    }
    expect(activities()).toBe(before);
    expect((await enclave.wire(request)).status).toBe(200);
    expect(activities()).toBe(before + 1);
  });

  test('a stamp is good for its own body, organization and path only', async () => {
    const before = activities();
    const body = signBody(alice);
    const request = signRequest(alice, body);
    const another = signBody(alice);
    for (const name of ['sign_raw_payloads', 'sign_transaction', 'create_wallet', 'delete_sub_organization', 'x', '']) {
      expect([400, 404]).toContain((await enclave.wire({ ...request, name })).status);
    }
    expect((await enclave.wire({ ...request, body: another })).status).toBe(401);
    expect((await enclave.wire({ ...request, stamp: null })).status).toBe(401);
    expect((await enclave.wire({ ...request, stamp: bob.byPasskey.stamp(body) })).status).toBe(401);
    // To the parent's id: only what was stamped for it, and then by a member.
    const toParent = activityBody(
      parent.organizationId,
      'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
      signing(alice.addresses[0]),
    );
    const sent = await enclave.wire({ ...request, body: toParent, stamp: alice.byPasskey.stamp(toParent) });
    expect([400, 401]).toContain(sent.status);
    const { value } = alice.byApiKey.stamp(body);
    const crossed = { header: 'X-Stamp-Webauthn', value } as const;
    expect((await enclave.wire({ ...request, stamp: crossed })).status).toBe(401);
    expect(activities()).toBe(before);
  });

  test('the stamp of an activity is none of a query', async () => {
    const body = signBody(alice);
    const { stamp } = signRequest(alice, body);
    for (const name of ['whoami', 'get_organization', 'list_wallets', 'list_activities']) {
      expect((await enclave.wire({ kind: 'query', name, body, stamp })).status, name).toBe(400);
    }
    const asked = JSON.stringify({ organizationId: alice.organizationId });
    const wallets = await enclave.wire({
      ...{ kind: 'query', name: 'list_wallets', body: asked },
      stamp: alice.byPasskey.stamp(asked),
    });
    expect(wallets.status).toBe(200);
  });

  describe('the query of a client of our own', () => {
    /** The body that the SDK stamps, at some time. */
    async function bodyOf(ask: (client: ReturnType<typeof createClient>) => Promise<unknown>, time = Date.now()) {
      vi.useFakeTimers({ toFake: ['Date'], now: time });
      let stamped = '';
      const stamp = (body: string): never => {
        stamped = body;
        throw new Error('not sent');
      };
      const client = createClient({ baseUrl: '', organizationId: alice.organizationId, stamp });
      await expect(ask(client)).rejects.toThrow('not sent');
      vi.useRealTimers();
      return stamped;
    }
    const show = (name: string, body: string) =>
      enclave.wire({ kind: 'query', name, body, stamp: alice.byPasskey.stamp(body) });

    test.each<[string, Parameters<typeof bodyOf>[0]]>([
      ['whoami', (client) => client.getWhoami()],
      ['list_wallets', (client) => client.getWallets()],
      ['get_user', (client) => client.getUser({ userId: alice.userId })],
      ['list_activities', (client) => client.getActivities({ paginationOptions: { limit: '2' } })],
    ])('%s is none of another', async (name, ask) => {
      const body = await bodyOf(ask);
      for (const other of queries.filter((query) => query.name !== name)) {
        const refused = await show(other.name, body);
        expect([refused.status, reasonOf(refused)], other.name).toEqual([400, 'QUERY_MISMATCH']);
      }
      expect((await show(name, body)).status).toBe(200);
    });

    test('is good for an hour', async () => {
      const ask = (client: ReturnType<typeof createClient>) => client.getWallets();
      for (const offset of [-59, 0, 4]) {
        expect((await show('list_wallets', await bodyOf(ask, Date.now() + offset * 60_000))).status).toBe(200);
      }
      for (const offset of [-61, 6]) {
        const late = await show('list_wallets', await bodyOf(ask, Date.now() + offset * 60_000));
        expect([late.status, reasonOf(late)]).toEqual([400, 'INVALID_TIME']);
      }
    });

    test.each<[object, number]>([
      [{ query: 'whoami' }, 400],
      [{ query: ['list_wallets'] }, 400],
      [{ query: { name: 'list_wallets' } }, 400],
      [{ timestampMs: Date.now() }, 400],
      [{ timestampMs: '0x1' }, 400],
      [{ timestampMs: '1' }, 400],
      [{ query: null, timestampMs: null }, 200],
      [{ query: '', timestampMs: '' }, 200],
      [{ query: 'list_wallets' }, 200],
      [{}, 200],
    ])('beside the wish: %j', async (beside, status) => {
      const body = JSON.stringify({ organizationId: alice.organizationId, ...beside });
      expect((await show('list_wallets', body)).status).toBe(status);
    });
  });

  test('a twin of the stamp, high-S, or another credential of the user, over the same body is the same activity', async () => {
    const body = signBody(alice);
    const first = await enclave.wire(signRequest(alice, body));
    const { id } = first.body.activity as { id: string };
    const before = activities();
    const stamps = [
      alice.byPasskey.stamp(body),
      alice.byApiKey.stamp(body),
      highSTwin(alice.byApiKey.stamp(body).value),
    ];
    for (const stamp of stamps) {
      const again = await enclave.wire({ ...signRequest(alice, body), stamp });
      expect(again.body.activity?.id ?? reasonOf(again)).toBe(id);
    }
    expect(activities()).toBe(before);
  });

  test('messages of the wrong shape do no harm', async () => {
    const odd: unknown[] = [
      {},
      5,
      'text',
      [],
      { type: 'nothing' },
      { type: 'hello' },
      { type: 'fetched' },
      { type: 'fetched', id: 1, rows: null },
      { type: 'fetched', id: 'x', rows: { what: 'keys', keys: [] } },
      { type: 'fetchFailed', id: -1, reason: null },
      { type: 'committed', number: 'x' },
      { type: 'committed' },
      { type: 'request' },
      { type: 'request', id: 1e6, kind: 'submit', name: 5, body: null, stamp: {} },
      { type: 'request', id: 1e6, kind: 'x', name: '__proto__', body: Buffer.alloc(0), stamp: null },
      { type: 'request', id: 1e6, kind: 'query', name: 'whoami', body: 'text', stamp: [] },
      {
        ...{ type: 'request', id: 1e6, kind: 'query', name: 'whoami', body: Buffer.from('{}') },
        stamp: { header: 'cookie', value: 5 },
      },
      { type: 'status' },
      { type: 'status', id: { a: [null] } },
    ];
    for (const message of odd) enclave.send(message as ToEnclave);
    expect((await sign(enclave.wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
    expect(enclave.child.exitCode).toBeNull();
  });

  test('fifty thousand garbage requests cost no memory', async () => {
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${enclave.child.pid}/status`, 'utf8'))?.[1]);
    const body = signBody(alice);
    const stamp = alice.byPasskey.stamp(body);
    const garbage = () => [
      { kind: 'submit', name: 'sign_raw_payload', body: randomBytes(300), stamp } as const,
      { kind: 'submit', name: randomBytes(9).toString('hex'), body, stamp } as const,
      {
        kind: 'submit',
        name: 'sign_raw_payload',
        body,
        stamp: { ...stamp, value: randomBytes(90).toString('hex') },
      } as const,
      { kind: 'query', name: 'whoami', body: `{"organizationId":"${crypto.randomUUID()}"}`, stamp } as const,
      { kind: 'query', name: 'whoami', body: `{"organizationId":"${bob.organizationId}"}`, stamp } as const,
    ];
    const flood = async (rounds: number) => {
      for (let round = 0; round < rounds; round++) {
        const answers = await Promise.all(Array.from({ length: 200 }, garbage).flat().map(enclave.wire));
        for (const { status } of answers) expect(status).not.toBe(200);
      }
    };
    await flood(5);
    const before = memory();
    await flood(45);
    expect(memory() - before).toBeLessThan(150_000);
    expect((await sign(enclave.wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
  }, 120_000);

  test('no secret ever crosses the stream or reaches the log', async () => {
    const rootKey = rootKeyOf(folder);
    const sealer = createSealer(rootKey);
    const secrets = new Map<string, Buffer>([['root key', rootKey]]);
    for (const purpose of Object.keys(derivations) as (keyof typeof derivations)[]) {
      secrets.set(purpose, deriveKey(rootKey, purpose).export());
    }
    for (const { organizationId } of [alice, bob]) {
      const id = uuidBytes(organizationId);
      const pages = [...storage.tables.pages.values()].filter((row) => hex(row.organizationId) === hex(id));
      const { content } = openPages(id, pages, sealer);
      const bindings = [
        ...[...content.wallets.values()].map((wallet) => [wallet.id, wallet.seedDigest] as const),
        ...[...content.accounts.values()].map((account) => [account.id, account.publicKey] as const),
        ...[...content.privateKeys.values()].map((key) => [key.id, key.publicKey] as const),
      ];
      for (const [keyId, binding] of bindings) {
        const row = storage.tables.keys.get(`${hex(id)}/${hex(uuidBytes(keyId))}`);
        const { plaintext } = sealer.open(keyPlace(id, uuidBytes(keyId), binding), row?.sealed as Uint8Array);
        secrets.set(keyId, plaintext);
        if (content.wallets.has(keyId)) {
          secrets.set(`${keyId} words`, Buffer.from(entropyToMnemonic(plaintext, wordlist)));
        }
      }
    }
    // Two residents with a wallet of two accounts and a private key each.
    expect(secrets.size).toBe(1 + Object.keys(derivations).length + 2 * (1 + 1 + 2 + 1));
    const crossed = Buffer.concat([enclave.sent(), Buffer.from(enclave.output())]);
    const shows = (secret: Buffer) =>
      ['latin1', 'hex', 'base64', 'base64url'].some((form) => {
        const text = secret.toString(form as BufferEncoding).replace(/=+$/, '');
        return crossed.includes(text, 0, form === 'latin1' ? 'latin1' : 'utf8') || crossed.includes(text.toUpperCase());
      });
    // What does cross is found by the same search.
    expect(shows(uuidBytes(alice.organizationId))).toBe(true);
    expect(shows(Buffer.from('Bob'))).toBe(true);
    for (const [name, secret] of secrets) expect(shows(secret), name).toBe(false);
  });

  test('what is not the encoding ends the enclave with a reason, and its state is whole', async () => {
    const frame = (bytes: Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    };
    const garbage: [string, Buffer][] = [
      ['giant length', Buffer.from('ffffffff00', 'hex')],
      ['indefinite map', frame(Buffer.from('bf6474797065ff', 'hex'))],
      ['duplicate keys', frame(Buffer.from('a2616100616101', 'hex'))],
      ['deep nesting', frame(Buffer.alloc(100_000, 0x81))],
      ['huge array', frame(Buffer.from('9bffffffffffffffff', 'hex'))],
      ['a float', frame(Buffer.from('fb3ff0000000000000', 'hex'))],
      ['null', frame(Buffer.from('f6', 'hex'))],
    ];
    const ended = garbage.map(async ([name, bytes]) => {
      const own = enclaveFolder();
      const victim = spawnEnclave(own.folder, createMemoryStorage());
      const exit = once(victim.child, 'close');
      await victim.serving(60_000);
      victim.stream.write(bytes);
      const [code] = (await exit) as [number];
      own.remove();
      return [name, code, victim.output().length > 0 && victim.output().length < 500];
    });
    for (const [name, code, reasoned] of await Promise.all(ended))
      expect([name, code, reasoned]).toEqual([name, 1, true]);
    expect((await sign(enclave.wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
  }, 120_000);

  test('a killed enclave starts on what it released, and repeats what it answered', async () => {
    const request = signRequest(alice, signBody(alice));
    const { id } = (await enclave.wire(request)).body.activity as { id: string };
    await enclave.kill();
    enclave = spawnEnclave(folder, storage);
    await enclave.serving(60_000);
    expect((await enclave.wire(request)).body.activity?.id).toBe(id);
    expect((await sign(enclave.wire, bob.byApiKey, bob.addresses[1])).status).toBe(200);
  }, 90_000);
});

/** The other signature (r, n − s) that verifies wherever (r, s) does. */
function highSTwin(stamp: string) {
  const fields = JSON.parse(Buffer.from(stamp, 'base64url').toString()) as { signature: string };
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const der = Buffer.from(fields.signature, 'hex');
  const rEnd = 4 + (der[3] as number);
  const s = BigInt(`0x${der.toString('hex', rEnd + 2)}`);
  const twin = (order - s).toString(16).padStart(64, '0');
  const digits = Buffer.from(/^[89a-f]/.test(twin) ? `00${twin}` : twin.replace(/^(00)+(?=[0-7])/, ''), 'hex');
  const integers = Buffer.concat([der.subarray(2, rEnd), Buffer.of(2, digits.length), digits]);
  const signature = Buffer.concat([Buffer.of(0x30, integers.length), integers]).toString('hex');
  const value = Buffer.from(JSON.stringify({ ...fields, signature })).toString('base64url');
  return { header: 'X-Stamp', value } as const;
}
