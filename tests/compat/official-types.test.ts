import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { Schema } from '../../src/protocol/activities/activity.ts';
import { activities, queries } from '../../src/protocol/registry.ts';
import { checkAnswer } from './check-answer.ts';
import { readOfficialTypes } from './official-types.ts';
import { ourActivities, ourQueries } from './our-queries.ts';

const official = readOfficialTypes();

describe('registry and official client', () => {
  const theirs = activities.filter(({ name }) => !ourActivities.includes(name));
  const versions = theirs.flatMap((activity) => Object.entries(activity.versions));
  const keyIssues = (parameters: Schema, intent: unknown) =>
    (v.safeParse(parameters, intent).issues ?? []).filter(({ type, path }) => type === 'strict_object' && path);

  test.each(versions)('%s: every field that the client may send is known, and no other is needed', (_, version) => {
    const { intent, parameters } = version;
    const paths = (fields: 'all' | 'required') =>
      keyIssues(parameters, official.intent(intent, fields)).map((issue) => v.getDotPath(issue));
    expect(paths('all')).toEqual([]);
    expect(paths('required')).toEqual([]);
  });

  const names = [
    ...theirs.map(({ name }) => `/public/v1/submit/${name}`),
    ...queries.filter(({ name }) => !ourQueries.includes(name)).map(({ name }) => `/public/v1/query/${name}`),
  ];
  test.each(names)('%s: the client has this path', (path) => {
    expect(official.problems(path, {}).join()).not.toContain('no such path');
  });
});

describe('the check of answers', () => {
  const answer = { path: '/public/v1/query/whoami', status: 200, contentType: 'application/json' };
  const identity = { organizationId: 'o', organizationName: 'n', userId: 'u', username: 'u' };
  test.each([
    ['a missing field', { ...identity, userId: undefined }, 'userId: missing'],
    ['a number for a string', { ...identity, userId: 1 }, 'userId: expected string, got 1'],
    ['a field of another name', { ...identity, userName: 'u' }, 'userName: unknown to the official client'],
  ])('finds %s', (_, body, problem) => {
    expect(checkAnswer({ ...answer, body: JSON.stringify(body) }).join('\n')).toContain(problem);
  });

  test('finds a charset and an error without details', () => {
    const charset = { ...answer, contentType: 'application/json; charset=utf-8', body: JSON.stringify(identity) };
    expect(checkAnswer(charset)).toHaveLength(1);
    expect(checkAnswer({ ...answer, status: 404, body: '{"code":5,"message":"no"}' })).toHaveLength(1);
    expect(checkAnswer({ ...answer, body: JSON.stringify(identity) })).toEqual([]);
  });
});
