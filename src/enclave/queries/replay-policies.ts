import { setImmediate as nextTurn } from 'node:timers/promises';
import { replay, sidesOf } from '../../policy/replay.ts';
import { windowKey } from '../../policy/windows.ts';
import { CountersignError } from '../../protocol/errors.ts';
import type { replayPolicies } from '../../protocol/queries/replay-policies.ts';
import { timestamp } from '../../protocol/timestamps.ts';
import { checkExpressions, checkTotals } from '../activities/policies.ts';
import { invalidField, notFound } from '../activities/refusals.ts';
import type { Recorded } from '../activity-record.ts';
import type { Answer, QuestionReader } from '../answer.ts';
import { countForWindows, policySetOf, type Question, requestsOf } from '../authorize.ts';
import type { FactOfNow } from '../past-question.ts';
import type { Organization, Policy, WindowEntry } from '../state.ts';

/** Activities that are read at a time: with bodies of up to 1 MiB each they fit a frame. */
const step = 16;
/** The time of one query, and how long others wait for it, in ms. */
const longest = 1000;
const turn = 10;

type Draft = Parameters<typeof replayPoliciesAnswer>[1]['policies'][number];
type Replayed = Awaited<ReturnType<typeof replayPoliciesAnswer>>['activities'][number];
type Past = NonNullable<Parameters<typeof replayPoliciesAnswer>[1]['past']>;

/**
 * Both sets decide on the same facts: bytes, votes and time of then, and sums over time of the activities that were asked for
 * before, whatever the sets make of those. What was carried out was carried out.
 */
export const replayPoliciesAnswer: Answer<typeof replayPolicies> = async (
  { organization, questions },
  { policies, activityIds, past },
) => {
  const draft = await draftOf(policies);
  const replayOne = replayer(organization, draft);
  const started = performance.now();
  let turned = started;
  let counted: Counted | undefined = past && countedOf(past);
  const activities: Replayed[] = [];
  for (let at = 0; at < activityIds.length; at += step) {
    const ids = activityIds.slice(at, at + step);
    const records = await questions.records(ids);
    for (const id of ids) {
      const record = records.find((each) => each.id === id);
      if (!record) throw notFound('activityIds', 'activity', id);
      counted ??= { since: record.updatedAt, counters: { signCounts: {} }, destinations: new Map() };
      const { activity, next } = replayOne(questions, record, counted);
      activities.push(activity);
      counted = next;
      if (performance.now() - turned < turn) continue;
      await nextTurn();
      turned = performance.now();
      if (turned - started > longest) return answer(activities, activityIds, counted);
    }
  }
  return answer(activities, activityIds, counted);
};

const answer = (activities: readonly Replayed[], asked: readonly string[], counted: Counted | undefined) => ({
  activities,
  remaining: asked.slice(activities.length),
  past: pastOf(counted ?? { since: 0, counters: { signCounts: {} }, destinations: new Map() }),
});

/** What the activities so far add up to, since when. */
type Counted = Pick<Organization, 'counters' | 'destinations'> & { readonly since: number };

function countedOf({ since, windows, last, destinations }: Past): Counted {
  return {
    since,
    counters: { signCounts: {}, windows: windows as Record<string, WindowEntry[]>, last },
    destinations: new Map(destinations.map((id) => [id, { id }])),
  };
}

const pastOf = ({ since, counters, destinations }: Counted) => ({
  since,
  windows: { ...counters.windows },
  last: { ...counters.last },
  destinations: [...destinations.keys()],
});

/** As they would be stored. Throws INVALID_ARGUMENT with the place of what is wrong in an expression. */
async function draftOf(given: readonly Draft[]): Promise<ReadonlyMap<string, Policy>> {
  const draft = new Map<string, Policy>();
  for (const [index, { policyId, policyName, effect, condition = '', consensus = '', ...more }] of given.entries()) {
    const id = policyId ?? policyName;
    if (draft.has(id)) throw invalidField(`policies.${index}`, 'expected each policy once');
    const { time, language } = more;
    const texts = { condition, consensus, ...(time !== undefined && { time }), ...(language && { language }) };
    const policy: Policy = { id, name: policyName, effect, ...texts, notes: '', createdAt: 0, updatedAt: 0 };
    checkExpressions(policy, (clause) => `policies.${index}.${clause}`);
    draft.set(id, policy);
    await nextTurn();
  }
  checkTotals(draft, 'policies');
  return draft;
}

function replayer(organization: Organization, draft: ReadonlyMap<string, Policy>) {
  const sets = { before: policySetOf(organization), after: policySetOf({ ...organization, policies: draft }) };
  // Asks about all of the past that either asks about.
  const both = [...organization.policies.values(), ...draft.values()];
  const policies = new Map(both.map((policy, index) => [String(index), policy]));
  const { windows } = policySetOf({ ...organization, policies });

  const isKnown = ({ since }: Counted, { now, sums }: Question): boolean =>
    since === 0 ||
    windows.every((window) => {
      const { length } = window;
      return (length > 0 && since <= now - length) || sums?.[windowKey(window)] !== undefined;
    });

  return (
    questions: QuestionReader,
    record: Recorded,
    counted: Counted,
  ): { readonly activity: Replayed; readonly next: Counted } => {
    const { id, type, status, facts, updatedAt } = record;
    const { outcome, decidedBy } = facts.decision;
    const told = {
      activityId: id,
      type,
      status,
      decidedAt: timestamp(updatedAt),
      decision: { outcome, decidedBy },
    };
    const unknown = (problem: string, factsOfNow: readonly FactOfNow[]) =>
      ({ ...told, change: 'unknown', problem, factsOfNow }) as const;
    try {
      const past = questions.ofPast(record);
      const question = counting(past.question, policies, counted);
      const replayed = replay(sets.before, sets.after, requestsOf(question).requests);
      const next = status === 'ACTIVITY_STATUS_COMPLETED' ? countedAfter(question, counted) : counted;
      const pending = replayed.before.decision.pending || replayed.after.decision.pending;
      const known = isKnown(counted, question);
      const factsOfNow = [
        ...past.factsOfNow.filter(
          (fact) => fact !== 'history' && fact !== 'policies' && (pending || fact !== 'others'),
        ),
        ...(known ? [] : ['history' as const]),
      ];
      if (!known && replayed.change !== 'none') return { activity: unknown(unknownPast, factsOfNow), next };
      return { activity: { ...told, change: replayed.change, ...sidesOf(replayed, sets), factsOfNow }, next };
    } catch (error) {
      // What an activity was about may be gone, such as the key that signed.
      if (!(error instanceof CountersignError)) throw error;
      // Nor is it known then what it added to the sums.
      const next = status === 'ACTIVITY_STATUS_COMPLETED' ? { ...counted, since: updatedAt + 1 } : counted;
      return { activity: unknown(error.message, []), next };
    }
  };
}

const unknownPast = 'what was done before it is not known: replay earlier activities first';

/** A question that knows of the past what was counted. Before an accepted restore its past was whole. */
function counting(question: Question, policies: Organization['policies'], counted: Counted): Question {
  const { now, epochStart } = question;
  const { since, counters, destinations } = counted;
  const organization = { ...question.organization, policies, counters, destinations };
  return { ...question, organization, epochStart: now < epochStart ? since : Math.max(epochStart, since) };
}

function countedAfter(question: Question, { since }: Counted): Counted {
  const { counters, destinations } = countForWindows(question.organization, question);
  return { since, counters, destinations };
}
