import type { JsonObject, JsonValue } from '../protocol/json.ts';

export type Template = {
  readonly summary: string;
  /** What has to be put in place of the examples. */
  readonly change: string;
  readonly file: JsonObject;
};

type Case = readonly [
  id: string,
  facts: JsonObject,
  expect: JsonValue,
  approvers?: readonly string[],
  more?: JsonObject,
];

/** A file for `policy test`. */
export const file = (policies: readonly JsonObject[], cases: readonly Case[]): JsonObject => ({
  policies: [...policies],
  cases: cases.map(([id, facts, expect, approvers = ['user-1'], more = {}]) => ({
    id,
    facts,
    approvers: approvers.map((approver) => ({ id: approver })),
    ...more,
    expect,
  })),
});
