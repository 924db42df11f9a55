/** What a set of policies decides, as terms: the same order as decide-policies.ts. */
import { namespaceBits } from '../namespaces.ts';
import type { Effect, Policy } from '../policy-set.ts';
import { credentialKinds, rootKinds } from '../schema/activities.ts';
import { type Encoders, encodeClause, presenceOf } from './encode.ts';
import { type Encoded, isTrue } from './encoding.ts';
import { isKind } from './relations.ts';
import { and, equal, falsity, not, or, type Term, truth } from './smt.ts';
import { placeClass, type Symbols, symbolOf } from './symbols.ts';

export type EncodedPolicy = { readonly policy: Policy; readonly applies: Term; readonly denies: Term };

export function encodePolicy(shared: Encoders, policy: Policy): EncodedPolicy {
  const { condition, consensus, time } = policy;
  const { define } = shared.symbols.script;
  const clauses = [condition, consensus, time].flatMap((clause) =>
    clause ? [{ encoded: encodeClause(shared, clause, `${policy.id} ${clause.name}`), fallible: clause.fallible }] : [],
  );
  const names = condition?.checked.namespaces.filter((name) => (policy.needs & namespaceBits([name])) !== 0) ?? [];
  const carried = and(
    ...names.map((name) => presenceOf(shared.symbols, name, { namespace: true, type: { kind: 'bool' } })),
  );
  return {
    policy,
    applies: define('Bool', and(carried, ...clauses.map(({ encoded }) => isTrue(encoded)))),
    denies: define('Bool', and(carried, denial(clauses))),
  };
}

/** As `denies` of evaluate-policy.ts: the first clause that fails decides, and what cannot err is left out once one is false. */
function denial(clauses: readonly { readonly encoded: Encoded; readonly fallible: boolean }[]): Term {
  let running: Term = truth;
  let all: Term = truth;
  let denied: Term = falsity;
  for (const { encoded, fallible } of clauses) {
    const evaluated = and(running, fallible ? truth : all);
    denied = or(denied, and(evaluated, encoded.error));
    running = and(running, not(and(evaluated, or(encoded.error, encoded.absent))));
    all = and(all, isTrue(encoded));
  }
  return or(denied, and(running, all));
}

export type SetOptions = {
  /** The root quorum is satisfied. */
  readonly root: Term;
  /** The activity is about the initiator's own credentials. */
  readonly own: Term;
  readonly isRootKind: Term;
};

export function encodeOptions(symbols: Symbols): SetOptions {
  const root = symbolOf(symbols, '?root', 'bool', { kind: 'bool' }).term;
  const isAbout = symbolOf(symbols, 'activity.params.user_id', 'present', { kind: 'string' }).term;
  const userId = symbolOf(symbols, 'activity.params.user_id', 'value', { kind: 'string' });
  const initiator = symbolOf(symbols, 'approvers[0].id', 'value', { kind: 'string' });
  const isSame = userId.sort === initiator.sort;
  if (!isSame) for (const { place } of [userId, initiator]) symbols.wantString.add(placeClass(place));
  const own = isSame ? equal(userId.term, initiator.term) : falsity;
  return { root, own: and(isKind(symbols, credentialKinds), isAbout, own), isRootKind: isKind(symbols, rootKinds) };
}

const some = (policies: readonly EncodedPolicy[], effect: Effect): Term =>
  or(
    ...policies
      .filter(({ policy }) => policy.effect === effect)
      .map(({ applies, denies }) => (effect === 'EFFECT_ALLOW' ? applies : denies)),
  );

/** Whether the set allows a request. */
export function encodeDecision(
  symbols: Symbols,
  policies: readonly EncodedPolicy[],
  { root, own, isRootKind }: SetOptions,
): Term {
  const { define } = symbols.script;
  const guarded = define('Bool', some(policies, 'EFFECT_GUARD'));
  const denied = define('Bool', some(policies, 'EFFECT_DENY'));
  const allowed = define('Bool', some(policies, 'EFFECT_ALLOW'));
  const byPolicy = or(and(not(isRootKind), allowed), own);
  return define('Bool', and(not(guarded), or(root, and(not(denied), byPolicy))));
}
