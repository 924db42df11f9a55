/**
 * An intent: what the user stamped of an operation, and its limits. Gas and paymaster are filled in afterwards by somebody
 * who needs nobody's trust, within them.
 */
import { maxCostOf } from '../decode/user-operation/max-cost.ts';
import type { UserOperation } from '../decode/user-operation/user-operation.ts';
import { completable } from '../protocol/completable.ts';
import { invalidArgument } from '../protocol/errors.ts';
import { type JsonObject, parseJson } from '../protocol/json.ts';
import { invalidField } from './activities/refusals.ts';

export type IntentLimits = {
  /** Decimal wei. */
  readonly maxCost: string;
  /** Unix seconds. */
  readonly validUntil: string;
  readonly paymasters: readonly string[];
};

export type Intent = {
  readonly userOperation: JsonObject;
  readonly limits?: IntentLimits;
  /** What was filled in; see {@link readCompletion}. */
  readonly completion?: JsonObject;
};

/** Whether the activity of this name is a stamped intent, the rest of which comes beside the body. */
export const completesIntent = (name: string): boolean => name === 'sign_user_operation_intent';

const header = 'X-Countersign-Completion';

/** The JSON object in the header's base64url. Throws INVALID_ARGUMENT. */
export function readCompletion(value: string): JsonObject {
  const given = /^[\w-]+$/.test(value) ? parseJson(Buffer.from(value, 'base64url')) : null;
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  throw invalid('', 'expected a JSON object in base64url');
}

/** The operation that an activity is about: as stamped, or the stamped part with what was filled in. */
export function applyIntent({ userOperation, limits, completion }: Intent): JsonObject {
  if (!limits) return userOperation;
  if (!completion) throw invalid('', 'expected the gas and paymaster fields of the operation');
  for (const name of Object.keys(completion)) {
    if (!completable.has(name)) throw invalid(name, 'is not among the fields that may be filled in after the stamp');
    if (userOperation[name] !== undefined) throw invalid(name, 'was stamped already');
  }
  return { ...userOperation, ...completion };
}

/** Throws where the operation goes beyond the stamped limits. `now` in Unix ms. */
export function checkLimits(operation: UserOperation, limits: IntentLimits, now: number): void {
  const cost = maxCostOf(operation);
  if (cost > BigInt(limits.maxCost)) {
    throw exceeded('maxCost', `the operation may cost ${cost} wei; stamped were at most ${limits.maxCost}`);
  }
  if (now > Number(limits.validUntil) * 1000) throw exceeded('validUntil', 'the time that was stamped is over');
  const { paymaster } = operation;
  const sponsors = limits.paymasters.map((address) => address.toLowerCase());
  if (paymaster !== null && !sponsors.includes(paymaster)) {
    throw exceeded('paymasters', `${paymaster} is not among the paymasters that were stamped`);
  }
}

const exceeded = (limit: string, message: string) => invalidField(`parameters.limits.${limit}`, message);

const invalid = (name: string, problem: string) =>
  invalidArgument(`${header}: ${name === '' ? problem : `${name} ${problem}`}`, {
    fields: [{ field: name === '' ? header : `${header}.${name}`, description: problem }],
  });
