/** What a clock or a calendar shows of a timestamp, and the parts of a duration. */
import { durationGetters, timestampGetters } from '../time.ts';
import { types } from '../type-relations.ts';
import type { FunctionDefinition, FunctionTable, Overload } from './overload.ts';

function getter(name: string): FunctionDefinition {
  const overloads: Overload[] = [];
  const ofTimestamp = timestampGetters.get(name);
  const ofDuration = durationGetters.get(name);
  if (ofTimestamp !== undefined) {
    overloads.push(
      {
        parameters: ['timestamp'],
        result: types.int,
        apply: (time: bigint) => ofTimestamp(time, 'UTC'),
        total: true,
        cost: 5,
      },
      { parameters: ['timestamp', 'string'], result: types.int, apply: ofTimestamp, cost: 200 },
    );
  }
  if (ofDuration !== undefined)
    overloads.push({ parameters: ['duration'], result: types.int, apply: ofDuration, total: true });
  return { form: 'method', overloads };
}

export const timeFunctions: FunctionTable = new Map(
  [...timestampGetters.keys(), ...durationGetters.keys()].map((name) => [name, getter(name)]),
);
