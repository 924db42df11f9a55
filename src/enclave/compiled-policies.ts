import {
  type Policy as CompiledPolicy,
  compilePolicy,
  InvalidPolicyError,
  type PolicySource,
} from '../policy/policy-set.ts';
import type { Policy } from './state.ts';

/** By what is stored, which never changes in place: of a set in which one policy changes, the others stay. */
const compiled = new WeakMap<Policy, CompiledPolicy>();

/** What was checked when it was stored compiles; if it ever does not, it denies what it might have denied and allows nothing. */
export function compileStored(policy: Policy): CompiledPolicy {
  try {
    return compileNew(policy);
  } catch (error) {
    if (!(error instanceof InvalidPolicyError)) throw error;
    const condition = policy.effect === 'EFFECT_ALLOW' ? 'false' : 'true';
    return compilePolicy({ id: policy.id, effect: policy.effect, condition });
  }
}

/** Throws `InvalidPolicyError`. */
export function compileNew(policy: Policy): CompiledPolicy {
  const known = compiled.get(policy) ?? compilePolicy(sourceOf(policy));
  compiled.set(policy, known);
  return known;
}

/** As the engine takes it. */
const sourceOf = ({ id, effect, condition, consensus, time, language }: Policy): PolicySource => ({
  id,
  effect,
  condition,
  consensus,
  ...(time !== undefined && { time }),
  ...(language !== undefined && { language }),
});
