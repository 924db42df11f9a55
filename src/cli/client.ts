/** Requests of the operator's commands and the demo to the running service. */
import { boundQuery } from '../protocol/bound-query.ts';
import { makeApiKeyStamp } from '../stamping/make-api-key-stamp.ts';
import type { Stamp } from '../stamping/stamp.ts';
import { OperatorError } from './operator-error.ts';
import type { Credentials } from './root-file.ts';

/** Somebody who stamps requests to an organization. */
export type Caller = {
  readonly apiBaseUrl: string;
  readonly organizationId: string;
  readonly stamp: (body: string) => Stamp;
};

type Parameters = Readonly<Record<string, unknown>>;

/** The root user of a parent organization, by its API key. */
export const callerOf = ({ apiBaseUrl, organizationId, ...key }: Credentials): Caller => ({
  apiBaseUrl,
  organizationId,
  stamp: (body) => makeApiKeyStamp(body, { publicKey: key.apiPublicKey, privateKey: key.apiPrivateKey }),
});

/** Carries out an activity and gives its result, whatever the result's key. */
export async function submit<R>(caller: Caller, name: string, type: string, parameters: Parameters): Promise<R> {
  const body = { type, timestampMs: String(Date.now()), organizationId: caller.organizationId, parameters };
  const { activity } = await post<{ activity: { status: string; result: Record<string, R> } }>(
    caller,
    `submit/${name}`,
    body,
  );
  const [result] = Object.values(activity.result);
  if (activity.status !== 'ACTIVITY_STATUS_COMPLETED' || !result) {
    throw new OperatorError(`${name}: the activity is ${activity.status}, not completed`);
  }
  return result;
}

export const ask = <R>(caller: Caller, name: string, parameters: Parameters): Promise<R> =>
  post<R>(caller, `query/${name}`, boundQuery(name, { organizationId: caller.organizationId, ...parameters }));

async function post<R>({ apiBaseUrl, stamp }: Caller, path: string, content: unknown): Promise<R> {
  const body = JSON.stringify(content);
  const { header, value } = stamp(body);
  const headers = { 'content-type': 'application/json', [header]: value };
  const response = await fetch(`${apiBaseUrl}/public/v1/${path}`, { method: 'POST', headers, body }).catch(() => {
    throw new OperatorError(`${apiBaseUrl} does not answer; run \`countersign start\` first`);
  });
  const answer = (await response.json().catch(() => ({}))) as R & { message?: string };
  if (!response.ok) {
    throw new OperatorError(`${path}: refused (${response.status}): ${answer.message ?? 'no reason given'}`);
  }
  return answer;
}
