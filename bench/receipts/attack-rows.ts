/**
 * Whoever owns the database, under load: rows are altered one at a time, and then nobody may come to power, and everybody gets
 * the right answer or a refusal. The service was started anew before, so that what is altered is what it reads.
 */
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { type Caller, query, resultOf, type Wire, type WireAnswer } from '../../tests/support/wire.ts';
import { type Proving, signRequest, type User } from './proving.ts';
import type { Tally } from './verify.ts';

type Row = Record<string, unknown>;
type Target = { readonly table: string; readonly key: readonly string[]; readonly row: Row; readonly column: string };

const ofOrganizations = ['heads', 'pages', 'hints', 'keys', 'activities'];
const ofAll = ['lookups', 'log_tiles', 'batches'];
/** Rows of a table of all organizations that are altered, the newest ones. */
const newest = 8;
/** Requests of others that are always under way. */
const load = 4;

export async function attackRows(proving: Proving, seconds: number, tally: Tally): Promise<void> {
  const [mallory, ...victims] = proving.users as [User, ...User[]];
  const right = new Map<User, WireAnswer[]>();
  for (const victim of victims) right.set(victim, await answersFor(proving.wire(), victim));
  await proving.restart();
  const wire = proving.wire();
  const stopLoad = startLoad(wire, mallory);
  const db = new pg.Client({ connectionString: proving.root.databaseUrl });
  await db.connect();
  const until = performance.now() + 1000 * seconds;
  try {
    for (const victim of victims) {
      for (const target of await targetsIn(db, victim)) {
        if (performance.now() > until) return;
        const attempts = () => tryAll(proving, wire, victim, mallory, right.get(victim) as WireAnswer[]);
        const gained = await withAltered(db, target, attempts);
        tally.tried++;
        if (gained) tally.gained++;
      }
    }
  } finally {
    await db.end();
    await stopLoad();
    await expectRight(wire, right);
  }
}

/** Signatures by `user`, one after another on each of a few connections, until it is told to stop. */
function startLoad(wire: Wire, user: User): () => Promise<unknown> {
  let stopped = false;
  const loop = async () => {
    while (!stopped) await wire(signRequest(user, user.address)).catch(() => {});
  };
  const loops = Array.from({ length: load }, loop);
  return () => {
    stopped = true;
    return Promise.all(loops);
  };
}

/** What a user is shown, and a signature over what is always the same. */
async function answersFor(wire: Wire, user: User): Promise<WireAnswer[]> {
  return Promise.all([
    query(wire, user, 'get_organization'),
    query(wire, user, 'list_wallets'),
    query(wire, user, 'list_users'),
    wire(signRequest(user, user.address)),
  ]);
}

/** Whether anybody came to what is not theirs, or was shown what is not right. */
async function tryAll(
  { root }: Proving,
  wire: Wire,
  victim: User,
  mallory: User,
  right: readonly WireAnswer[],
): Promise<boolean> {
  const { organizationId, address } = victim;
  const parent: Caller = { organizationId, stamp: (body) => makeApiKeyStamp(body, root.apiKey) };
  const [shown, ...taken] = await Promise.all([
    answersFor(wire, victim),
    wire(signRequest({ ...mallory, organizationId }, address)),
    wire(signRequest(parent, address)),
    wire(signRequest(mallory, address)),
  ]);
  return taken.some(({ status }) => status === 200) || shown.some((answer, at) => isWrong(answer, right[at]));
}

const isWrong = (answer: WireAnswer, right: WireAnswer | undefined): boolean =>
  answer.status !== 503 && !(right && isSame(answer, right));

/** An activity is another one each time, and its result the same. */
function isSame(answer: WireAnswer, right: WireAnswer): boolean {
  if (answer.status !== 200) return false;
  return right.body.activity
    ? isDeepStrictEqual(resultOf(answer), resultOf(right))
    : isDeepStrictEqual(answer.body, right.body);
}

async function expectRight(wire: Wire, right: ReadonlyMap<User, readonly WireAnswer[]>): Promise<void> {
  for (const [user, answers] of right) {
    const found = await answersFor(wire, user);
    const wrong = found.find((answer, at) => !isSame(answer, answers[at] as WireAnswer));
    if (wrong) throw new Error(`with all rows as they were, the service answers ${JSON.stringify(wrong)}`);
  }
}

/** Alters one value, lets `attempt` happen, and puts it back unless the service has written the row since. */
async function withAltered<T>(db: pg.Client, target: Target, attempt: () => Promise<T>): Promise<T> {
  const { table, key, row, column } = target;
  const where = key.map((name, at) => `"${name}" = $${at + 3}`).join(' and ');
  const names = key.map((name) => row[name]);
  const set = `update ${table} set "${column}" = $1 where "${column}" = $2 and ${where}`;
  const altered = alteration(row[column]);
  await db.query(set, [altered, row[column], ...names]);
  try {
    return await attempt();
  } finally {
    await db.query(set, [row[column], altered, ...names]);
  }
}

function alteration(value: unknown): unknown {
  if (!(value instanceof Buffer)) return Number(value) + 1;
  const altered = Buffer.from(value);
  const at = value.length >> 1;
  altered[at] = (altered[at] ?? 0) ^ 1;
  return altered;
}

async function targetsIn(db: pg.Client, { organizationId }: User): Promise<Target[]> {
  const targets: Target[] = [];
  for (const table of [...ofOrganizations, ...ofAll]) {
    const key = await primaryKeyOf(db, table);
    const { rows } = ofOrganizations.includes(table)
      ? await db.query<Row>(`select * from ${table} where organization_id = $1`, [organizationId])
      : await db.query<Row>(`select * from ${table} order by ${key.map((name) => `"${name}" desc`)} limit ${newest}`);
    for (const row of rows) {
      const columns = Object.keys(row).filter((column) => !key.includes(column) && isAlterable(row[column]));
      targets.push(...columns.map((column) => ({ table, key, row, column })));
    }
  }
  return targets;
}

const isAlterable = (value: unknown): boolean =>
  value instanceof Buffer ? value.length > 0 : /^\d+$/.test(String(value));

async function primaryKeyOf(db: pg.Client, table: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
     where i.indrelid = $1::regclass and i.indisprimary`,
    [table],
  );
  return rows.map(({ name }) => name);
}
