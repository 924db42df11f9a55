/** Checks every answer of a run: against our own registry, and against what the official client believes it to be. */
import * as v from 'valibot';
import { activity as activitySchema } from '../../src/protocol/queries/objects.ts';
import { findActivity, queries } from '../../src/protocol/registry.ts';
import { readOfficialTypes } from './official-types.ts';

const official = readOfficialTypes();
const status = v.strictObject({
  code: v.pipe(v.number(), v.integer()),
  message: v.string(),
  details: v.array(v.looseObject({ '@type': v.string() })),
});
const submitAnswer = v.object({ activity: activitySchema, receipt: v.exactOptional(v.string()) });

export type Exchange = {
  readonly path: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
};

/** What is wrong with an answer of `/public/v1`; nothing when it is right. */
export function checkAnswer({ path, status: code, contentType, body }: Exchange): string[] {
  const where = `${path} ${code}`;
  if (contentType !== 'application/json') return [`${where}: Content-Type ${contentType}`];
  const json = JSON.parse(body) as unknown;
  const found = code === 200 ? checkSuccess(path, json) : differences(status, json);
  return found.map((problem) => `${where}: ${problem}`);
}

function checkSuccess(path: string, json: unknown): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const query = path.includes('/query/') ? queries.find((each) => each.name === name) : undefined;
  return [
    ...differences(query ? query.response : submitAnswer, json),
    ...activitiesOf(json).flatMap(checkActivity),
    ...official.problems(path, json),
  ];
}

type Answer = { activity?: WireActivity; activities?: WireActivity[] };
type WireActivity = { type: string; status: string; intent: object; result: Record<string, unknown> };

const activitiesOf = (json: unknown): WireActivity[] => {
  const { activity, activities = [] } = json as Answer;
  return activity ? [activity] : activities;
};

/** One intent, and for what is completed one result, under the keys of exactly this version. */
function checkActivity({ type, status, intent, result }: WireActivity): string[] {
  const known = findActivity(type);
  if (!known) return [`unknown type ${type}`];
  const { activity, version } = known;
  const results = status === 'ACTIVITY_STATUS_COMPLETED' ? [version.result] : [];
  const expected = JSON.stringify([[version.intent], results]);
  const found = JSON.stringify([Object.keys(intent), Object.keys(result)]);
  if (found !== expected) return [`${type}: expected the keys ${expected}, got ${found}`];
  return results.flatMap((key) => differences(activity.result, result[key]));
}

/** Schemas drop what they do not know, so what goes in must come out. */
function differences(schema: v.GenericSchema, json: unknown): string[] {
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) return parsed.issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`);
  return unknownFields(parsed.output, json, '');
}

function unknownFields(parsed: unknown, json: unknown, at: string): string[] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([key, value]) => {
    const held = (parsed as Record<string, unknown>)[key];
    if (held === undefined) return [`${at}${key}: not in the registry's schema`];
    return unknownFields(held, value, `${at}${key}.`);
  });
}
