import { parseArgs } from 'node:util';
import { compileOrReject } from '../../policy/decide-file.ts';
import { renderDecidingPart } from '../../policy/explain.ts';
import type { Policy } from '../../policy/policy-set.ts';
import type { Side } from '../../policy/replay.ts';
import { type ReplayedCase, replayFile } from '../../policy/replay-file.ts';
import { windowsOf } from '../../policy/windows.ts';
import { ask, type Caller, callerOf } from '../client.ts';
import { OperatorError } from '../operator-error.ts';
import { readJson } from '../read-json.ts';
import { readRootFile } from '../root-file.ts';
import { print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';
import { type NamedPolicy, policiesOf, sourcesOf, withPolicies } from './policy-files.ts';
import { type DraftPolicy, mostActivities, type ReplayedActivity, replayHistory, unixMs } from './replay-history.ts';

const help = `usage: countersign policy replay DRAFT [--add] [--last N] [--organization ID] [--json]
       countersign policy replay DRAFT --cases FILE [--json]

Says what the policies of DRAFT would change if they were all there are. DRAFT holds policies as \`policy check\` takes them.

Without --cases it asks the running service about the last N activities (1000) of the organization of root.json, or of a
sub-organization of it. Each is decided by the policies of now and by the draft: on the bytes that were to be signed, the
votes and the time of then. Sums over time are those of what was carried out; as far as windows reach back, activities
before the last N are read as well. Requests that were denied left no activity.

  --add              DRAFT is added to the policies of now; one of the same name takes the place of the old one
  --last N           how many activities, from 1 to ${mostActivities}
  --organization ID  the sub-organization
  --cases FILE       no service: cases as \`policy decide\` and \`policy test\` take them, before by the policies of the file
  --json             one JSON object in place of the text

Exits with 0 where nothing would change, with 2 where something would, and with 3 where nothing is known to change but
not all could be told.`;

const options = {
  add: { type: 'boolean' },
  json: { type: 'boolean' },
  last: { type: 'string' },
  organization: { type: 'string' },
  cases: { type: 'string' },
} as const;

export const replayCommand: PolicyCommand = {
  help,
  async run(args, settings) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const { add = false, json = false, last, organization, cases } = values;
    const [file, ...more] = positionals;
    const asksService = add || last !== undefined || organization !== undefined;
    if (file === undefined || more.length > 0 || (cases !== undefined && asksService)) throw new OperatorError(help);
    if (cases !== undefined) {
      const compiled = sourcesOf(file).map(compileOrReject) as Policy[];
      return report(replayFile(compiled, withPolicies(readJson(cases), cases)), json);
    }
    const root = readRootFile(settings.dataDir);
    const caller = callerOf({ ...root, ...(organization !== undefined && { organizationId: organization }) });
    const { draft, longestWindow } = await draftOf(caller, file, add);
    const span = { last: lastOf(last), longestWindow };
    report(await replayHistory(caller, draft, span, progress()), json);
  },
};

function lastOf(text = '1000'): number {
  const last = Number(text);
  if (/^\d{1,6}$/.test(text) && last >= 1 && last <= mostActivities) return last;
  throw new OperatorError(`--last: expected a number from 1 to ${mostActivities}, got ${JSON.stringify(text)}`);
}

/** One line a second. */
function progress(): (text: string) => void {
  let next = performance.now() + 1000;
  return (text) => {
    if (performance.now() < next) return;
    next = performance.now() + 1000;
    process.stderr.write(`${text}\n`);
  };
}

/** All policies that there would be, and how far back in ms they or those of now ask. */
async function draftOf(
  caller: Caller,
  file: string,
  add: boolean,
): Promise<{ draft: readonly DraftPolicy[]; longestWindow: number }> {
  sourcesOf(file);
  const given = policiesOf(readJson(file), file).map(draftPolicy);
  const { policies: now } = await ask<{ policies: readonly Required<DraftPolicy>[] }>(caller, 'list_policies', {});
  const isReplaced = ({ policyId, policyName }: DraftPolicy) =>
    given.some((each) => each.policyName === policyName || each.policyId === policyId);
  const draft = add ? [...now.filter((each) => !isReplaced(each)), ...given] : given;
  return { draft, longestWindow: Math.max(0, ...[...now, ...given].map(longestWindowOf)) };
}

function draftPolicy({ name, texts, given }: NamedPolicy): DraftPolicy {
  const { policyId } = given;
  return { ...texts, effect: texts.effect ?? '', policyName: name, ...(typeof policyId === 'string' && { policyId }) };
}

/** What asks about all of the past asks back for ever. */
function longestWindowOf({ policyName, ...policy }: DraftPolicy): number {
  const compiled = compileOrReject({ id: policyName, ...policy } as Parameters<typeof compileOrReject>[0]);
  const condition = 'rejected' in compiled ? null : compiled.condition;
  const lengths = condition
    ? windowsOf(condition.checked.tree).map(({ length }) => length || Number.POSITIVE_INFINITY)
    : [];
  return Math.max(0, ...lengths);
}

// The report.

const headings = {
  none: 'unchanged',
  denied: 'would be denied',
  allowed: 'would be allowed',
  'needs-approvals': 'would need more approvals',
  unknown: 'cannot be told',
} as const;

type Replayed = ReplayedActivity | ReplayedCase;

function report(replayed: readonly Replayed[], json: boolean): void {
  const by = Object.groupBy(replayed, ({ change }) => change);
  const summary = Object.fromEntries(
    Object.keys(headings).map((change) => [change, by[change as 'none']?.length ?? 0]),
  );
  const changed = replayed.filter(({ change }) => change !== 'none');
  if (json) print(JSON.stringify({ summary, changes: changed }));
  else {
    const width = Math.max(...Object.values(headings).map((heading) => heading.length)) + 2;
    const lines = Object.entries(headings).map(([change, heading]) => `${heading.padEnd(width)}${summary[change]}`);
    print(
      [
        `${replayed.length} ${replayed.length === 1 ? 'decision' : 'decisions'}`,
        ...lines.map((line) => `  ${line}`),
      ].join('\n'),
    );
    for (const each of changed) print(`\n${describe(each)}`);
  }
  const isKnown = (by.unknown?.length ?? 0) === 0;
  process.exitCode = changed.some(({ change }) => change !== 'unknown') ? 2 : isKnown ? 0 : 3;
}

function describe(replayed: Replayed): string {
  const { change, before, after, problem } = replayed;
  const ofNow = 'factsOfNow' in replayed && replayed.factsOfNow.length > 0 ? replayed.factsOfNow : null;
  return [
    `${nameOf(replayed)}: ${headings[change]}`,
    ...(problem === undefined ? [] : [`  ${problem}`]),
    ...(before && after ? [...describeSide('now', before), ...describeSide('draft', after)] : []),
    ...(ofNow ? [`  as of now, not of then: ${ofNow.join(', ')}`] : []),
  ].join('\n');
}

function nameOf(replayed: Replayed): string {
  if (!('activityId' in replayed)) return replayed.id;
  const { activityId, type, decidedAt } = replayed;
  return `${activityId} ${new Date(unixMs(decidedAt)).toISOString()} ${type.replace('ACTIVITY_TYPE_', '')}`;
}

const describeSide = (name: string, { reason, parts }: Side): readonly string[] => [
  `  ${name}: ${reason}`,
  ...parts.map((part) => `    ${part.policyId} ${renderDecidingPart(part)}`),
];
