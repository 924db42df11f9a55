/** The trace of an expression: coloured in its text, and as a list with values for keyboards and screen readers. */
import { element } from '../elements.js';
import { valueText } from './draft.js';

/**
 * Two views of the evaluation of a clause. `steps` are those of the tracing interpreter. Each part is in both views, and is
 * marked in both when one is pointed at or has the focus.
 */
export function traceView({ name, source, steps, error, value }) {
  const root = nest(source, steps);
  const text = element('code', ...colour(root, source));
  text.className = 'traced';
  text.setAttribute('aria-hidden', 'true');
  const list = listOf([root].flatMap(shown), source);
  list.className = 'parts';
  const said = error ? `is an error: ${messageOf(error)}` : `is ${value === true}`;
  const heading = element('h4', `${capital(name)} `, badge(error ? 'error' : String(value === true), said));
  const view = element('div', heading, text, list);
  view.className = 'trace';
  view.dataset.clause = name;
  connect(view);
  return view;
}

const messageOf = ({ message }) => message.replaceAll('`', '');

const capital = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;

/** Parts as they stand in each other, of all that was evaluated or passed over. */
function nest(source, steps) {
  const parts = new Map();
  for (const step of steps) {
    const { start, end } = step.span;
    const key = `${start}-${end}`;
    const part = parts.get(key) ?? { start, end, key, results: new Map(), parts: [] };
    part.results.set(step.elements.join(), step);
    parts.set(key, part);
  }
  const sorted = [...parts.values()].sort((a, b) => a.start - b.start || b.end - a.end);
  const root = { start: 0, end: source.length, key: 'root', results: new Map(), parts: [] };
  const open = [root];
  for (const part of sorted) {
    while (part.end > open.at(-1).end) open.pop();
    open.at(-1).parts.push(part);
    open.push(part);
  }
  return root;
}

/** `true`, `false`, `mixed` (not the same for all elements), `error`, `skipped`, or `value` for what is no condition. */
function stateOf({ results }) {
  const found = new Set(
    [...results.values()].map((step) => {
      if ('error' in step) return 'error';
      if ('skipped' in step) return 'skipped';
      return step.type.kind === 'bool' ? String(step.value) : 'value';
    }),
  );
  found.delete(found.size > 1 ? 'skipped' : '');
  return found.has('error') ? 'error' : found.size > 1 ? 'mixed' : [...found][0];
}

function colour({ start, end, parts }, source) {
  const pieces = [];
  let at = start;
  for (const part of parts) {
    const span = element('span', ...colour(part, source));
    span.dataset.part = part.key;
    span.dataset.state = stateOf(part);
    pieces.push(source.slice(at, part.start), span);
    at = part.end;
  }
  return [...pieces, source.slice(at, end)];
}

/** Conditions, with the conditions inside them; the rest is what they were computed from. */
function shown(part) {
  const inner = part.parts.flatMap(shown);
  if (part.results.size === 0 || stateOf(part) === 'value') return inner;
  return [{ part, inner }];
}

function listOf(items, source) {
  const list = element(
    'ul',
    ...items.map(({ part, inner }) => {
      const line = element(
        'button',
        element('code', oneLine(source.slice(part.start, part.end))),
        ...said(part, source),
      );
      line.type = 'button';
      line.dataset.part = part.key;
      return element('li', line, ...(inner.length > 0 ? [listOf(inner, source)] : []));
    }),
  );
  return list;
}

/** What is long stands above in full. */
function oneLine(text) {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 90 ? `${line.slice(0, 90)}…` : line;
}

const words = { true: 'true', false: 'false', mixed: 'differs', error: 'error', skipped: 'not evaluated' };

function badge(state, text = words[state]) {
  const made = element('span', text);
  made.className = 'state';
  made.dataset.state = state;
  return made;
}

/** The result, by element where there are several, and the values that it was computed from. */
function said(part, source) {
  const state = stateOf(part);
  const results = [...part.results.values()];
  const elements = results
    .filter((step) => step.elements.length > 0)
    .map((step) => `element ${step.elements.join('.')}: ${result(step)}`);
  const failed = results.find((step) => 'error' in step);
  const details = [
    ...(elements.length > 1 ? elements.slice(0, 20) : []),
    ...(failed && elements.length < 2 ? [messageOf(failed.error)] : []),
    ...valuesIn(part.parts, source),
  ];
  const detail = element('span', details.join('; '));
  detail.className = 'seen';
  return [' ', badge(state), ...(details.length > 0 ? [' ', detail] : [])];
}

const result = (step) =>
  'error' in step ? `error (${messageOf(step.error)})` : 'skipped' in step ? 'not evaluated' : valueText(step);

/** Of what is no condition; structs and lists of them are seen in what is taken from them. */
function valuesIn(parts, source) {
  return parts.flatMap((part) => {
    const inner = valuesIn(part.parts, source);
    if (stateOf(part) !== 'value') return [];
    const steps = [...part.results.values()].filter((step) => 'value' in step && isPlain(step.type));
    if (steps.length === 0) return inner;
    const values = [...new Set(steps.map(valueText))].slice(0, 5);
    return [`${oneLine(source.slice(part.start, part.end))} = ${values.join(', ')}`, ...inner];
  });
}

const isPlain = (type) => type.kind !== 'struct' && !(type.kind === 'list' && type.element.kind === 'struct');

/** Marks a part in both views. */
function connect(view) {
  const mark = (target) => {
    const key = target?.closest('[data-part]')?.dataset.part;
    for (const part of view.querySelectorAll('[data-part]'))
      part.toggleAttribute('data-marked', part.dataset.part === key);
  };
  view.addEventListener('pointerover', ({ target }) => mark(target));
  view.addEventListener('pointerleave', () =>
    mark(view.contains(document.activeElement) ? document.activeElement : null),
  );
  view.addEventListener('focusin', ({ target }) => mark(target));
  view.addEventListener('focusout', () => mark(null));
}
