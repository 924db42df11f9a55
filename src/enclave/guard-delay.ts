/**
 * How long an activity that loosens guards waits: the longest delay of those it changes or removes. What is added binds at
 * once; whether a change loosens or tightens is not guessed, so every change of a guard waits, but one of its name or notes.
 * What they read user operations by is part of every guard, and an uploaded interface of those that look into calls.
 */
import type { PolicyUpdate } from '../protocol/activities/update-policy.ts';
import type { Organization, Policy } from './state.ts';
import type { Submission } from './submission.ts';
import { ownsSmartAccount } from './user-operations.ts';

/** In ms; 0 where nothing waits. */
export function guardDelay({ activity, parameters }: Submission, organization: Organization): number {
  return Math.max(0, ...changedBy(activity.name, parameters, organization).map(delayOf));
}

/** The policies that say something else, or nothing, afterwards. */
function changedBy(name: string, parameters: unknown, organization: Organization): readonly Policy[] {
  const { policies } = organization;
  if (unpins(name, parameters, organization)) return [...policies.values()];
  if (interfaceActivities.has(name)) return [...policies.values()].filter(looksIntoCalls);
  return touched(name, parameters).flatMap((id) => policies.get(id) ?? []);
}

const interfaceActivities: ReadonlySet<string> = new Set([
  'create_smart_contract_interface',
  'delete_smart_contract_interface',
]);

/** What a call is understood as hangs on the interface; sums, recipients and contracts are known without it, or not at all. */
const looksIntoCalls = ({ condition }: Policy): boolean =>
  /\b(?:calls?|calls_complete|transfers|contract_call_args|function_name|function_signature|opaque|known)\b/.test(
    condition,
  );

/**
 * Whether it leaves a key that can still sign without a smart account of its own: guards would not know an operation of that
 * account from any other digest then, or read it as another kind pins it. An account of a wallet can be derived again.
 */
function unpins(name: string, parameters: unknown, organization: Organization): boolean {
  if (name === 'delete_smart_accounts') return true;
  if (name !== 'delete_wallet_accounts') return false;
  const { walletAccountIds } = parameters as { walletAccountIds: string[] };
  return walletAccountIds.some((id) => ownsSmartAccount(organization, id));
}

/**
 * Until when an activity waits that was asked for at `since`; null where it does not. Of a guard that came, or changed, in the
 * meantime the delay counts from then.
 */
export function loosensAt(
  { activity, parameters }: Submission,
  organization: Organization,
  since: number,
): number | null {
  const times = changedBy(activity.name, parameters, organization).flatMap((policy) =>
    delayOf(policy) > 0 ? [Math.max(since, policy.updatedAt) + delayOf(policy)] : [],
  );
  return times.length === 0 ? null : Math.max(...times);
}

const delayOf = ({ effect, delaySeconds = 0 }: Policy): number => (effect === 'EFFECT_GUARD' ? delaySeconds * 1000 : 0);

const harmless: ReadonlySet<string> = new Set(['policyId', 'policyName', 'policyNotes']);

/** Ids of the policies that an activity would make say something else, or nothing. */
function touched(name: string, parameters: unknown): readonly string[] {
  switch (name) {
    case 'update_policy': {
      const update = parameters as PolicyUpdate;
      return Object.keys(update).some((field) => !harmless.has(field)) ? [update.policyId] : [];
    }
    case 'delete_policy':
      return [(parameters as { policyId: string }).policyId];
    case 'delete_policies':
      return (parameters as { policyIds: string[] }).policyIds;
    default:
      return [];
  }
}
