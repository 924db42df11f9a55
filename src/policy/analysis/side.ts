/** A set of policies as the engine has it, to check what the solver says of it. */
import type { JsonObject } from '../../protocol/json.ts';
import { readRequest } from '../decide-file.ts';
import { type DecisionRequest, decideByScan } from '../decide-policies.ts';
import { type Clause, createPolicySet, type Policy, type PolicySet } from '../policy-set.ts';
import type { Witness } from './witness.ts';

export type Side = { readonly policies: readonly Policy[]; readonly set: PolicySet };

export const createSide = (policies: readonly Policy[]): Side => ({ policies, set: createPolicySet(policies) });

/** A witness as `policy decide` reads it. */
export const requestOf = (policies: readonly Policy[], witness: Witness): DecisionRequest =>
  readRequest(policies, witness as unknown as JsonObject, 'witness').request;

export const allowsWitness = ({ policies, set }: Side, witness: Witness): boolean =>
  decideByScan(set, requestOf(policies, witness)).outcome === 'OUTCOME_ALLOW';

export const clausesOf = (policies: readonly Policy[]): readonly Clause[] =>
  policies.flatMap(({ condition, consensus, time }) =>
    [condition, consensus, time].filter((clause) => clause !== null),
  );
