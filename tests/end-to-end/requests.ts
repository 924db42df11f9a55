/** Stamped requests, byte for byte as clients send them. */
import type { RootFile } from '../../src/cli/root-file.ts';
import type { ActivityObject } from '../../src/protocol/queries/objects.ts';
import type { queries } from '../../src/protocol/registry.ts';
import { makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { createSoftwareAuthenticator, type SoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import type { Stamp } from '../../src/stamping/stamp.ts';

/** Somebody with a credential, and the organization that their requests are about. */
export type Caller = { readonly organizationId: string; stamp(body: string): Stamp };

/** A request that can be sent again and again: a service must give one answer to it. */
export type Prepared = {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

export type Answer = { readonly status: number; readonly body: unknown };
export type Activity = ActivityObject;

/** The company's backend: the parent's first user, by its API key. */
export const backendOf = (root: RootFile): Caller => ({
  organizationId: root.organizationId,
  stamp: (body) => makeApiKeyStamp(body, { publicKey: root.apiPublicKey, privateKey: root.apiPrivateKey }),
});

export const newPasskey = (root: RootFile): SoftwareAuthenticator =>
  createSoftwareAuthenticator({ rpId: root.rpId, origin: root.origin });

export function prepareActivity(caller: Caller, type: string, parameters: object, time = Date.now()): Prepared {
  const { organizationId } = caller;
  const body = JSON.stringify({ type, timestampMs: String(time), organizationId, parameters });
  const name = type
    .slice('ACTIVITY_TYPE_'.length)
    .replace(/_V\d+$/, '')
    .toLowerCase();
  return stamped(caller, `/public/v1/submit/${name}`, body);
}

export const prepareQuery = (caller: Caller, name: (typeof queries)[number]['name'], fields: object = {}): Prepared =>
  stamped(caller, `/public/v1/query/${name}`, JSON.stringify({ organizationId: caller.organizationId, ...fields }));

export function stamped(caller: Caller, path: string, body: string): Prepared {
  const { header, value } = caller.stamp(body);
  return { path, body, headers: { 'Content-Type': 'application/json', [header]: value } };
}

/** Rejects when there is no whole answer. */
export async function send(baseUrl: string, request: Prepared, timeoutMs = 30_000): Promise<Answer> {
  const { path, body, headers } = request;
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(`${baseUrl}${path}`, { method: 'POST', body, headers, signal });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** The body of a successful answer; throws with that of any other. */
export async function ask<T>(baseUrl: string, request: Prepared): Promise<T> {
  const { status, body } = await send(baseUrl, request);
  if (status !== 200) throw new Error(`${request.path}: ${status} ${JSON.stringify(body)}`);
  return body as T;
}

/** The activity that a request becomes; throws when it is refused. */
export const carryOut = async (baseUrl: string, request: Prepared): Promise<Activity> =>
  (await ask<{ activity: Activity }>(baseUrl, request)).activity;

/** The one member of an activity's result. */
export const resultOf = <T>({ result }: Activity): T => Object.values(result)[0] as T;

export const ethereumAccount = (index = 0) => ({
  curve: 'CURVE_SECP256K1',
  pathFormat: 'PATH_FORMAT_BIP32',
  path: `m/44'/60'/0'/0/${index}`,
  addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
});

export const signRawPayload = 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2';

/** Parameters for a signature over the digest of `text`, as wallets ask for it. */
export const payloadOf = (signWith: string, text: string) => ({
  signWith,
  payload: Buffer.from(text).toString('hex'),
  encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
  hashFunction: 'HASH_FUNCTION_KECCAK256',
});

export type User = Caller & { readonly address: `0x${string}` };

/** A sub-organization with one passkey and one wallet, made by the company's backend. */
export async function createUser(baseUrl: string, root: RootFile, name = 'user'): Promise<User> {
  const passkey = newPasskey(root);
  const request = prepareActivity(backendOf(root), 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8', {
    subOrganizationName: name,
    rootQuorumThreshold: 1,
    rootUsers: [
      {
        userName: name,
        apiKeys: [],
        oauthProviders: [],
        authenticators: [{ authenticatorName: 'passkey', ...passkey.register() }],
      },
    ],
    wallet: { walletName: 'first', accounts: [ethereumAccount()] },
  });
  const created = resultOf<{ subOrganizationId: string; wallet: { addresses: [`0x${string}`] } }>(
    await carryOut(baseUrl, request),
  );
  return {
    organizationId: created.subOrganizationId,
    stamp: (body) => passkey.stamp(body),
    address: created.wallet.addresses[0],
  };
}

/** All activities of an organization, newest first, page by page. */
export async function listActivities(baseUrl: string, caller: Caller): Promise<Activity[]> {
  const all: Activity[] = [];
  for (let after: string | undefined; ; ) {
    const page = { limit: '100', ...(after && { after }) };
    const query = prepareQuery(caller, 'list_activities', { paginationOptions: page });
    const { activities } = await ask<{ activities: Activity[] }>(baseUrl, query);
    all.push(...activities);
    after = activities.at(-1)?.id;
    if (activities.length < 100) return all;
  }
}
