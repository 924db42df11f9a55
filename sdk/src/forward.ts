import { base64urlnopad } from '@scure/base';
import { type AnswerVerifier, explain, resultOf } from './answer.ts';
import type { Methods } from './method-types.ts';
import { readStamped } from './read-stamped.ts';
import { type Stamped, sendStamped, urlOf } from './send.ts';

export type ForwardOptions = {
  /** Where the service is; what `stamped` says of it is not followed. */
  readonly baseUrl: string;
  /**
   * Of `signUserOperationIntent`: gas and paymaster of the operation, as numbers or in hex, as in `UserOperation` of viem. The
   * service takes them within the limits that were stamped.
   */
  readonly completion?: Readonly<Record<string, bigint | string | undefined>>;
  /** Asks for the reasons of denials: the error's `details` say what each policy said. */
  readonly explainDenials?: boolean;
  /** Whether to believe an activity's answer: `answerVerifier` of `@countersign/sdk/verify`. */
  readonly verify?: AnswerVerifier;
};

/**
 * Sends what somebody else stamped (`client.stamp.…`), and the same bytes again where there is no answer: nothing is done
 * twice. `stamped` is as it came from the frontend and need not be checked before; with `method` it is refused when it asks for
 * anything else, and the result has that method's type. Throws `CountersignClientError`.
 *
 * ```ts
 * const { userOperation } = await forward(request.body, { baseUrl, method: 'signUserOperationIntent', completion });
 * ```
 */
export async function forward<Name extends keyof Methods>(
  stamped: Stamped,
  options: ForwardOptions & { readonly method: Name },
): Promise<Awaited<ReturnType<Methods[Name]>>>;
export async function forward(stamped: Stamped, options: ForwardOptions): Promise<unknown>;
export async function forward(
  stamped: Stamped,
  { baseUrl, method, completion, explainDenials, verify }: ForwardOptions & { readonly method?: string },
): Promise<unknown> {
  const { path, body, stamp } = readStamped(stamped, method);
  const more = { ...explain(explainDenials), ...(completion && { 'X-Countersign-Completion': encode(completion) }) };
  const answer = await sendStamped({ url: urlOf(baseUrl, path), body, stamp }, more);
  if (path.startsWith('submit/')) await verify?.check(answer, body);
  return resultOf({ path }, answer);
}

function encode(completion: object): string {
  const text = JSON.stringify(completion, (_, value) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
  return base64urlnopad.encode(new TextEncoder().encode(text));
}
