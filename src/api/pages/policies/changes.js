/** Decisions that would be others. */
import { element, labelled } from '../elements.js';

/** `nameOf` a policy by its id, `titleOf` an activity by its id. */
export function changesTable(changes, { nameOf, titleOf }) {
  const rows = changes.map(({ activityId, before, after }) => {
    const reasons = after.parts.map(({ text, value, error, seen }) => {
      const values = seen.map((one) => `${one.text} = ${jsonText(one.value)}`).join(', ');
      return element(
        'p',
        element('code', text),
        ` ${error ? 'is an error' : `is ${value}`}${values && ` (${values})`}`,
      );
    });
    return element(
      'tr',
      element('td', titleOf(activityId)),
      element('td', saidOf(before, nameOf)),
      element('td', saidOf(after, nameOf), ...reasons),
    );
  });
  const headings = ['Activity', 'As stored', 'With the draft'].map((text) =>
    Object.assign(element('th', text), { scope: 'col' }),
  );
  return labelled('table', 'changes', element('thead', element('tr', ...headings)), element('tbody', ...rows));
}

const jsonText = (value) => (value?.$int ? value.$int : JSON.stringify(value));

/** A decision in words, and by whom. */
export function saidOf({ outcome, pending, decidedBy }, nameOf) {
  const verdict = outcome === 'OUTCOME_ALLOW' ? 'allowed' : pending ? 'waits for approvals' : 'denied';
  return decidedBy ? `${verdict} (${nameOf(decidedBy)})` : verdict;
}
