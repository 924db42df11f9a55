/** `policy explain FILE`: why the cases of a decide file are decided as they are, in words. */
import type { JsonValue } from '../protocol/json.ts';
import { arrayAt, compileOrReject, readPolicies, readRequest } from './decide-file.ts';
import { decideByScan } from './decide-policies.ts';
import { explain } from './explain.ts';
import { createPolicySet, type Policy } from './policy-set.ts';
import { FactError, objectAt } from './read-facts.ts';

/** Throws `FactError` where the file holds no list of cases; a mistake in one case is what is said of it. */
export function explainFile(file: JsonValue): readonly { readonly id: string; readonly text: string }[] {
  const { cases } = objectAt(file, 'file');
  return arrayAt(cases, 'cases').map((given, index) => {
    const path = `cases[${index}]`;
    const { id } = objectAt(given, path);
    const name = typeof id === 'string' || typeof id === 'number' ? String(id) : path;
    try {
      return { id: name, text: explainCase(given, path) };
    } catch (error) {
      if (!(error instanceof FactError)) throw error;
      return { id: name, text: `the case is wrong: ${error.message}` };
    }
  });
}

function explainCase(given: JsonValue, path: string): string {
  const fields = objectAt(given, path);
  const compiled = readPolicies(fields.policies, `${path}.policies`).map(compileOrReject);
  const rejected = compiled.flatMap((policy) => ('rejected' in policy ? [policy] : []));
  if (rejected.length > 0) {
    return rejected.map((policy) => `policy ${policy.id} cannot be created: ${policy.rejected.message}`).join('\n');
  }
  const policies = compiled as Policy[];
  const { request, ignored } = readRequest(policies, fields, path);
  const set = createPolicySet(policies);
  const { text } = explain(set, request, decideByScan(set, request), (id) => id);
  return [text, ...ignored.map((fact) => `ignored: ${fact}, which no policy can name`)].join('\n');
}
