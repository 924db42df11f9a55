/** `policy replay DRAFT --cases FILE`: what a draft would change about cases as `policy decide` and `policy test` take them. */
import type { JsonValue } from '../protocol/json.ts';
import { arrayAt, compileOrReject, readPolicies, readRequest } from './decide-file.ts';
import { decideByScan } from './decide-policies.ts';
import { createPolicySet, type Policy, type PolicySet } from './policy-set.ts';
import { FactError, objectAt } from './read-facts.ts';
import { type Change, replay, type Side, sidesOf } from './replay.ts';

export type ReplayedCase = {
  readonly id: string;
  readonly change: Change | 'unknown';
  /** By the policies of the case, and by the draft; absent where they cannot be asked. */
  readonly before?: Side;
  readonly after?: Side;
  /** Why it is not known. */
  readonly problem?: string;
};

/** Throws `FactError` where the file holds no list of cases; a mistake in one case is what is said of it. */
export function replayFile(draft: readonly Policy[], file: JsonValue): readonly ReplayedCase[] {
  const { policies: shared = [], cases } = objectAt(file, 'file');
  const after = createPolicySet(draft);
  const setOf = setReader(draft);
  return arrayAt(cases, 'cases').map((given, index) => {
    const path = `cases[${index}]`;
    const fields = objectAt(given, path);
    const id = typeof fields.id === 'string' || typeof fields.id === 'number' ? String(fields.id) : path;
    try {
      const { before, both } = setOf(fields.policies ?? shared, `${path}.policies`);
      const { request } = readRequest(both, fields, path);
      // Cases may leave out facts that the index takes for granted.
      const replayed = replay(before, after, [request], decideByScan);
      return { id, change: replayed.change, ...sidesOf(replayed, { before, after }) };
    } catch (error) {
      if (!(error instanceof FactError)) throw error;
      return { id, change: 'unknown', problem: error.message };
    }
  });
}

/** The policies before, and all that say who could approve. */
type Sets = { readonly before: PolicySet; readonly both: readonly Policy[] };

/** Compiles the policies that many cases have in common once. */
function setReader(draft: readonly Policy[]): (json: JsonValue, path: string) => Sets {
  const known = new Map<string, Sets>();
  let last: { readonly json: JsonValue; readonly sets: Sets } | undefined;
  return (json, path) => {
    if (last?.json === json) return last.sets;
    const text = JSON.stringify(json);
    const sets =
      known.get(text) ??
      setsOf(
        readPolicies(json, path).map((source) => compiled(source, path)),
        draft,
      );
    known.set(text, sets);
    last = { json, sets };
    return sets;
  };
}

const setsOf = (policies: readonly Policy[], draft: readonly Policy[]): Sets => ({
  before: createPolicySet(policies),
  both: [...policies, ...draft],
});

function compiled(source: Parameters<typeof compileOrReject>[0], path: string): Policy {
  const policy = compileOrReject(source);
  if ('rejected' in policy)
    throw new FactError(path, `policy ${policy.id} cannot be created: ${policy.rejected.message}`);
  return policy;
}
