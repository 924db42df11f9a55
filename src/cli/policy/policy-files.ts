import { dirname, join } from 'node:path';
import type { PolicyTexts } from '../../policy/check-texts.ts';
import { arrayAt, compileOrReject, readPolicies } from '../../policy/decide-file.ts';
import type { PolicySource } from '../../policy/policy-set.ts';
import { FactError, objectAt } from '../../policy/read-facts.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { OperatorError } from '../operator-error.ts';
import { readJson } from '../read-json.ts';

/** A policy of a file by its name, or its place where it has none. */
export type NamedPolicy = { readonly name: string; readonly texts: PolicyTexts; readonly given: JsonObject };

const clauses = ['condition', 'consensus', 'time'] as const;
const effects: ReadonlySet<unknown> = new Set(['EFFECT_ALLOW', 'EFFECT_DENY', 'EFFECT_GUARD']);
const languages: ReadonlySet<unknown> = new Set(['turnkey', 'cel']);

/** One policy, a list of them, or an object with a list `policies`: what `create_policy` takes. Throws `OperatorError`. */
export function policiesOf(json: JsonValue, file: string): readonly NamedPolicy[] {
  const many = Array.isArray(json) ? json : objectAt(json, file).policies;
  const list = many === undefined ? [json] : arrayAt(many, `${file}: policies`);
  if (list.length === 0) throw new OperatorError(`${file} holds no policy`);
  return list.map((item, index) => {
    const path = many === undefined ? file : `${file}: policies[${index}]`;
    const given = objectAt(item, path) as JsonObject;
    const named = [given.policyName, given.policyId, given.id].find((each) => typeof each === 'string');
    const name = named ?? (many === undefined ? 'policy' : `policies[${index}]`);
    return { name, texts: textsOf(given, path), given };
  });
}

/** The policies of a file, each of which compiles. Throws `OperatorError`. */
export function sourcesOf(file: string): readonly PolicySource[] {
  const given = policiesOf(readJson(file), file).map((policy) => policy.given);
  const sources = readPolicies([...given], file);
  for (const source of sources) {
    const compiled = compileOrReject(source);
    if ('rejected' in compiled) throw new OperatorError(`${file}: policy ${source.id}: ${compiled.rejected.message}`);
  }
  return sources;
}

/** A file of cases, with the policies of another file in place of its name. */
export function withPolicies(json: JsonValue, file: string): JsonValue {
  const fields = objectAt(json, file);
  if (typeof fields.policies !== 'string') return json;
  const other = join(dirname(file), fields.policies);
  return { ...fields, policies: policiesOf(readJson(other), other).map(({ given }) => given) };
}

function textsOf(given: JsonObject, path: string): PolicyTexts {
  const { effect, language } = given;
  if (!effects.has(effect)) throw new FactError(`${path}.effect`, `expected one of ${[...effects].join(', ')}`);
  if (language !== undefined && !languages.has(language))
    throw new FactError(`${path}.language`, 'expected `cel` or `turnkey`');
  for (const clause of clauses) {
    const text = given[clause];
    if (text !== undefined && text !== null && typeof text !== 'string') {
      throw new FactError(`${path}.${clause}`, 'expected a string');
    }
  }
  const texts = clauses.flatMap((clause) => (typeof given[clause] === 'string' ? [[clause, given[clause]]] : []));
  return { effect, ...(language !== undefined && { language }), ...Object.fromEntries(texts) } as PolicyTexts;
}
