import { type CountersignError, invalidArgument } from '../protocol/errors.ts';

/** A place in the JSON text, as `['message', 'to', 0]`; empty for the whole. */
export type Path = readonly (string | number)[];

export function invalidTypedData(path: Path, problem: string): CountersignError {
  const place = path.map((part) => String(part).slice(0, 64).toWellFormed()).join('.');
  const description = place === '' ? problem : `${place}: ${problem}`;
  return invalidArgument(`invalid typed data: ${description}`, {
    fields: [{ field: 'parameters.payload', description }],
  });
}
