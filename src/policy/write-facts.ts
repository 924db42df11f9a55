import type { JsonObject, JsonValue } from '../protocol/json.ts';
import { toJson } from './json-text.ts';
import { types } from './type-relations.ts';
import type { Schema, Type, Value } from './types.ts';
import type { Facts } from './values.ts';
import type { History } from './windows.ts';

/** Facts by the types of a schema as JSON: what `readFacts` reads back to the same values. */
export const writeFacts = (schema: Schema, facts: Facts): JsonObject =>
  Object.fromEntries(
    Object.entries(schema).flatMap(([name, { type }]) => {
      const value = facts[name];
      return value === undefined ? [] : [[name, writeValue(type, value)]];
    }),
  );

/** Structs are read by the names of the schema: what they inherit belongs to them too. */
function writeValue(type: Type, value: Value): JsonValue {
  if (type.kind === 'struct') return writeFacts(type.fields, value as Facts);
  if (type.kind === 'list') return (value as readonly Value[]).map((item) => writeValue(type.element, item));
  return toJson(value, type);
}

/** What is known of the past, by the calls that ask for it: what `readHistory` reads. */
export const writeHistory = (history: History): JsonObject =>
  Object.fromEntries([...history].map(([call, value]) => [call, toJson(value, typeOfCall(call))]));

const typeOfCall = (call: string): Type | undefined => (call.startsWith('sinceLast(') ? types.duration : undefined);
