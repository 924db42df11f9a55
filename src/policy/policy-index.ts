/**
 * Finds the policies that may matter to a request by the equalities that their conditions need. It only leaves out what
 * certainly neither allows nor denies, on facts that are complete for their namespaces.
 */
import { type Atom, type Atoms, atomOptions } from './atoms.ts';
import { namespaceBits, namespaceNames } from './namespaces.ts';
import { isField, type Key, keysAt, type Place, valueAt } from './places.ts';
import { createMember, type Group, groupMembers, type Member, someInGroups, type Visit } from './policy-groups.ts';
import type { Clause, Effect, Policy } from './policy-set.ts';
import type { Sharing } from './sharing.ts';
import type { Facts } from './values.ts';

type Bucket = readonly Group[];

/** The policies that are found by what is at one place. */
type PlaceIndex = {
  readonly place: Place;
  /** Otherwise there may be several values, and these are policies that allow. */
  readonly isField: boolean;
  /** Bit of the namespace that the field is of. */
  readonly namespace: number;
  readonly byKey: ReadonlyMap<Key, () => Bucket>;
  /** Those which must be evaluated where the activity lacks the namespace as well. */
  readonly whenAbsent: () => Bucket;
  /** Where the namespace is there and the field is not: all that do not allow. */
  readonly whenMissing: () => Bucket;
};

type EffectIndex = {
  readonly places: readonly PlaceIndex[];
  /** Found by nothing. */
  readonly rest: Bucket;
};

export type PolicyIndex = Readonly<Record<Effect, EffectIndex>> & {
  /** Of the policies that allow, by their condition those that are found by their consensus otherwise. */
  readonly awaiting: () => EffectIndex;
};

export function createIndex(policies: readonly Policy[], sharing: Sharing): PolicyIndex {
  const members = policies.map((policy) => createMember(policy, sharing));
  const of = (effect: Effect) => members.filter(({ policy }) => policy.effect === effect);
  const indexed = (effect: Effect) => {
    const found = of(effect);
    return createEffectIndex(found, leastCrowded(found.map(({ policy }) => optionsOf(policy))));
  };
  const allowing = of('EFFECT_ALLOW');
  const byConsensus = allowing.map(({ policy }) => atomOptions(policy.consensus?.checked.plan));
  const atoms = leastCrowded(allowing.map(({ policy }, at) => [...optionsOf(policy), ...(byConsensus[at] ?? [])]));
  const awaiting = allowing.filter((_, at) => atoms[at] && byConsensus[at]?.includes(atoms[at]));
  return {
    EFFECT_GUARD: indexed('EFFECT_GUARD'),
    EFFECT_DENY: indexed('EFFECT_DENY'),
    EFFECT_ALLOW: createEffectIndex(allowing, atoms),
    awaiting: once(() => createEffectIndex(awaiting, leastCrowded(awaiting.map(({ policy }) => optionsOf(policy))))),
  };
}

/** Of the options of each policy the one that it has in common with the fewest; undefined where there is none. */
function leastCrowded(options: readonly (readonly Atoms[])[]): readonly (Atoms | undefined)[] {
  const keyed = options.map((each) => each.map((atoms) => ({ atoms, keys: atoms.map(keyOf) })));
  const counts = new Map<string, number>();
  for (const key of keyed.flatMap((each) => each.flatMap(({ keys }) => keys)))
    counts.set(key, (counts.get(key) ?? 0) + 1);
  return keyed.map((each) => {
    const crowds = each.map(({ keys }) => keys.reduce((sum, key) => sum + (counts.get(key) ?? 0), 0));
    return each[crowds.indexOf(Math.min(...crowds))]?.atoms;
  });
}

/** By these atoms each. */
function createEffectIndex(members: readonly Member[], atomsOf: readonly (Atoms | undefined)[]): EffectIndex {
  const found = new Map<string, { place: Place; byKey: Map<Key, Member[]>; all: Set<Member> }>();
  const rest: Member[] = [];
  for (const [at, member] of members.entries()) {
    const atoms = atomsOf[at];
    if (!atoms) rest.push(member);
    for (const { place, value } of new Map(atoms?.map((atom) => [keyOf(atom), atom])).values()) {
      const { byKey, all } = getOrPut(found, place.name, () => ({ place, byKey: new Map(), all: new Set() }));
      getOrPut(byKey, value, () => []).push(member);
      all.add(member);
    }
  }
  const places = [...found.values()].map(({ place, byKey, all }) => ({
    place,
    isField: isField(place),
    namespace: namespaceOf(place.name),
    byKey: new Map([...byKey].map(([value, some]) => [value, once(() => groupMembers(some))])),
    whenAbsent: once(() => groupMembers([...all].filter(({ policy }) => mayDenyByError(policy)))),
    whenMissing: once(() => groupMembers([...all].filter(({ policy }) => policy.effect !== 'EFFECT_ALLOW'))),
  }));
  return { places, rest: groupMembers(rest) };
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
  const { effect, condition, consensus, time } = policy;
  const options = atomOptions(condition?.checked.plan);
  if (effect === 'EFFECT_ALLOW') return options;
  if (isFallible(consensus) || isFallible(time)) return [];
  if (isFallible(condition) && condition?.language === 'turnkey') return [];
  return options.filter((atoms) => atoms.every(({ place }) => isField(place)));
}

const mayDenyByError = ({ effect, condition }: Policy): boolean => effect !== 'EFFECT_ALLOW' && isFallible(condition);

const isFallible = (clause: Clause | null): boolean => clause?.fallible ?? false;

const keyOf = ({ place, value }: Atom): string => `${place.name} ${typeof value} ${value}`;

function getOrPut<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** Calls `visit` with each policy that may matter, until it answers true; says whether it did. */
export function someCandidate({ places, rest }: EffectIndex, facts: Facts, absent: number, visit: Visit): boolean {
  for (let at = 0; at < places.length; at += 1) {
    if (someAtPlace(places[at] as PlaceIndex, facts, absent, visit)) return true;
  }
  return rest.length > 0 && someInGroups(rest, facts, visit);
}

function someAtPlace(index: PlaceIndex, facts: Facts, absent: number, visit: Visit): boolean {
  const { place, byKey } = index;
  if (!index.isField) {
    for (const key of keysAt(place, facts)) {
      const bucket = byKey.get(key);
      if (bucket && someInGroups(bucket(), facts, visit)) return true;
    }
    return false;
  }
  const value = valueAt(place, facts);
  if (value !== undefined) {
    const bucket = byKey.get(value as Key);
    return bucket !== undefined && someInGroups(bucket(), facts, visit);
  }
  const unknown = (index.namespace & absent) === 0 ? index.whenMissing() : index.whenAbsent();
  return someInGroups(unknown, facts, visit);
}
