/** `policy test FILE`: cases with the outcome that is expected of them, and what they leave untried. */
import type { JsonValue } from '../protocol/json.ts';
import { type Coverage, coverage } from './coverage.ts';
import { arrayAt, type CaseResult, compileOrReject, decideFile, readPolicies, readRequest } from './decide-file.ts';
import type { Policy } from './policy-set.ts';
import { FactError, objectAt } from './read-facts.ts';

export type TestResult = {
  readonly id: string;
  /** What came out otherwise; empty where it passed. */
  readonly failures: readonly string[];
};

export type TestReport = { readonly results: readonly TestResult[]; readonly coverage: Coverage };

type Json = { readonly [name: string]: JsonValue };

const outcomes = ['allow', 'deny', 'implicit-deny', 'error', 'rejected-at-creation'];

/**
 * Decides each case of `file` by its `policies`, and compares what comes out with `expect`: an outcome, or an object of
 * `outcome`, `pending` and `decidedBy`. Throws `FactError` where the file is no such file.
 */
export function testFile(file: JsonValue): TestReport {
  const { policies, cases } = objectAt(file, 'file');
  const listed = arrayAt(cases, 'cases').map((item, index) => ({
    policies: policies ?? [],
    ...objectAt(item, `cases[${index}]`),
  }));
  if (listed.length === 0) throw new FactError('cases', 'expected at least one');
  const decided = decideFile({
    cases: listed.map((given) => Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'expect'))),
  });
  const results = decided.map((result, index) => {
    const expected = readExpected((listed[index] as Json).expect, `cases[${index}].expect`);
    return { id: result.id, failures: compare(expected, result) };
  });
  return { results, coverage: coverOf(policies, listed) };
}

type Expected = Partial<Pick<CaseResult, 'outcome' | 'pending' | 'decidedBy'>>;

function readExpected(given: JsonValue | undefined, path: string): Expected {
  const fields: Json = typeof given === 'string' ? { outcome: given } : objectAt(given, path);
  const { outcome, pending } = fields;
  const unknown = Object.keys(fields).find((name) => !['outcome', 'pending', 'decidedBy'].includes(name));
  if (unknown !== undefined) throw new FactError(`${path}.${unknown}`, 'expected outcome, pending or decidedBy');
  if (outcome !== undefined && !outcomes.some((each) => each === outcome)) {
    throw new FactError(path, `expected one of ${outcomes.join(', ')}`);
  }
  if (pending !== undefined && typeof pending !== 'boolean')
    throw new FactError(`${path}.pending`, 'expected true or false');
  if (Object.keys(fields).length === 0) throw new FactError(path, 'expected an outcome');
  return fields as Expected;
}

const compare = (expected: Expected, result: CaseResult): readonly string[] => [
  ...Object.entries(expected)
    .filter(([name, value]) => result[name as keyof Expected] !== value)
    .map(([name, value]) => `${name}: expected ${show(value)}, got ${show(result[name as keyof Expected])}`),
  ...(result.error === undefined ? [] : [result.error]),
];

const show = (value: unknown): string => JSON.stringify(value);

/** Of the policies that all cases share, as far as cases have no others. */
function coverOf(policies: JsonValue | undefined, cases: readonly Json[]): Coverage {
  const compiled = readPolicies(policies ?? [], 'policies').map(compileOrReject);
  const whole = compiled.filter((policy): policy is Policy => !('rejected' in policy));
  const facts = cases.flatMap((given, index) => {
    if (given.policies !== policies) return [];
    try {
      return [readRequest(whole, given, `cases[${index}]`).request.facts];
    } catch (error) {
      if (error instanceof FactError) return [];
      throw error;
    }
  });
  return coverage(whole, facts);
}
