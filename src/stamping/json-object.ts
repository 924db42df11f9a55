import { type JsonObject, parseJson } from '../protocol/json.ts';

/** The JSON object in `bytes`; undefined when it is anything else, or has a name twice. */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value = parseJson(bytes);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
