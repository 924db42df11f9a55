import { CountersignError } from '../protocol/errors.ts';
import { type JsonObject, type JsonValue, parseJson } from '../protocol/json.ts';

/** The JSON object that `text` is, read as strictly as a request's body; `invalid` makes the error of what is wrong. */
export function parseJsonObject(text: string, invalid: (problem: string) => CountersignError): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(Buffer.from(text));
  } catch (error) {
    const violation = error instanceof CountersignError ? error.facts.fields?.[0] : undefined;
    throw violation ? invalid(`not the JSON expected: ${violation.field}: ${violation.description}`) : error;
  }
  if (!isObject(value)) throw invalid('expected a JSON object');
  return value;
}

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
