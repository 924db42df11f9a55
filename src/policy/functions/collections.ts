/** Sizes, and slices of bytes and lists. */
import { indexOutOfRange } from '../failure.ts';
import { countCodePoints, substring } from '../text.ts';
import { types } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import type { FunctionDefinition, FunctionTable } from './overload.ts';

const sameType = ([type]: readonly Type[]): Type => type ?? types.none;

export function slice<Sequence extends Uint8Array | readonly Value[]>(
  sequence: Sequence,
  from: bigint,
  to: bigint,
): Value {
  if (from < 0n || from > to || to > BigInt(sequence.length)) throw indexOutOfRange;
  return sequence.slice(Number(from), Number(to)) as Value;
}

export const collectionFunctions: FunctionTable = new Map<string, FunctionDefinition>([
  [
    'size',
    {
      form: 'both',
      overloads: [
        {
          parameters: ['text'],
          result: types.int,
          apply: (text: string) => BigInt(countCodePoints(text)),
          total: true,
          cost: 5,
        },
        { parameters: ['bytes'], result: types.int, apply: (bytes: Uint8Array) => BigInt(bytes.length), total: true },
        {
          parameters: ['list'],
          result: types.int,
          apply: (list: readonly Value[]) => BigInt(list.length),
          total: true,
        },
        {
          parameters: ['map'],
          result: types.int,
          apply: (map: ReadonlyMap<string, Value>) => BigInt(map.size),
          total: true,
        },
      ],
    },
  ],
  [
    'slice',
    {
      form: 'method',
      overloads: [
        { parameters: ['bytes', 'int', 'int'], result: sameType, apply: slice },
        { parameters: ['list', 'int', 'int'], result: sameType, apply: slice },
        { parameters: ['text', 'int', 'int'], result: sameType, apply: substring },
      ],
    },
  ],
]);
