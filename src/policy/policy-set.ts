/** Policies, compiled once and indexed, for {@link decide} of decide-policies.ts. */
import { type Code, compileCode, programOf } from './compile.ts';
import { type Compiled, checkText } from './compile-text.ts';
import { PolicyError, renderProblem } from './errors.ts';
import { isFallible } from './fallible.ts';
import { namespaceBits } from './namespaces.ts';
import { evaluatedAs } from './policy-groups.ts';
import { createIndex, type PolicyIndex } from './policy-index.ts';
import { conditionSchema } from './schema/condition.ts';
import { consensusSchema } from './schema/consensus.ts';
import { timeSchema } from './schema/time.ts';
import { createSharing } from './sharing.ts';
import type { Language } from './syntax.ts';
import type { Schema } from './types.ts';
import { type Window, windowsOf } from './windows.ts';

export type Effect = 'EFFECT_ALLOW' | 'EFFECT_DENY' | 'EFFECT_GUARD';
export type ClauseName = 'condition' | 'consensus' | 'time';

export type PolicySource = {
  readonly id: string;
  readonly effect: Effect;
  /** What; absent or empty: every activity. */
  readonly condition?: string;
  /** Who; absent or empty: everyone. */
  readonly consensus?: string;
  /** When; absent or empty: always. */
  readonly time?: string;
  /** Of all clauses; absent: Turnkey's for each clause that is an expression of it, otherwise CEL. */
  readonly language?: Language;
};

export type Clause = Compiled & {
  readonly name: ClauseName;
  readonly source: string;
  /** What `program` throws is a failure here. */
  readonly code: Code;
  /** May end in an error other than an absent namespace. */
  readonly fallible: boolean;
};

export type Policy = {
  readonly id: string;
  readonly effect: Effect;
  /** Namespaces without which the condition errs as a whole, whatever else is in it: Turnkey's language is strict. */
  readonly needs: number;
  readonly condition: Clause | null;
  readonly consensus: Clause | null;
  readonly time: Clause | null;
};

export type PolicySet = {
  /** In the order in which they were given. */
  readonly policies: readonly Policy[];
  readonly index: PolicyIndex;
  /** Bits of the namespaces that the conditions name. */
  readonly namespaces: number;
  /** What conditions ask about the past. */
  readonly windows: readonly Window[];
  /** Bound on the steps of one decision. */
  readonly cost: number;
  /** Ends a decision: see `Sharing`. */
  readonly forget: () => void;
};

/** A policy that cannot be created: one of its clauses is no expression of its language. */
export class InvalidPolicyError extends Error {
  readonly clause: ClauseName;
  readonly source: string;
  override readonly cause: PolicyError;

  constructor(clause: ClauseName, source: string, cause: PolicyError) {
    const [problem] = cause.problems;
    super(`invalid policy ${clause}: ${problem ? renderProblem(source, problem) : cause.message}`);
    this.name = 'InvalidPolicyError';
    this.clause = clause;
    this.source = source;
    this.cause = cause;
  }
}

export const clauseSchemas: Readonly<Record<ClauseName, Schema>> = {
  condition: conditionSchema,
  consensus: consensusSchema,
  time: timeSchema,
};

/** Throws `InvalidPolicyError`. */
export function compilePolicy(policy: PolicySource): Policy {
  const condition = compileClause(policy, 'condition');
  return {
    id: policy.id,
    effect: policy.effect,
    needs: condition?.language === 'turnkey' ? namespaceBits(condition.checked.namespaces) : 0,
    condition,
    consensus: compileClause(policy, 'consensus'),
    time: compileClause(policy, 'time'),
  };
}

function compileClause(policy: PolicySource, name: ClauseName): Clause | null {
  const source = policy[name];
  if (source === undefined || source === '') return null;
  try {
    const language = policy.language !== undefined && { language: policy.language };
    const checked = checkText(source, { ...language, schema: clauseSchemas[name], expected: { kind: 'bool' } });
    const code = compileCode(checked.plan, checked.language);
    const fallible = isFallible(checked);
    return { name, source, language: checked.language, checked, code, program: programOf(code), fallible };
  } catch (error) {
    if (error instanceof PolicyError) throw new InvalidPolicyError(name, source, error);
    throw error;
  }
}

/** Fewer policies have too little in common for it to be looked for. */
const minShared = 32;

export function createPolicySet(policies: readonly Policy[]): PolicySet {
  const windows = policies.flatMap(({ condition }) => (condition ? windowsOf(condition.checked.tree) : []));
  const clauses = policies.length < minShared ? [] : policies.flatMap(clausesOf);
  const sharing = createSharing(
    clauses.map((clause) => ({
      plan: clause.checked.plan,
      text: clause.source,
      language: clause.language,
      evaluatedAs: evaluatedAs(clause),
    })),
  );
  return {
    policies,
    index: createIndex(policies, sharing),
    namespaces: namespaceBits(policies.flatMap(({ condition }) => condition?.checked.namespaces ?? [])),
    windows,
    cost: policies.flatMap(clausesOf).reduce((sum, { checked }) => sum + checked.cost, 0),
    forget: sharing.forget,
  };
}

const clausesOf = ({ condition, consensus, time }: Policy): readonly Clause[] =>
  [condition, consensus, time].filter((clause) => clause !== null);
