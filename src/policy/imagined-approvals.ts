import type { Approval } from './approvals.ts';
import type { Clause, Policy } from './policy-set.ts';
import type { Expression } from './syntax.ts';
import { children } from './tree-builder.ts';
import type { Value } from './types.ts';

const maxNames = 24;
const maxUsers = 16;

/**
 * Users who could approve as far as the policies tell, where nobody says which users there are: the root users, one for each
 * id and tag that a consensus names, and as many others as it counts.
 */
export function imaginedApprovals(
  policies: readonly Policy[],
  approvers: readonly string[],
  rootUserIds: readonly string[],
): readonly Approval[] {
  const { names, extras, asksForCredentials } = known.get(policies) ?? named(policies);
  const ids = [...new Set([...rootUserIds, ...names, ...extras])].filter((id) => !approvers.includes(id));
  const credentialsOf = (id: string) => (asksForCredentials ? ['', ...names].map((name) => credential(id, name)) : []);
  // With every tag first, and then without any, for the sake of policies that ask for the absence of one.
  return [
    ...ids.map((id) => ({ user: user(id, names), credentials: credentialsOf(id) })),
    ...extras.map((id) => ({ user: user(`untagged ${id}`, []), credentials: credentialsOf(`untagged ${id}`) })),
  ];
}

type Named = {
  readonly names: readonly string[];
  readonly extras: readonly string[];
  readonly asksForCredentials: boolean;
};

/** Files ask about many cases by the same policies. */
const known = new WeakMap<readonly Policy[], Named>();

function named(policies: readonly Policy[]): Named {
  const clauses = policies.map((policy) => policy.consensus).filter((clause): clause is Clause => clause !== null);
  const nodes = clauses.flatMap((clause) => descendants(clause.checked.tree));
  const counted = Math.min(Math.max(...nodes.map(numberOf), 1), maxUsers);
  const found = {
    names: [...new Set(nodes.map(textOf).filter((text) => text !== undefined))].slice(0, maxNames),
    extras: Array.from({ length: counted + 1 }, (_, index) => `user ${index}`),
    asksForCredentials: nodes.some((node) => node.kind === 'name' && node.name === 'credentials'),
  };
  known.set(policies, found);
  return found;
}

const descendants = (node: Expression): readonly Expression[] => [node, ...children(node).flatMap(descendants)];

const textOf = (node: Expression): string | undefined =>
  node.kind === 'literal' && node.literal.type === 'string' ? node.literal.value : undefined;

const numberOf = (node: Expression): number =>
  node.kind === 'literal' && (node.literal.type === 'int' || node.literal.type === 'uint')
    ? Number(node.literal.value)
    : 0;

const struct = (fields: { readonly [field: string]: Value }): Value => Object.assign(Object.create(null), fields);

const user = (id: string, tags: readonly string[]): Value => struct({ id, tags, email: id, alias: id, created_at: 0n });

const credential = (userId: string, name: string): Value =>
  struct({
    id: name,
    user_id: userId,
    type: name,
    credential_id: name,
    public_key: name,
    user_verified: true,
    backup_eligible: false,
    backed_up: false,
    counter: 0n,
    age: 0n,
  });
