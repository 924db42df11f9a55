/** The past in cases: what the calls of `windows.ts` answer, as `{"spent('eip155:1', '24h')": {"$int":"…"}}`. */
import type { JsonValue } from '../protocol/json.ts';
import { parseCel } from './cel/parse.ts';
import { PolicyError } from './errors.ts';
import { FactError, objectAt, readFacts } from './read-facts.ts';
import type { Expression } from './syntax.ts';
import { listOf, types } from './type-relations.ts';
import type { Type, Value } from './types.ts';
import { type History, historyKey, maxNewDestinations } from './windows.ts';

const forms =
  "spent('eip155:1', '24h'), spending('eip155:1'), sinceLast('SIGN_TRANSACTION'), newRecipients() and the like";

const resultTypes: Readonly<Record<string, Type>> = {
  spent: types.wideUint,
  spending: types.wideUint,
  activities: types.wideUint,
  sinceLast: types.duration,
  newRecipients: listOf(types.address, maxNewDestinations),
  newContracts: listOf(types.address, maxNewDestinations),
};

/** Throws `FactError`. */
export function readHistory(json: JsonValue, path: string): History {
  return new Map(
    Object.entries(objectAt(json, path)).map(([text, answer]): [string, Value] => {
      const place = `${path}[${JSON.stringify(text)}]`;
      const call = parseCall(text);
      const key = call && historyKey(call);
      const type = call && resultTypes[call.name];
      if (key === undefined || type === undefined) throw new FactError(place, `expected the name to be ${forms}`);
      const field = { type, description: '' };
      const { facts } = readFacts({ [text]: field }, { [text]: answer }, path);
      const value = facts[text];
      if (value === undefined) throw new FactError(place, 'expected what it answers');
      return [key, value];
    }),
  );
}

function parseCall(text: string): (Expression & { kind: 'call' }) | undefined {
  try {
    const tree = parseCel(text);
    return tree.kind === 'call' ? tree : undefined;
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}
