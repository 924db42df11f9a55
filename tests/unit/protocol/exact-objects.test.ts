import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { ActivityVersion, Query, Schema } from '../../../src/protocol/activities/activity.ts';
import { parseJson } from '../../../src/protocol/json.ts';
import { parseFields, parseParameters } from '../../../src/protocol/parse-parameters.ts';
import { parseRequest } from '../../../src/protocol/parse-request.ts';
import { findQuery } from '../../../src/protocol/queries/index.ts';
import { activities, queries } from '../../../src/protocol/registry.ts';

type Found = { readonly schema: Schema; readonly isList: boolean };

/** The objects in a schema and the lists of them, wherever they are, with and without what a pipe adds. */
function objectsIn(schema: Schema): Found[] {
  const { entries, item, wrapped, options, pipe, type } = schema as unknown as Record<string, unknown>;
  const parts = [item, wrapped, ...Object.values(entries ?? {}), ...((pipe ?? []) as Schema[])];
  const inner = [...parts, ...(type === 'union' ? (options as Schema[]) : [])].filter(
    (part) => (part as Schema | undefined)?.kind === 'schema',
  ) as Schema[];
  const isList = (item as { entries?: object } | undefined)?.entries !== undefined;
  return [...(entries || isList ? [{ schema, isList }] : []), ...inner.flatMap(objectsIn)];
}

describe('no object is given as an array', () => {
  const schemas: [string, Schema][] = [
    ...activities.flatMap(({ versions }) =>
      Object.entries(versions).map(([type, { parameters }]): [string, Schema] => [type, parameters]),
    ),
    ...queries.map(({ name, request }): [string, Schema] => [name, request]),
  ];

  test.each(schemas)('%s', (_, schema) => {
    const objects = objectsIn(schema);
    expect(objects.length).toBeGreaterThan(0);
    for (const { schema: object, isList } of objects) {
      for (const array of [[], [{}], [1, 2]]) {
        const [field, given] = isList ? ['field.0', [array]] : ['field', array];
        expect(() => parseFields(v.object({ field: object }), { field: given })).toThrow(
          expect.objectContaining({ facts: { fields: [{ field, description: 'expected Object' }] } }),
        );
      }
    }
  });

  test.each([
    ['list_activities', { paginationOptions: [] }, 'paginationOptions'],
    ['list_wallet_accounts', { paginationOptions: ['10'] }, 'paginationOptions'],
  ])('%s with %j', (name, request, field) => {
    const asked = { organizationId: '35e5c619-ba95-417c-bb48-b16f1543aea0', ...request };
    expect(() => parseRequest(findQuery(name) as Query, asked)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: `bad request body: ${field}: expected Object`,
        facts: { fields: [{ field, description: 'expected Object' }] },
      }),
    );
  });
});

test('what a schema says of lists, unions, defaults and transformations stays', () => {
  const schema = v.pipe(
    v.strictObject({
      list: v.array(v.object({ a: v.exactOptional(v.number(), 1) })),
      either: v.union([v.array(v.number()), v.object({ b: v.exactOptional(v.string()) })]),
      loose: v.looseObject({}),
    }),
    v.transform((value) => ({ ...value, more: true })),
  );
  const input = { list: [{}, { a: 2 }], either: [1], loose: { c: [1] } };
  const expected = { list: [{ a: 1 }, { a: 2 }], either: [1], loose: { c: [1] }, more: true };
  // The second time by what was made the first time.
  for (let time = 0; time < 2; time++) expect(parseFields(schema, input)).toEqual(expected);
  expect(() => parseFields(schema, { ...input, list: [[]] })).toThrow('list.0: expected Object');
  expect(() => parseFields(schema, { ...input, either: ['x'] })).toThrow('either');
  expect(() => parseFields(schema, { ...input, loose: [] })).toThrow('loose: expected Object');
});

describe('no member is left out without a word', () => {
  const given = (json: string) => parseJson(Buffer.from(json));
  const schema = v.strictObject({
    any: v.exactOptional(v.pipe(v.record(v.string(), v.unknown()), v.transform(Object.keys))),
    loose: v.exactOptional(v.looseObject({})),
  });
  const refusal = (field: string) =>
    expect.objectContaining({ facts: { fields: [{ field, description: 'unknown field' }] } });

  test.each(['__proto__', 'prototype', 'constructor'])('%s', (name) => {
    for (const field of ['any', 'loose']) {
      const input = given(`{"${field}": {"a": 1, "${name}": {"polluted": true}}}`);
      expect(() => parseFields(schema, input)).toThrow(refusal(`${field}.${name}`));
    }
    expect(() => parseFields(schema, given(`{"${name}": 1}`))).toThrow(refusal(name));
    const [operation] = activities.filter((activity) => activity.name === 'sign_user_operation');
    const [version] = Object.values(operation?.versions ?? {}) as [ActivityVersion];
    const parameters = given(`{
      "signWith": "0x${'11'.repeat(20)}", "chainId": "1", "entryPoint": "0x${'22'.repeat(20)}",
      "userOperation": {"sender": "0x", "${name}": "0x"}
    }`);
    expect(() => parseParameters(version, parameters)).toThrow(refusal(`parameters.userOperation.${name}`));
  });

  test('other names of every object are names like any other', () => {
    const names = ['toString', 'hasOwnProperty', '__proto', ''];
    const object = Object.fromEntries(names.map((name) => [name, 1]));
    expect(parseFields(schema, { any: object })).toEqual({ any: names });
  });
});
