/** Whether further approvals could change what a consensus expression says. */
import type { Clause } from './policy-set.ts';
import type { Expression } from './syntax.ts';
import { children } from './tree-builder.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

/** One user who has not approved yet, and the credentials that it could approve with. */
export type Approval = { readonly user: Value; readonly credentials: readonly Value[] };

/** Evaluations spent on an expression that more approvals can also turn false. */
const maxTries = 1000;

/** What is known, and who could still approve. */
export type Prospect = {
  readonly facts: Facts;
  readonly others: readonly Approval[];
  /** The facts if all of them did. */
  readonly all: Facts;
};

export const prospectOf = (facts: Facts, others: readonly Approval[]): Prospect => ({
  facts,
  others,
  all: withApprovals(facts, others),
});

const withApprovals = (facts: Facts, added: readonly Approval[]): Facts => ({
  ...facts,
  approvers: [...((facts.approvers ?? []) as readonly Value[]), ...added.map(({ user }) => user)],
  credentials: [...((facts.credentials ?? []) as readonly Value[]), ...added.flatMap(({ credentials }) => credentials)],
});

/** Whether some of the others, approving in addition, would give `clause` the value `wanted`. */
export function canBecome(wanted: boolean, clause: Clause, { facts, others, all }: Prospect): boolean {
  if (others.length === 0) return false;
  if (holds(clause, all) === wanted) return true;
  if (wanted && risesWithApprovals(clause.checked.tree)) return false;
  return someSubset(singles(others), (added) => holds(clause, withApprovals(facts, added)) === wanted);
}

function holds(clause: Clause, facts: Facts): boolean | undefined {
  try {
    return clause.program(facts) === true;
  } catch {
    return undefined;
  }
}

/** Each approval with one credential: a user votes once. */
const singles = (others: readonly Approval[]): readonly Approval[] =>
  others.flatMap(({ user, credentials }) =>
    credentials.length
      ? credentials.map((credential) => ({ user, credentials: [credential] }))
      : [{ user, credentials }],
  );

/** Smaller subsets first, until one satisfies or the tries are spent. */
function someSubset(others: readonly Approval[], satisfies: (added: readonly Approval[]) => boolean): boolean {
  let tries = 0;
  let sets: readonly { readonly chosen: readonly Approval[]; readonly next: number }[] = [{ chosen: [], next: 0 }];
  while (sets.length > 0) {
    const larger: { chosen: Approval[]; next: number }[] = [];
    for (const { chosen, next } of sets) {
      for (let index = next; index < others.length; index++) {
        const added = others[index] as Approval;
        if (chosen.some(({ user }) => user === added.user)) continue;
        if (++tries > maxTries) return false;
        const more = [...chosen, added];
        if (satisfies(more)) return true;
        larger.push({ chosen: more, next: index + 1 });
      }
    }
    sets = larger;
  }
  return false;
}

/** Certain for what most policies are made of: an approval more cannot turn them false. */
function risesWithApprovals(node: Expression): boolean {
  if (node.kind === 'literal') return true;
  if (node.kind === 'macro') return node.macro === 'exists' && risingList(node.range) && localPredicate(node);
  if (node.kind !== 'binary') return false;
  const { operator, left, right } = node;
  if (operator === '&&' || operator === '||') return risesWithApprovals(left) && risesWithApprovals(right);
  return (operator === '>=' || operator === '>') && risingCount(left) && right.kind === 'literal';
}

const risingList = (node: Expression): boolean =>
  node.kind === 'name' ||
  (node.kind === 'macro' && node.macro === 'filter' && risingList(node.range) && localPredicate(node));

const risingCount = (node: Expression): boolean =>
  node.kind === 'call' && node.name === 'count' && node.receiver !== null && risingList(node.receiver);

/** The predicate speaks of its element only, not of the lists that grow. */
function localPredicate({ predicate }: Expression & { kind: 'macro' }): boolean {
  const speaksOf = (node: Expression): boolean =>
    (node.kind === 'name' && (node.name === 'approvers' || node.name === 'credentials')) ||
    children(node).some(speaksOf);
  return predicate !== null && !speaksOf(predicate);
}
