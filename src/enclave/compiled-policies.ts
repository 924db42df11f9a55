import { type Policy as CompiledPolicy, compilePolicy, type PolicySource } from '../policy/policy-set.ts';
import type { Policy } from './state.ts';

/** By what is stored, which never changes in place: of a set in which one policy changes, the others stay. */
const compiled = new WeakMap<Policy, CompiledPolicy>();

/** Throws `InvalidPolicyError`. */
export function compileStored(policy: Policy): CompiledPolicy {
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
