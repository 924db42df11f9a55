/** The policy that is being written: what is wrong with it, and what it says about a case. Knows nothing of the page. */
import './buffer.js';

import { checkTexts, formatTexts } from '../../../policy/check-texts.ts';
import { readRequest } from '../../../policy/decide-file.ts';
import { decideByScan, policyOutcomes } from '../../../policy/decide-policies.ts';
import { seenValue } from '../../../policy/explain.ts';
import { compilePolicy, createPolicySet } from '../../../policy/policy-set.ts';
import { templates } from '../../../policy/templates.ts';
import { evaluateWithTrace } from '../../../policy/trace.ts';

export { checkTexts, formatTexts };

export const clauseNames = ['condition', 'consensus', 'time'];

/** Every policy of every template, with the cases that show what the template does. */
export const starts = Object.entries(templates).flatMap(([name, { summary, change, file }]) =>
  file.policies.map((policy) => ({ template: name, summary, change, policy, cases: file.cases })),
);

const sourceOf = ({ policyId = 'draft', effect, condition, consensus, time, language }) => ({
  id: policyId,
  effect,
  condition: condition ?? '',
  consensus: consensus ?? '',
  time: time ?? '',
  ...(language && { language }),
});

/**
 * What the draft says about a case, by the same code as the enclave's: what becomes of it, and for each clause every step
 * of its evaluation. `given` is as `get_activity_facts` answers. Throws what is wrong with the case.
 */
export function tryDraft(draft, given) {
  const policy = compilePolicy(sourceOf(draft));
  const { request } = readRequest([policy], given, 'case');
  const [{ outcome, denies }] = policyOutcomes(createPolicySet([policy]), request);
  const clauses = clauseNames.flatMap((name) => {
    const clause = policy[name];
    return clause ? [{ name, source: clause.source, ...evaluateWithTrace(clause.checked, request.facts) }] : [];
  });
  return { outcome, denies, clauses };
}

/** The decision about a case by all of these policies. */
export function decideCase(policies, given) {
  const compiled = policies.map((policy) => compilePolicy(sourceOf(policy)));
  const { request } = readRequest(compiled, given, 'case');
  const { outcome, pending, decidedBy } = decideByScan(createPolicySet(compiled), request);
  const by = typeof decidedBy === 'object' ? (decidedBy?.policyId ?? null) : decidedBy;
  return { outcome, pending, decidedBy: by };
}

/** The policies as they would be with the draft among them, in place of the one that it was made from. */
export const withDraft = (policies, draft) => [
  ...policies.filter(({ policyId }) => policyId !== draft.policyId),
  draft,
];

/** The value of a step as text; long ones are cut. */
export function valueText(step) {
  const value = seenValue(step);
  const digits = typeof value === 'object' && value !== null && '$int' in value ? value.$int : undefined;
  return typeof digits === 'string' ? digits : JSON.stringify(value);
}

/** A case for people and for `policy test`. */
export const caseText = (given) => JSON.stringify(given, null, 2);

/** What to do with a mistake's or a warning's suggestion: the new text of the clause; undefined where that is for people. */
export function applySuggestion(source, effect, { rule, span, suggestion }) {
  if (!suggestion || suggestion.includes('…')) return undefined;
  const replaced = (start, end, text) => `${source.slice(0, start)}${text}${source.slice(end)}`;
  if (rule === undefined || rule === 'case-sensitive-address') return replaced(span.start, span.end, suggestion);
  if (rule === 'any-for-all' || rule === 'all-for-any') {
    const name = /\.\s*(any|exists|all)(?=\s*\()/.exec(source.slice(span.start, span.end));
    const end = span.start + (name?.index ?? 0) + (name?.[0].length ?? 0);
    return name ? replaced(end - name[1].length, end, suggestion) : undefined;
  }
  // The others ask for one more condition: that makes an allow tighter, and a deny looser.
  if (effect !== 'EFFECT_ALLOW' || rule === 'other-signing-kinds') return undefined;
  // A comment at the end goes as far as its line.
  const whole = source.includes('//') ? `${source}\n` : source;
  return `${/\|\||\?/.test(source) ? `(${whole})` : whole} && ${suggestion}`;
}
