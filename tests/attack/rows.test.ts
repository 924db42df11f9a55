/**
 * Whoever has the database, byte by byte: every byte of every column that the enclave reads is altered, one at a time, while
 * others are served (or before a start, where that is when it is read). Nobody comes to power, nobody is shown what is not
 * so, and with the row put back everything is as it was. The same in a real PostgreSQL, column by column, is in database.test.ts.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uuidBytes } from '../../src/protocol/uuid.ts';
import { alterEachByte, type Tally } from '../support/altered-bytes.ts';
import { enclaveFolder, ordersDone, startEnclave } from '../support/enclave-process.ts';
import { createMemoryStorage, hex, type Tables } from '../support/memory-storage.ts';
import { addUser, createResident, ethereumAccount, type Resident, sign, signing } from '../support/resident.ts';
import {
  activityBody,
  type Caller,
  reasonOf,
  submit,
  type Wire,
  type WireAnswer,
  type WireRequest,
} from '../support/wire.ts';

const { folder, parent, remove } = enclaveFolder();
const storage = createMemoryStorage();
let enclave: ReturnType<typeof startEnclave>;
let alice: Resident;
let mallory: Resident;
let signed: WireRequest;
let activityId: string;
let denied: string;

const wire: Wire = (request) => enclave.wire(request);
const restart = () => {
  enclave.stop();
  enclave = startEnclave(folder, storage);
  return enclave.serving();
};

function ask(caller: Caller, name: string, parameters: object = {}): WireRequest {
  const body = JSON.stringify({ organizationId: caller.organizationId, ...parameters });
  return { kind: 'query', name, body, stamp: caller.stamp(body) };
}

function signature({ organizationId, stamp }: Caller, { addresses }: Resident): WireRequest {
  const body = activityBody(organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(addresses[0]));
  return { kind: 'submit', name: 'sign_raw_payload', body, stamp: stamp(body) };
}

beforeAll(async () => {
  enclave = startEnclave(folder, storage);
  await enclave.serving();
  await ordersDone(folder);
  alice = await createResident(wire, parent, 'Alice');
  mallory = await createResident(wire, parent, 'Mallory');
  const employee = await addUser(wire, alice.byApiKey, 'employee');
  const forbidden = signature(employee, alice);
  expect((await wire(forbidden)).status).toBe(403);
  denied = `sha256:${createHash('sha256').update(forbidden.body).digest('hex')}`;
  signed = signature(alice.byApiKey, alice);
  activityId = (await wire(signed)).body.activity?.id as string;
  // A log of more than one tile.
  const many = Array.from({ length: 260 }, () => wire(signature(mallory.byApiKey, mallory)));
  for (const { status } of await Promise.all(many)) expect(status).toBe(200);
}, 120_000);
afterAll(() => {
  enclave.stop();
  remove();
});

const total: Tally = { tried: 0, gained: 0 };

/** Names of alice's rows in a table. */
const ofAlice = (table: keyof Tables): string[] => {
  const id = hex(uuidBytes(alice.organizationId));
  return [...storage.tables[table].keys()].map(String).filter((name) => name.includes(id));
};

/** Whether mallory gets a signature in alice's organization, or what alice reads is neither right nor refused. */
function attemptOn(read: WireRequest, right: WireAnswer) {
  const grab = signature({ ...mallory.byApiKey, organizationId: alice.organizationId }, alice);
  return async (): Promise<boolean> => {
    const [shown, grabbed] = await Promise.all([wire(read), wire(grab)]);
    if (grabbed.status === 200) return true;
    if ([404, 503].includes(shown.status)) return false;
    return !isDeepStrictEqual(shown, right);
  };
}

async function alter(
  table: keyof Tables,
  columns: readonly string[],
  read: WireRequest,
  right: WireAnswer,
): Promise<void> {
  const rows = storage.tables[table] as unknown as Map<string, Record<string, unknown>>;
  const tally = { tried: 0, gained: 0 };
  let bytes = 0;
  for (const name of ofAlice(table)) {
    for (const column of columns) {
      const row = rows.get(name) as Record<string, Uint8Array>;
      bytes += row[column]?.length ?? 0;
      const { tried, gained } = await alterEachByte(rows, name, column, attemptOn(read, right));
      tally.tried += tried;
      tally.gained += gained;
    }
  }
  expect(tally).toEqual({ tried: bytes, gained: 0 });
  expect(bytes).toBeGreaterThan(31);
  total.tried += tally.tried;
  expect(await wire(read)).toEqual(right);
}

describe('every byte of', { timeout: 120_000 }, () => {
  let others: Promise<unknown>;
  let isOver = false;
  let served = 0;

  /** Starts anew, so that nothing of alice's organization is in memory, with others at work all the time. */
  beforeAll(async () => {
    await restart();
    others = (async () => {
      while (!isOver) {
        // Of an enclave that is stopped there comes no answer.
        const answer = await Promise.race([sign(wire, mallory.byApiKey, mallory.addresses[0]), sleep(1000, null)]);
        if (answer?.status === 200) served++;
        else if (answer) expect(reasonOf(answer)).toBe('STARTING');
        await sleep(20);
      }
    })();
  });
  afterAll(async () => {
    isOver = true;
    await others;
    expect(served).toBeGreaterThan(10);
  });

  const whoami = () => ask(alice.byApiKey, 'whoami');
  /** What alice is shown when nothing is altered, by an enclave that then forgets that it has read it. */
  const rightOf = async (read: WireRequest): Promise<WireAnswer> => {
    const right = await wire(read);
    expect(right.status, JSON.stringify(right.body)).toBe(200);
    await restart();
    return right;
  };

  test('heads and counters, of an organization that is not in memory', async () => {
    const read = whoami();
    await alter('heads', ['head', 'counters'], read, await rightOf(read));
  });
  test('pages', async () => {
    const read = whoami();
    await alter('pages', ['sealed'], read, await rightOf(read));
  });
  test('activities, which are read', async () => {
    const read = ask(alice.byApiKey, 'get_activity', { activityId });
    const right = await rightOf(read);
    const [name] = ofAlice('activities').filter((each) => each.endsWith(hex(uuidBytes(activityId)))) as [string];
    const rows = storage.tables.activities;
    const tally = await alterEachByte(rows as Map<string, never>, name, 'sealed' as never, attemptOn(read, right));
    expect(tally).toEqual({ tried: rows.get(name)?.sealed.length, gained: 0 });
    total.tried += tally.tried;
  });
  test('fingerprints: a body that was carried out is not carried out again', async () => {
    const right = await wire(signed);
    expect(right.status).toBe(200);
    await restart();
    const [name] = ofAlice('activities').filter((each) => each.endsWith(hex(uuidBytes(activityId)))) as [string];
    const repeat = async () => {
      const { status, body } = await wire(signed);
      return status === 200 && body.activity?.id !== activityId;
    };
    const tally = await alterEachByte(
      storage.tables.activities as Map<string, never>,
      name,
      'fingerprint' as never,
      repeat,
    );
    expect(tally).toEqual({ tried: 16, gained: 0 });
    total.tried += 16;
    expect(await wire(signed)).toEqual(right);
  });
  test('keys: no signature, neither the right one nor by another key', async () => {
    await restart();
    const rows = storage.tables.keys;
    const signatures = [...alice.addresses, alice.privateKeyId].map(
      (key) => () => wire(signature(alice.byApiKey, { ...alice, addresses: [key, key] })),
    );
    const { walletId } = alice;
    const account = () =>
      submit(wire, alice.byApiKey, 'create_wallet_accounts', 'CREATE_WALLET_ACCOUNTS', {
        walletId,
        accounts: [ethereumAccount(2)],
      });
    for (const name of ofAlice('keys')) {
      const uses = name.endsWith(hex(uuidBytes(walletId))) ? [account] : signatures;
      // One of them uses this key.
      const attempt = async () => (await Promise.all(uses.map((use) => use()))).every(({ status }) => status === 200);
      const tally = await alterEachByte(rows as Map<string, never>, name, 'sealed' as never, attempt);
      expect(tally).toEqual({ tried: rows.get(name)?.sealed.length, gained: 0 });
      total.tried += tally.tried;
      await restart();
    }
    expect((await sign(wire, alice.byApiKey, alice.addresses[0])).status).toBe(200);
  });
  test('denials, which explanations are made from', async () => {
    const read = ask(alice.byApiKey, 'explain_activity', { fingerprint: denied });
    await alter('denials', ['sealed'], read, await rightOf(read));
  });
});

describe('every byte, altered before a start, of', { timeout: 120_000 }, () => {
  /** Starts on an altered row, and alters it byte by byte until it is right again. */
  async function isolated(table: 'heads' | 'lookups', column: string): Promise<void> {
    const read = ask({ ...alice.byApiKey, organizationId: parent.organizationId }, 'whoami');
    const right = await wire(read);
    const rows = storage.tables[table] as unknown as Map<string, Record<string, Uint8Array>>;
    for (const name of ofAlice(table)) {
      const row = rows.get(name) as Record<string, Uint8Array>;
      const first = Buffer.from(row[column] as Uint8Array);
      first[0] = (first[0] as number) ^ 1;
      rows.set(name, { ...row, [column]: first });
      await restart();
      rows.set(name, row);
      const { tried, gained } = await alterEachByte(rows, name, column, attemptOn(read, right));
      expect(gained).toBe(0);
      total.tried += tried;
      expect(await wire(read)).toEqual(right);
    }
  }

  test('heads: the organization is refused, until the row is right', () => isolated('heads', 'head'));
  test('look-ups: nobody is taken for another, until the row is right', () => isolated('lookups', 'value'));

  test('the newest batch and the log, every eighth: the start is refused', async () => {
    enclave.stop();
    const newest = Math.max(...storage.tables.batches.keys());
    const refused = async () => {
      const started = startEnclave(folder, storage);
      const reason = await started.refusal().catch(() => null);
      started.stop();
      return reason === null;
    };
    const { batches, tiles } = storage.tables;
    const tallies = [
      await alterEachByte(batches as Map<number, never>, newest, 'record' as never, refused, 8),
      await alterEachByte(batches as Map<number, never>, newest, 'entries' as never, refused, 8),
      await alterEachByte(tiles as Map<string, never>, '0/0', 'root' as never, refused, 8),
    ];
    for (const { tried, gained } of tallies) {
      expect(gained).toBe(0);
      total.tried += tried;
    }
    await restart();
    expect(reasonOf(await wire(ask(alice.byApiKey, 'whoami')))).not.toBe('STATE_REFUSED');
  });
});

describe('what has happened', () => {
  const ofActivity = (id: string) => ofAlice('activities').find((name) => name.endsWith(hex(uuidBytes(id)))) as string;

  test('cut off an organization’s activities: nothing is carried out again, nothing is made up, and new requests wait', async () => {
    const { activities } = storage.tables;
    const right = await wire(signed);
    const names = ofAlice('activities').slice(-3);
    for (const cut of [[ofActivity(activityId)], names, ofAlice('activities')]) {
      const rows = cut.map((name) => [name, activities.get(name)] as const);
      for (const name of cut) activities.delete(name);
      await restart();
      const repeated = await wire(signed);
      const receipt = await wire(ask(alice.byApiKey, 'get_receipt', { activityId }));
      if (cut.includes(ofActivity(activityId))) {
        expect(reasonOf(repeated)).toBe('ROW_INTEGRITY');
        expect(receipt.status).not.toBe(200);
      } else if (repeated.status === 200) expect(repeated.body).toEqual(right.body);
      else expect(reasonOf(repeated)).toBe('ROW_INTEGRITY');
      total.tried += 2;
      for (const [name, row] of rows) if (row) activities.set(name, row);
    }
    expect(await wire(signed)).toEqual(right);
  });

  test('altered in the log: no activity is shown that the log does not have at its place', async () => {
    const { leaves, activities } = storage.tables;
    const index = activities.get(ofActivity(activityId))?.leafIndex as number;
    const read = ask(alice.byApiKey, 'get_activity', { activityId });
    const right = await wire(read);
    const [own, next] = [leaves.get(index), leaves.get(index + 1)] as [Buffer, Buffer];
    const statuses: number[] = [];
    const alterations: [number, Buffer][] = [
      [index, next],
      [index + 1, own],
      [0, own],
      [index, Buffer.alloc(32)],
    ];
    for (const [at, leaf] of alterations) {
      const before = leaves.get(at) as Buffer;
      leaves.set(at, leaf);
      await restart();
      const shown = await wire(read);
      if (shown.status !== 503) expect(shown).toEqual(right);
      statuses.push(shown.status);
      leaves.set(at, before);
      total.tried++;
    }
    expect(statuses).toContain(503);
    expect(await wire(read)).toEqual(right);
  });
});

test('thousands of bytes, and nothing was gained', () => {
  console.log(JSON.stringify({ attackTried: total.tried, attackGained: total.gained }));
  expect(total.tried).toBeGreaterThan(4000);
  expect(total.gained).toBe(0);
});
