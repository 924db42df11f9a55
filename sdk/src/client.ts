import { boundQuery } from '../../src/protocol/bound-query.ts';
import type { ActivityObject } from '../../src/protocol/queries/objects.ts';
import { CountersignClientError } from './error.ts';
import type { Methods } from './method-types.ts';
import { type Method, methods } from './methods.ts';
import { send } from './send.ts';
import type { Stamper } from './stampers.ts';

export type ClientOptions = {
  /** Where the service is, such as `https://sign.example.com`. */
  readonly baseUrl: string;
  /** The organization that calls are about unless they name another one. */
  readonly organizationId: string;
  readonly stamp: Stamper;
};

/** One method for each activity and query of the service. */
export type Client = Methods;

/**
 * A client that stamps each call with `stamp`. Activities answer with their result and the `activity` itself, queries with
 * their answer; both reject with `CountersignClientError`.
 *
 * ```ts
 * const client = createClient({ baseUrl, organizationId, stamp: passkeyStamper({ rpId: 'example.com' }) });
 * const { walletId } = await client.createWallet({ walletName: 'Savings', accounts: [] });
 * ```
 */
export function createClient({ baseUrl, organizationId, stamp }: ClientOptions): Client {
  const call =
    ({ path, type }: Method) =>
    async ({ organizationId: target = organizationId, ...parameters }: Readonly<Record<string, unknown>> = {}) => {
      if (type === undefined) {
        const name = path.replace('query/', '');
        return send(baseUrl, path, stamp, boundQuery(name, { organizationId: target, ...parameters }));
      }
      const timestampMs = String(Date.now());
      const answer = await send(baseUrl, path, stamp, { type, timestampMs, organizationId: target, parameters });
      return withResult((answer as { activity: ActivityObject }).activity);
    };
  const entries = Object.entries(methods).map(([name, method]) => [name, call(method)]);
  // The methods and their types are derived from one registry, by the same rules.
  return Object.fromEntries(entries) as Client;
}

/** The result, whatever its key is called, beside the activity. */
function withResult(activity: ActivityObject): object {
  if (activity.status === 'ACTIVITY_STATUS_COMPLETED')
    return { activity, ...Object.assign({}, ...Object.values(activity.result)) };
  throw new CountersignClientError(`the activity ${activity.id} is not completed`, {
    code: activity.status,
    details: [activity],
    status: 200,
  });
}
