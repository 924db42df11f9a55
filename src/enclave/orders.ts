/**
 * Orders of the operator: files in the enclave's own folder, which nobody else can write. An order makes a parent
 * organization; it gives no power over one that exists. Done orders are renamed, so each is carried out once.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { uuidBytes } from '../protocol/uuid.ts';
import { isApiPublicKey } from '../stamping/is-public-key.ts';
import { sha256 } from './ledger/hash.ts';
import type { Ledger } from './ledger/ledger.ts';
import { headKey } from './ledger/merkle-map.ts';
import { noContent, type Organization } from './state.ts';

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(255));
const uuid = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'expected a UUID'));

const orderSchema = v.strictObject({
  version: v.literal(1),
  order: v.literal('createRootOrganization'),
  organizationId: uuid,
  organizationName: name,
  userId: uuid,
  userName: name,
  apiKeyName: name,
  apiPublicKey: v.pipe(
    v.string(),
    v.check((hex) => isApiPublicKey('API_KEY_CURVE_P256', hex), 'expected a compressed P-256 public key in hex'),
  ),
});

type Order = v.InferOutput<typeof orderSchema>;

/** Carries out the orders that wait in `<folder>/orders`; returns how many there were. */
export async function carryOutOrders(folder: string, ledger: Ledger, newId: () => string): Promise<number> {
  const orders = join(folder, 'orders');
  if (!existsSync(orders)) return 0;
  const waiting = readdirSync(orders).filter((file) => /^[0-9a-f-]{36}\.json$/.test(file));
  for (const file of waiting) await carryOutOrder(join(orders, file), ledger, newId);
  return waiting.length;
}

async function carryOutOrder(path: string, ledger: Ledger, newId: () => string): Promise<void> {
  const content = readFileSync(path);
  const parsed = v.safeParse(orderSchema, readJson(content));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const reason = `${v.getDotPath(issue) ?? 'order'}: ${issue.message}`;
    writeFileSync(path.replace(/json$/, 'failed.json'), JSON.stringify({ reason }), { mode: 0o600 });
    renameSync(path, path.replace(/json$/, 'refused'));
    return;
  }
  const order = parsed.output;
  // A crash between the transition and the renaming leaves an order that was carried out.
  if (ledger.map.get(headKey(uuidBytes(order.organizationId))) === undefined) {
    const entry = { kind: 'order', digest: sha256(content) } as const;
    ledger.append([{ from: null, to: rootOrganization(order, ledger.now(), newId) }], [entry]);
  }
  await ledger.settled();
  renameSync(path, path.replace(/json$/, 'done.json'));
}

function rootOrganization(order: Order, now: number, newId: () => string): Organization {
  const times = { createdAt: now, updatedAt: now };
  const apiKey = {
    id: newId(),
    name: order.apiKeyName,
    publicKey: order.apiPublicKey,
    curve: 'API_KEY_CURVE_P256',
    type: 'CREDENTIAL_TYPE_API_KEY_P256',
    ...times,
  } as const;
  const user = { id: order.userId, name: order.userName, authenticators: [], apiKeys: [apiKey], tagIds: [], ...times };
  return {
    id: order.organizationId,
    parentId: null,
    settings: {
      name: order.organizationName,
      rootQuorum: { threshold: 1, userIds: [user.id] },
      features: [],
      origins: null,
      rpIds: null,
      ...times,
    },
    ...noContent,
    users: new Map([[user.id, user]]),
    deleted: false,
  };
}

function readJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    return undefined;
  }
}
