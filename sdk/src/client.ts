import { boundQuery } from '../../src/protocol/bound-query.ts';
import { type AnswerVerifier, explain, resultOf } from './answer.ts';
import type { Methods } from './method-types.ts';
import { type Method, methods } from './methods.ts';
import { type Stamped, sendStamped, stampRequest } from './send.ts';
import type { Stamper } from './stampers.ts';

export type ClientOptions = {
  /** Where the service is, such as `https://sign.example.com`. */
  readonly baseUrl: string;
  /** The organization that calls are about unless they name another one. */
  readonly organizationId: string;
  readonly stamp: Stamper;
  /** Asks for the reasons of denials: the error's `details` say what each policy said. */
  readonly explainDenials?: boolean;
  /** Whether to believe an activity's answer: `answerVerifier` of `@countersign/sdk/verify`. */
  readonly verify?: AnswerVerifier;
};

/** One method for each activity and query of the service. */
export type Client = Methods & {
  /** The same methods, which stamp a request and do not send it: a backend does, by `forward`. */
  readonly stamp: { readonly [Name in keyof Methods]: (...given: Parameters<Methods[Name]>) => Promise<Stamped> };
};

type Given = Readonly<Record<string, unknown>> & { readonly organizationId?: string };
type Call = (given?: Given) => Promise<unknown>;

/**
 * A client that stamps each call with `stamp`. Activities answer with their result and the `activity` itself, queries with
 * their answer; both reject with `CountersignClientError`.
 *
 * ```ts
 * const client = createClient({ baseUrl, organizationId, stamp: passkeyStamper({ rpId: 'example.com' }) });
 * const { walletId } = await client.createWallet({ walletName: 'Savings', accounts: [] });
 * ```
 */
export function createClient({ baseUrl, organizationId, stamp, explainDenials, verify }: ClientOptions): Client {
  const prepare = async (method: Method, { organizationId: target = organizationId, ...parameters }: Given = {}) => {
    const knownHead = await verify?.knownHead(target);
    const content = { ...contentOf(method, target, parameters), ...(knownHead && { knownHead }) };
    return stampRequest(baseUrl, method.path, stamp, content);
  };
  const table = (callOf: (method: Method) => Call): object =>
    Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, callOf(method)]));
  // The methods and their types are derived from one registry, by the same rules.
  return {
    ...table((method) => async (given) => {
      const stamped = await prepare(method, given);
      const answer = await sendStamped(stamped, method.type ? explain(explainDenials) : {});
      if (method.type) await verify?.check(answer, stamped.body);
      return resultOf(method, answer);
    }),
    stamp: table((method) => (given) => prepare(method, given)),
  } as Client;
}

function contentOf({ path, type }: Method, organizationId: string, parameters: object): object {
  if (type === undefined) return boundQuery(path.replace('query/', ''), { organizationId, ...parameters });
  return { type, timestampMs: String(Date.now()), organizationId, parameters };
}
