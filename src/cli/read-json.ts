import { readFileSync } from 'node:fs';
import { CountersignError } from '../protocol/errors.ts';
import { type JsonValue, parseJson } from '../protocol/json.ts';
import { OperatorError } from './operator-error.ts';

/** The JSON in a file; `-` is the standard input. Throws `OperatorError`. */
export function readJson(file: string): JsonValue {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new OperatorError(`cannot read ${file}: ${(error as Error).message}`);
  }
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    const places = error.facts.fields?.map(({ field, description }) => `${field}: ${description}`) ?? [error.message];
    throw new OperatorError(`${file} is not JSON: ${places.join('; ')}`);
  }
}
