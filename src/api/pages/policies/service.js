/** What the page asks the service, stamped by whoever uses it. */
import { send } from '../../../../sdk/src/send.ts';
import { passkeyStamper } from '../../../../sdk/src/stampers.ts';
import { boundQuery } from '../../../protocol/bound-query.ts';

/** Whoever picks one of their passkeys; each request asks for it. */
export const passkeyCaller = (organizationId, rpId = location.hostname) => ({
  organizationId,
  asksEachTime: true,
  stamp: passkeyStamper({ rpId }),
});

const query =
  (name) =>
  ({ organizationId, stamp }, parameters = {}) =>
    send('', `query/${name}`, stamp, boundQuery(name, { organizationId, ...parameters }));

const listPolicies = query('list_policies');
const listActivities = query('list_activities');
const getFacts = query('get_activity_facts');
const replay = query('replay_policies');

export const readPolicies = async (caller) => (await listPolicies(caller)).policies;

export const readActivities = async (caller) =>
  (await listActivities(caller, { paginationOptions: { limit: '50' } })).activities;

/** What policies are told of an activity: `cases`, one for each thing that it signs, and which `factsOfNow` are in them. */
export const readFacts = (caller, activityId) => getFacts(caller, { activityId });

/** What these policies, instead of those that there are, would make of the activities. */
export async function replayPolicies(caller, policies, activityIds) {
  const drafts = policies.map(({ policyId, policyName, effect, condition, consensus, time, language }) => ({
    ...(policyId && { policyId }),
    policyName: policyName || 'this draft',
    ...{ effect, condition, consensus, ...(time && { time }), ...(language && { language }) },
  }));
  const { activities, remaining } = await replay(caller, { policies: drafts, activityIds });
  return { activities, remaining };
}

/** Creates the policy of a draft, or updates the one that it was made from. Gives the activity. */
export async function savePolicy({ organizationId, stamp }, draft) {
  const [name, version, parameters] = draft.policyId
    ? ['update_policy', 'V2', updateOf(draft)]
    : ['create_policy', 'V3', creationOf(draft)];
  const content = {
    type: `ACTIVITY_TYPE_${name.toUpperCase()}_${version}`,
    timestampMs: String(Date.now()),
    organizationId,
    parameters,
  };
  return (await send('', `submit/${name}`, stamp, content)).activity;
}

function creationOf({ policyName, effect, condition, consensus, time, notes, ...draft }) {
  const clauses = { ...(condition && { condition }), ...(consensus && { consensus }), ...(time && { time }) };
  return { policyName, effect, ...clauses, notes, ...optionsOf({ ...draft, effect }) };
}

/** Empty clauses too: those that are left out would stay. */
const updateOf = ({ policyId, policyName, effect, condition, consensus, time, notes, ...draft }) => ({
  policyId,
  policyName,
  policyEffect: effect,
  policyCondition: condition,
  policyConsensus: consensus,
  policyNotes: notes,
  time,
  ...optionsOf({ ...draft, effect }),
});

const optionsOf = ({ effect, language, delaySeconds }) => ({
  ...(language && { language }),
  ...(effect === 'EFFECT_GUARD' && { delaySeconds }),
});
