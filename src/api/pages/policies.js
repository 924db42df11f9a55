/** The page of policies: the draft, what is wrong with it, what it says about an activity, and what saving it changes. */
import { readCompany } from './company-key.js';
import { element, facts, failure, labelled, show } from './elements.js';
import { changesTable, saidOf } from './policies/changes.js';
import { activityKinds, completionsAt } from './policies/completions.js';
import { differenceTable } from './policies/difference.js';
import {
  caseText,
  checkTexts,
  clauseNames,
  decideCase,
  formatTexts,
  starts,
  tryDraft,
  withDraft,
} from './policies/draft.js';
import { createEditor } from './policies/editor.js';
import { finding, isReplaced } from './policies/findings.js';
import {
  passkeyCaller,
  readActivities,
  readFacts,
  readPolicies,
  replayPolicies,
  savePolicy,
} from './policies/service.js';
import { traceView } from './policies/trace.js';

const byId = (id) => document.getElementById(id);
/** Ms without a key pressed after which mistakes are read out. */
const quietTime = 1200;

let caller;
let policies = [];
let activities = [];
/** What `Start from` chose: a template, or a stored policy, or nothing. */
let origin = {};
/** What the draft is tried on: `{ cases }` of an example, or with `factsOfNow` of an activity. */
let sample;
let announcing;

const tell = (text) => {
  byId('progress').textContent = text;
};
const announce = (text) => {
  byId('announcement').textContent = text;
};

const editors = Object.fromEntries(
  clauseNames.map((clause) => [
    clause,
    createEditor(document.querySelector(`[data-clause=${clause}] .editor`), {
      complete: (source, caret) =>
        completionsAt(source, caret, {
          clause,
          language: byId('language').value || undefined,
          kind: byId('kind').value,
        }),
      onInput: changed,
      announce,
    }),
  ]),
);

byId('kind').append(...[...activityKinds].sort().map((kind) => option(kind, kind)));
byId('start').addEventListener('change', start);
for (const id of ['policy-name', 'effect', 'language', 'delay', 'notes']) byId(id).addEventListener('input', changed);
byId('format').addEventListener('click', format);
byId('use-key').addEventListener(
  'click',
  act('who-result', async () => connect(readCompany(byId('root-text').value))),
);
byId('root-file').addEventListener('change', async ({ target }) => {
  byId('root-text').value = (await target.files[0]?.text()) ?? '';
  byId('use-key').click();
});
byId('use-passkey').addEventListener(
  'click',
  act('who-result', async () => connect(passkeyCaller(byId('organization-id').value.trim().toLowerCase()))),
);
byId('load-activities').addEventListener('click', act('outcome', loadActivities));
byId('run').addEventListener('click', act('outcome', run));
byId('part').addEventListener('change', showTrial);
byId('replay').addEventListener('click', act('replayed', replay));
byId('save').addEventListener('click', act('saved', save));

// The draft.

function readDraft() {
  return {
    ...(origin.policyId && { policyId: origin.policyId }),
    policyName: byId('policy-name').value.trim(),
    effect: byId('effect').value,
    ...Object.fromEntries(clauseNames.map((clause) => [clause, editors[clause].value])),
    ...(byId('language').value && { language: byId('language').value }),
    delaySeconds: Math.round(Number(byId('delay').value) * 3600),
    notes: byId('notes').value,
  };
}

function listStarts() {
  const chosen = byId('start').value;
  const groups = [
    group('Stored policies', policies, ({ policyId, policyName }) => option(`policy ${policyId}`, policyName)),
    group('Templates', starts, ({ policy, template }, index) =>
      option(`template ${index}`, `${template}: ${policy.policyName}`),
    ),
  ];
  byId('start').replaceChildren(option('', 'Nothing'), ...groups.flat());
  byId('start').value = chosen;
  if (byId('start').selectedIndex < 0) byId('start').value = '';
}

function start() {
  const [what, which] = byId('start').value.split(' ');
  const template = what === 'template' ? starts[which] : undefined;
  const stored = what === 'policy' ? policies.find(({ policyId }) => policyId === which) : undefined;
  const policy = template?.policy ?? stored ?? {};
  origin = { ...(stored && { policyId: stored.policyId, stored }), ...(template && { cases: template.cases }) };
  byId('policy-name').value = policy.policyName ?? '';
  byId('effect').value = policy.effect ?? 'EFFECT_ALLOW';
  byId('language').value = policy.language ?? '';
  // An update that leaves it out lets it stay.
  byId('language').options[0].disabled = Boolean(stored?.language);
  byId('delay').value = String((policy.delaySeconds ?? (stored ? 0 : 86_400)) / 3600);
  byId('notes').value = policy.notes ?? '';
  byId('start-note').textContent = template ? `To change in it: ${template.change}.` : '';
  for (const clause of clauseNames) editors[clause].write(policy[clause] ?? '');
  if (sample && !sample.isActivity) sample = undefined;
  listSamples();
  changed();
}

/** After every change: all that is shown about the draft follows it. */
function changed() {
  const draft = readDraft();
  byId('delay-field').hidden = draft.effect !== 'EFFECT_GUARD';
  const { valid, clauses, warnings } = checkTexts(draft);
  for (const name of clauseNames)
    showClause(
      draft,
      name,
      clauses.find(({ clause }) => clause === name),
      warnings,
    );
  const cost = clauses.reduce((sum, clause) => sum + (clause.cost ?? 0), 0);
  const languages = new Set(clauses.map(({ language }) => (language === 'cel' ? 'CEL' : 'Turnkey’s language')));
  const count = clauses.reduce((sum, { problems }) => sum + problems.length, 0);
  const verdict = byId('verdict');
  verdict.dataset.state = count > 0 ? 'bad' : warnings.length > 0 ? 'warned' : 'ok';
  verdict.textContent =
    count > 0
      ? `${many(count, 'mistake')}.`
      : `${[...languages].join(' and ') || 'No expression'}, at most ${many(cost, 'step')}${warnings.length > 0 ? `, ${many(warnings.length, 'warning')}` : ''}.`;
  byId('run').disabled = !valid;
  byId('format').disabled = !valid;
  showDifference(draft);
  readySave(draft, valid);
  for (const id of ['replayed', 'saved']) show(byId(id), []);
  showTrial();
  clearTimeout(announcing);
  const found = [...clauses.flatMap(({ problems }) => problems), ...warnings];
  announcing = setTimeout(() => announce(found[0] ? `${verdict.textContent} ${found[0].message}` : ''), quietTime);
}

const many = (count, noun) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

function showClause(draft, name, checked, warnings) {
  const problems = checked?.problems ?? [];
  const own = warnings.filter(({ clause }) => clause === name);
  editors[name].mark([
    ...problems.map(({ span }) => ({ span, severity: 'error' })),
    // The others are about the whole of it.
    ...own.filter(({ rule }) => isReplaced(rule)).map(({ span }) => ({ span, severity: 'warning' })),
  ]);
  const clause = { source: draft[name], effect: draft.effect };
  const actions = {
    goTo: editors[name].goTo,
    write: (text) => editors[name].write(text, { keepUndo: true }),
  };
  const items = [
    ...problems.map((problem) => finding(clause, problem, 'error', actions)),
    ...own.map((warning) => finding(clause, warning, 'warning', actions)),
  ];
  show(byId(`${name}-found`), items.length > 0 ? [element('ul', ...items)] : []);
}

function format() {
  const { clauses } = formatTexts(readDraft());
  for (const { clause, text } of clauses) if (text !== undefined) editors[clause].write(text, { keepUndo: true });
  const dropped = clauses.some(({ commentsDropped }) => commentsDropped);
  tell(dropped ? 'Formatted; comments are not part of the canonical form. Undo brings them back.' : 'Formatted.');
  byId('format').focus();
}

// Whose policies.

async function connect(next) {
  tell(next.asksEachTime ? 'Waiting for your passkey…' : 'Reading the policies…');
  policies = await readPolicies(next);
  caller = next;
  activities = [];
  byId('root-text').value = '';
  byId('who-form').hidden = true;
  byId('load-activities').hidden = false;
  listStarts();
  changed();
  if (!caller.asksEachTime) await loadActivities();
  tell(`${many(policies.length, 'policy').replace('policys', 'policies')} read.`);
  byId('start').focus();
  return [
    facts({
      Organization: element('code', caller.organizationId),
      Stamps: caller.asksEachTime ? 'your passkey, each time' : 'the API key, in this tab’s memory',
    }),
  ];
}

async function loadActivities() {
  tell(caller.asksEachTime ? 'Waiting for your passkey…' : 'Reading the activities…');
  activities = await readActivities(caller);
  listSamples();
  byId('sample').selectedIndex = 0;
  byId('load-activities').textContent = 'Read again';
  tell(`${activities.length} recent activities.`);
  return [];
}

// Try it.

function listSamples() {
  const chosen = byId('sample').value;
  const examples = origin.cases ?? starts[0].cases;
  byId('sample').replaceChildren(
    ...group('Recent activities', activities, (activity) => option(`activity ${activity.id}`, titleOf(activity))),
    ...group('Examples', examples, ({ id }, index) => option(`example ${index}`, id)),
  );
  byId('sample').value = chosen;
  if (byId('sample').selectedIndex < 0) byId('sample').selectedIndex = 0;
}

const titleOf = ({ type, status, createdAt }) => {
  const time = new Date(Number(createdAt.seconds) * 1000).toLocaleString(undefined, {
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const [kind, state] = [type.replace('ACTIVITY_TYPE_', ''), status.replace('ACTIVITY_STATUS_', '')];
  return `${time} ${kind.replace(/_V\d+$/, '')}, ${state.toLowerCase().replace('_', ' ')}`;
};

async function run() {
  const [what, which] = byId('sample').value.split(' ');
  if (what === 'activity') {
    tell(caller.asksEachTime ? 'Waiting for your passkey…' : 'Asking what policies are told of it…');
    sample = { ...(await readFacts(caller, which)), isActivity: true };
  } else sample = { cases: [(origin.cases ?? starts[0].cases)[which]] };
  const count = sample.cases.length;
  byId('part').replaceChildren(...sample.cases.map((_, index) => option(String(index), `${index + 1} of ${count}`)));
  byId('part-field').hidden = count < 2;
  tell('');
  showTrial();
  return [...byId('outcome').childNodes];
}

/** What the draft, as it is now, says about the sample. */
function showTrial() {
  const given = sample?.cases[Number(byId('part').value || 0)];
  const draft = readDraft();
  const parts = given && checkTexts(draft).valid ? trial(draft, given) : { outcome: [], traces: [] };
  show(byId('outcome'), parts.outcome);
  show(byId('traces'), parts.traces);
  byId('legend').hidden = parts.traces.length === 0;
  byId('facts').hidden = !given;
  if (given) byId('facts-text').textContent = caseText(given);
}

function trial(draft, given) {
  try {
    const { outcome, denies, clauses } = tryDraft(draft, given);
    const verdict = labelled('p', 'verdict', verdictOf(draft.effect, outcome, denies));
    verdict.dataset.state = outcome === 'OUTCOME_ALLOW' ? 'ok' : denies || outcome === 'OUTCOME_ERROR' ? 'bad' : 'none';
    const all = sample.isActivity ? [decisions(draft, given), ...caveats(sample.factsOfNow)] : [];
    return { outcome: [verdict, ...all], traces: clauses.map(traceView) };
  } catch (error) {
    return { outcome: [failure(error)], traces: [] };
  }
}

function verdictOf(effect, outcome, denies) {
  if (outcome === 'OUTCOME_ALLOW') return 'This policy allows it.';
  if (outcome === 'OUTCOME_DENY_EXPLICIT') return 'This policy denies it.';
  if (outcome === 'OUTCOME_REQUIRES_CONSENSUS') return 'This policy would allow it with more approvals.';
  if (outcome === 'OUTCOME_TIME_INACTIVE') return 'This policy is not active at that time.';
  if (outcome === 'OUTCOME_ERROR')
    return denies
      ? 'It cannot be evaluated, and so is denied.'
      : 'It cannot be evaluated: the policy says nothing about it.';
  return effect === 'EFFECT_ALLOW'
    ? 'This policy does not match: it allows nothing here.'
    : 'This policy does not apply to it.';
}

/** What all policies together decide, as stored and with the draft. */
function decisions(draft, given) {
  const said = (all) =>
    saidOf(decideCase(all, given), (id) => all.find(({ policyId = 'draft' }) => policyId === id)?.policyName || id);
  return facts({ 'By all policies as stored': said(policies), 'With this draft': said(withDraft(policies, draft)) });
}

/** What was not kept is told as it is now. */
function caveats(factsOfNow) {
  const changed = factsOfNow.filter((fact) => fact !== 'policies' && fact !== 'others');
  if (changed.length === 0) return [];
  return [
    labelled('p', 'note', `Not as they were then, but as they are now: ${changed.join(', ').replaceAll('_', ' ')}.`),
  ];
}

// Save.

function showDifference(draft) {
  const { stored } = origin;
  if (!stored) return show(byId('difference'), []);
  const fields = (policy) => ({
    Name: policy.policyName,
    Effect: policy.effect.replace('EFFECT_', '').toLowerCase(),
    Language: policy.language ?? 'by the text',
    Condition: policy.condition ?? '',
    Consensus: policy.consensus ?? '',
    Time: policy.time ?? '',
    Delay: policy.effect === 'EFFECT_GUARD' ? `${policy.delaySeconds ?? 0} s` : '',
    Notes: policy.notes ?? '',
  });
  const [before, after] = [fields(stored), fields(draft)];
  const rows = Object.keys(before)
    .filter((term) => before[term] !== after[term])
    .map((term) => [term, before[term], after[term]]);
  show(byId('difference'), rows.length > 0 ? [differenceTable(rows)] : [element('p', 'Nothing is changed yet.')]);
}

/** Asks the enclave: what changes among the recent activities, and by which part of which policy. */
async function replay() {
  if (activities.length === 0) await loadActivities();
  if (activities.length === 0) return [element('p', 'There are no activities yet.')];
  const draft = readDraft();
  tell(caller.asksEachTime ? 'Waiting for your passkey…' : 'Replaying…');
  // Oldest first, as sums over time add up.
  const ids = activities.map(({ id }) => id).reverse();
  const { activities: replayed, remaining } = await replayPolicies(caller, withDraft(policies, draft), ids);
  tell('');
  const changes = replayed.filter(({ change }) => change !== 'none' && change !== 'unknown');
  const unknown = replayed.filter(({ change }) => change === 'unknown').length;
  const notes = [
    `${many(changes.length, 'decision')} of ${replayed.length} would be another`,
    ...(unknown > 0 ? [`${unknown} cannot be told`] : []),
    ...(remaining.length > 0 ? [`${remaining.length} were not asked about`] : []),
  ];
  return [
    element('p', `${notes.join('; ')}.`),
    ...(changes.length > 0 ? [changesTable(changes, namesFor(draft))] : []),
  ];
}

const namesFor = (draft) => ({
  nameOf: (id) =>
    policies.find(({ policyId }) => policyId === id)?.policyName ?? (id === draft.policyName ? 'this draft' : id),
  titleOf: (id) => titleOf(activities.find((activity) => activity.id === id)),
});

function readySave(draft, valid) {
  const missing = [
    ...(caller ? [] : ['say whose policy it is, under Your organization']),
    ...(draft.policyName ? [] : ['give it a name']),
    ...(valid ? [] : ['correct its mistakes']),
  ];
  byId('save').disabled = missing.length > 0;
  byId('replay').disabled = !caller || !valid;
  byId('save').textContent = draft.policyId ? 'Save the change' : 'Create the policy';
  byId('save-note').textContent = missing.length > 0 ? `First ${missing.join(', ')}.` : '';
}

async function save() {
  const draft = readDraft();
  tell(caller.asksEachTime ? 'Waiting for your passkey…' : 'Saving…');
  const activity = await savePolicy(caller, draft);
  tell('');
  const shown = { Activity: element('code', activity.id) };
  if (activity.status !== 'ACTIVITY_STATUS_COMPLETED') {
    const until = activity.waitsUntil && new Date(Number(activity.waitsUntil.seconds) * 1000).toLocaleString();
    const words =
      activity.failure?.message ??
      (until ? `It waits until ${until}, and then for one more approval.` : 'It waits for approvals.');
    return [element('p', words), facts({ ...shown, Status: activity.status })];
  }
  const [{ policyId }] = Object.values(activity.result);
  const stored = { ...draft, policyId };
  policies = [...policies.filter((policy) => policy.policyId !== policyId), stored];
  origin = { ...origin, policyId, stored };
  listStarts();
  byId('start').value = `policy ${policyId}`;
  changed();
  return [element('p', 'Saved. It holds from now on.'), facts({ Policy: element('code', policyId), ...shown })];
}

// Parts.

function option(value, text) {
  return Object.assign(element('option', text), { value });
}

const group = (label, items, make) =>
  items.length > 0 ? [Object.assign(element('optgroup', ...items.map(make)), { label })] : [];

/** A button's work: its result, or what is wrong, is shown in `place`; not twice at a time. */
function act(place, work) {
  return async ({ currentTarget: button }) => {
    button.disabled = true;
    try {
      show(byId(place), await work());
    } catch (error) {
      tell('');
      show(byId(place), [failure(error)]);
    }
    button.disabled = false;
    readySave(readDraft(), checkTexts(readDraft()).valid);
  };
}

listStarts();
listSamples();
start();
// What was done before this would be lost.
byId('loading').remove();
document.querySelector('main').inert = false;
