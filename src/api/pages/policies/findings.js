/** What is wrong with a text, and what may be: below its editor. */
import { element, labelled } from '../elements.js';
import { applySuggestion } from './draft.js';

/**
 * A mistake or a warning: where, what, what was expected, and a button that puts the suggestion in place.
 * `goTo` takes a span, `write` the corrected text.
 */
export function finding({ source, effect }, found, severity, { goTo, write }) {
  const { line, column, span, message, expected, suggestion, rule } = found;
  const place = element('button', `${line}:${column}`);
  place.type = 'button';
  place.className = 'place';
  place.setAttribute('aria-label', `Go to line ${line}, column ${column}`);
  place.addEventListener('click', () => goTo(span));
  const item = element('li', place, ' ', ...prose(message));
  item.dataset.severity = severity;
  if (rule) item.append(' ', labelled('code', 'rule', rule));
  if (severity === 'error') item.append(element('pre', excerpt(found.text)));
  if (expected) item.append(element('p', 'Expected: ', element('code', expected)));
  const text = applySuggestion(source, effect, found);
  if (text !== undefined) {
    const fix = element('button', ...(rule && !isReplaced(rule) ? ['Add '] : ['Use ']), element('code', suggestion));
    fix.type = 'button';
    fix.className = 'fix';
    fix.addEventListener('click', () => write(text));
    item.append(fix);
  } else if (suggestion) item.append(element('p', 'Meant, perhaps: ', element('code', suggestion)));
  return item;
}

/** Whose suggestion stands for what is there; the other rules ask for more. */
export const isReplaced = (rule) => ['any-for-all', 'all-for-any', 'case-sensitive-address'].includes(rule);

/** The line and the carets under the place, without the message before them and the notes after. */
const excerpt = (text) => text.split('\n').slice(1, 3).join('\n');

/** Text in which back quotes mark code. */
const prose = (text) => text.split('`').map((part, index) => (index % 2 ? element('code', part) : part));
