/**
 * Finds the policies that may matter to a request by the equalities that their conditions need. It only leaves out what
 * certainly neither allows nor denies, on facts that are complete for their namespaces.
 */
import { type Atom, type Atoms, atomOptions } from './atoms.ts';
import { namespaceBits, namespaceNames } from './namespaces.ts';
import { createMember, type Group, groupMembers, type Member, someInGroups, type Visit } from './policy-groups.ts';
import type { Clause, Effect, Policy } from './policy-set.ts';
import { readPath } from './read-path.ts';
import type { Sharing } from './sharing.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

type Bucket = readonly Group[];

/** The policies that are found by one field. */
type FieldIndex = {
  readonly path: readonly string[];
  /** Bit of the namespace that the field is of. */
  readonly namespace: number;
  readonly byValue: ReadonlyMap<Value, Bucket>;
  /** Those which must be evaluated where the activity lacks the namespace as well. */
  readonly whenAbsent: () => Bucket;
  /** Where the namespace is there and the field is not: all that do not allow. */
  readonly whenMissing: () => Bucket;
};

type EffectIndex = {
  readonly fields: readonly FieldIndex[];
  /** Found by no field. */
  readonly rest: Bucket;
};

export type PolicyIndex = Readonly<Record<Effect, EffectIndex>>;

export function createIndex(policies: readonly Policy[], sharing: Sharing): PolicyIndex {
  const members = policies.map((policy) => createMember(policy, sharing));
  const of = (effect: Effect) => createEffectIndex(members.filter(({ policy }) => policy.effect === effect));
  return { EFFECT_GUARD: of('EFFECT_GUARD'), EFFECT_DENY: of('EFFECT_DENY'), EFFECT_ALLOW: of('EFFECT_ALLOW') };
}

function createEffectIndex(members: readonly Member[]): EffectIndex {
  const counts = new Map<string, number>();
  const options = members.map(({ policy }) => {
    const found = optionsOf(policy);
    for (const atom of found.flat()) counts.set(keyOf(atom), (counts.get(keyOf(atom)) ?? 0) + 1);
    return found;
  });
  const crowd = (atoms: Atoms) => atoms.reduce((sum, atom) => sum + (counts.get(keyOf(atom)) ?? 0), 0);
  const fields = new Map<string, { byValue: Map<Value, Member[]>; all: Member[] }>();
  const rest: Member[] = [];
  for (const [index, member] of members.entries()) {
    const [first, ...others] = options[index] ?? [];
    if (!first) {
      rest.push(member);
      continue;
    }
    const best = others.reduce((least, atoms) => (crowd(atoms) < crowd(least) ? atoms : least), first);
    for (const path of new Set(best.map((atom) => atom.path))) {
      const field = getOrPut(fields, path, () => ({ byValue: new Map(), all: [] }));
      const values = new Set(best.filter((atom) => atom.path === path).map((atom) => atom.value));
      for (const value of values) getOrPut(field.byValue, value, () => []).push(member);
      field.all.push(member);
    }
  }
  const indexes = [...fields].map(([path, { byValue, all }]) => ({
    path: path.split('.'),
    namespace: namespaceOf(path),
    byValue: new Map([...byValue].map(([value, found]) => [value, groupMembers(found)])),
    whenAbsent: once(() => groupMembers(all.filter(({ policy }) => mayDenyByError(policy)))),
    whenMissing: once(() => groupMembers(all.filter(({ policy }) => policy.effect !== 'EFFECT_ALLOW'))),
  }));
  return { fields: indexes, rest: groupMembers(rest) };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const namespaceOf = (path: string): number =>
  namespaceBits(namespaceNames.filter((name) => path === name || path.startsWith(`${name}.`)));

/**
 * An allow that errs does not allow, so that it can always be left out. One that denies by an error can be only where no other
 * part of it is evaluated (CEL's `false && error` is false); in Turnkey's language every part is, and so it stays.
 */
function optionsOf(policy: Policy): readonly Atoms[] {
  if (!policy.condition) return [];
  if (policy.effect !== 'EFFECT_ALLOW') {
    if (isFallible(policy.consensus) || isFallible(policy.time)) return [];
    if (isFallible(policy.condition) && policy.condition.language === 'turnkey') return [];
  }
  return atomOptions(policy.condition.checked);
}

const mayDenyByError = ({ effect, condition }: Policy): boolean => effect !== 'EFFECT_ALLOW' && isFallible(condition);

const isFallible = (clause: Clause | null): boolean => clause?.fallible ?? false;

const keyOf = ({ path, value }: Atom): string => `${path} ${typeof value} ${value}`;

function getOrPut<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** Calls `visit` with each policy of the effect that may matter, until it answers true; says whether it did. */
export function someCandidate(index: PolicyIndex, effect: Effect, facts: Facts, absent: number, visit: Visit): boolean {
  const { fields, rest } = index[effect];
  for (const { path, namespace, byValue, whenAbsent, whenMissing } of fields) {
    const value = readPath(facts, path);
    const unknown = (namespace & absent) === 0 ? whenMissing : whenAbsent;
    const bucket = value === undefined ? unknown() : byValue.get(value);
    if (bucket && someInGroups(bucket, facts, visit)) return true;
  }
  return someInGroups(rest, facts, visit);
}
