/** Requests as an attacker makes them: the exact bytes of a body, any stamp, any path. */
import { makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import type { Stamp } from '../../src/stamping/stamp.ts';
import type { Root } from './service.ts';

export type WireRequest = {
  readonly kind: 'submit' | 'query';
  readonly name: string;
  readonly body: string | Uint8Array;
  readonly stamp: Stamp | null;
  /** Asks for the explanation of a denial. */
  readonly explain?: true;
  /** Asks for a receipt, or for the proof of a read. */
  readonly proof?: true;
  /** What fills in a stamped intent. */
  readonly completion?: string;
};

/** `body` is the parsed JSON, with what most tests look at named. */
export type WireAnswer = {
  readonly status: number;
  readonly body: WireBody;
  /** The body as it came, and what came beside it; only where the enclave is asked itself. */
  readonly bytes?: Buffer;
  readonly proof?: Buffer;
};
export type WireBody = {
  readonly message?: string;
  readonly details?: readonly Readonly<Record<string, unknown>>[];
  readonly activity?: {
    readonly id: string;
    readonly status: string;
    readonly result: Readonly<Record<string, Result>>;
  };
} & Readonly<Record<string, unknown>>;
type Result = Readonly<Record<string, unknown>>;

/** Sends a request to an enclave, through `api` or past it. */
export type Wire = (request: WireRequest) => Promise<WireAnswer>;

/** Somebody who stamps requests to an organization. */
export type Caller = { readonly organizationId: string; readonly stamp: (body: string | Uint8Array) => Stamp };

export const overHttp =
  (baseUrl: string): Wire =>
  async ({ kind, name, body, stamp, explain, completion }) => {
    const response = await fetch(`${baseUrl}/public/v1/${kind}/${name}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(stamp && { [stamp.header]: stamp.value }),
        ...(explain && { 'X-Countersign-Explain': '1' }),
        ...(completion && { 'X-Countersign-Completion': completion }),
      },
      body: typeof body === 'string' ? body : Uint8Array.from(body),
    });
    return { status: response.status, body: (await response.json()) as WireBody };
  };

export const rootCaller = ({ organizationId, apiPublicKey, apiPrivateKey }: Omit<Root, 'databaseUrl'>): Caller => ({
  organizationId,
  stamp: (body) => makeApiKeyStamp(body, { publicKey: apiPublicKey, privateKey: apiPrivateKey }),
});

/** The body of an activity; each is another one, for two of the same time would be one activity. */
export const activityBody = (
  organizationId: string,
  type: string,
  parameters: object,
  timestampMs = String(Date.now()),
): string => JSON.stringify({ type, timestampMs, organizationId, nonce: nonce++, parameters });
let nonce = 0;

/** Stamps and sends an activity of the newest `type`. */
export function submit(
  wire: Wire,
  caller: Caller,
  name: string,
  type: string,
  parameters: object,
  more: Pick<WireRequest, 'completion'> = {},
) {
  const body = activityBody(caller.organizationId, `ACTIVITY_TYPE_${type}`, parameters);
  return wire({ kind: 'submit', name, body, stamp: caller.stamp(body), ...more });
}

export function query(wire: Wire, caller: Caller, name: string, parameters: object = {}) {
  const body = JSON.stringify({ organizationId: caller.organizationId, ...parameters });
  return wire({ kind: 'query', name, body, stamp: caller.stamp(body) });
}

/** What an activity came to; throws when it was not carried out. */
export function resultOf({ status, body }: WireAnswer): Result {
  const [result] = Object.values(body.activity?.result ?? {});
  if (status === 200 && body.activity?.status === 'ACTIVITY_STATUS_COMPLETED' && result) return result;
  throw new Error(`expected a completed activity, got ${status} ${JSON.stringify(body)}`);
}

/** Reason of a refusal: the code in its details, or its message. */
export const reasonOf = ({ body }: WireAnswer): string =>
  String(body.details?.[0]?.turnkeyErrorCode ?? body.message ?? JSON.stringify(body));
