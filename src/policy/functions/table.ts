import { invalidTimestamp } from '../failure.ts';
import type { Language } from '../syntax.ts';
import { foldCase } from '../text.ts';
import { parseTimestamp } from '../time.ts';
import { types } from '../type-relations.ts';
import type { Value } from '../types.ts';
import { collectionFunctions } from './collections.ts';
import { conversions } from './conversions.ts';
import type { FunctionDefinition, FunctionTable } from './overload.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './times.ts';

/** RFC 3339 without an offset from UTC. */
function utcTimestamp(text: string): bigint {
  if (!/(?:[Zz]|[+-]00:00)$/.test(text)) throw invalidTimestamp;
  return parseTimestamp(text);
}

const turnkey: FunctionTable = new Map<string, FunctionDefinition>([
  [
    'count',
    {
      form: 'method',
      overloads: [
        {
          parameters: ['list'],
          result: types.int,
          apply: (list: readonly Value[]) => BigInt(list.length),
          total: true,
        },
      ],
    },
  ],
  [
    'Timestamp',
    { form: 'global', overloads: [{ parameters: ['text'], result: types.timestamp, apply: utcTimestamp }] },
  ],
  [
    'CaseInsensitiveString',
    { form: 'global', overloads: [{ parameters: ['text'], result: types.caseless, apply: foldCase, total: true }] },
  ],
]);

/** Functions by name; those that need more than their arguments' types are in `calls.ts`. */
export const functionTables: Readonly<Record<Language, FunctionTable>> = {
  cel: new Map([...stringFunctions, ...conversions, ...collectionFunctions, ...timeFunctions]),
  turnkey,
};
