import type { Decision } from '../policy/decide-policies.ts';
import type { Explanation } from '../policy/explain.ts';
import { CountersignError } from '../protocol/errors.ts';

/** Turnkey's answer to what policies do not allow: `details` stays empty unless the caller asked for the explanation. */
export function denied({ outcome, reason }: Decision, explanation: Explanation | null = null): CountersignError {
  const explicitly = outcome === 'OUTCOME_DENY_EXPLICIT';
  const message = explicitly ? 'policy engine denied request explicitly' : `request not authorized: ${reason}`;
  const details = explanation ? [permissionError(explanation)] : [];
  return new CountersignError('PERMISSION_DENIED', message, { details });
}

/** Turnkey's detail of a denial, with the explanation beside what it has. */
function permissionError(explanation: Explanation): object {
  const { policies } = explanation;
  const denying = policies.filter(({ denies }) => denies).map(({ policyId }) => policyId);
  return {
    '@type': 'type.googleapis.com/errors.v1.PolicyEnginePermissionError',
    message:
      denying.length > 0
        ? `The following policies denied this action: ${denying.join(', ')}`
        : 'No policies evaluated to outcome: Allow',
    policyEvaluations: policies.map(({ policyId, outcome }) => ({ policyId, outcome })),
    explanation,
  };
}
