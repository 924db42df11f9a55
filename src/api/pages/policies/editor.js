/**
 * An editor of one expression: a plain text area, with its colours on a layer behind it, so that the browser's own editing,
 * undo, selection, spelling of keys and screen-reader support stay what they are.
 */
import { element } from '../elements.js';
import { tokensOf } from './tokens.js';

/**
 * Takes over what is in `root`: `pre`, `textarea`, `.suggestions`. `complete(source, caret)` gives what could be written there;
 * `onInput` hears of each change; `announce` says something to screen readers.
 */
export function createEditor(root, { complete, onInput, announce }) {
  const [layer, area, list] = ['pre', 'textarea', '.suggestions'].map((name) => root.querySelector(name));
  let marks = [];
  let open = null;

  const paint = () => {
    layer.replaceChildren(...colour(area.value, marks), area.value.endsWith('\n') ? ' ' : '');
  };

  const close = () => {
    open = null;
    list.hidden = true;
    list.replaceChildren();
    area.removeAttribute('aria-activedescendant');
  };

  const show = (asked) => {
    const { value: source, selectionStart: caret, selectionEnd } = area;
    const { from, to = caret, items } = complete(source, caret);
    const isWanted = asked || caret > from || source[caret - 1] === '.';
    if (!isWanted || caret !== selectionEnd || items.length === 0) return close();
    open = { from, to, items, at: asked ? 0 : -1 };
    list.replaceChildren(...items.map(optionOf(list.id)));
    list.hidden = false;
    place(list, layer, from);
    choose(0);
    announce(`${items.length} ${items.length === 1 ? 'suggestion' : 'suggestions'}, ${items[0].name}`);
  };

  const choose = (at) => {
    open.at = (at + open.items.length) % open.items.length;
    for (const [index, option] of [...list.children].entries()) {
      option.setAttribute('aria-selected', String(index === open.at));
      if (index === open.at) option.scrollIntoView({ block: 'nearest' });
    }
    area.setAttribute('aria-activedescendant', `${list.id}-${open.at}`);
  };

  const accept = () => {
    const { from, to, items, at } = open;
    close();
    area.setSelectionRange(from, to);
    insert(area, items[at].insert);
    area.setSelectionRange(area.selectionEnd - items[at].back, area.selectionEnd - items[at].back);
  };

  area.addEventListener('input', ({ inputType }) => {
    marks = [];
    paint();
    if (inputType === 'insertText' || inputType === 'deleteContentBackward') show(false);
    else close();
    onInput();
  });
  area.addEventListener('keydown', (event) => {
    if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      return show(true);
    }
    if (!open) return;
    const action = {
      ArrowDown: () => choose(open.at + 1),
      ArrowUp: () => choose(open.at - 1),
      Enter: accept,
      Tab: accept,
      Escape: close,
    }[event.key];
    if (action && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      action();
    } else if (['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) close();
  });
  area.addEventListener('blur', close);
  window.addEventListener('resize', close);
  // Before the text area loses the focus.
  list.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    const index = [...list.children].indexOf(event.target.closest('[role=option]'));
    if (index < 0) return;
    open.at = index;
    accept();
  });

  return {
    area,
    get value() {
      return area.value;
    },
    /** What the text was before stays in the browser's undo where `keepUndo`. */
    write(text, { keepUndo = false } = {}) {
      if (text === area.value) return;
      if (keepUndo) {
        const [start, end] = changedPart(area.value, text);
        area.focus();
        area.setSelectionRange(start, area.value.length - end);
        insert(area, text.slice(start, text.length - end));
      } else area.value = text;
      close();
      marks = [];
      paint();
    },
    /** Underlines `{ span, severity }` each. */
    mark(found) {
      marks = found;
      area.setAttribute('aria-invalid', String(found.some(({ severity }) => severity === 'error')));
      paint();
    },
    goTo({ start, end }) {
      area.focus();
      area.setSelectionRange(start, Math.max(start, end));
    },
  };
}

/** How much two texts have in common at their beginning and at their end. */
function changedPart(before, after) {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return [start, end];
}

/** As if it were typed: the browser can undo it. `execCommand` is what there is for that. */
function insert(area, text) {
  area.focus();
  const done = text === '' ? document.execCommand('delete') : document.execCommand('insertText', false, text);
  if (done) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new InputEvent('input'));
}

function colour(source, marks) {
  const pieces = [];
  let at = 0;
  const add = (start, end, kind) => {
    const cuts = marks
      .flatMap(({ span }) => [span.start, widened(span, source)])
      .filter((cut) => cut > start && cut < end);
    const places = [start, ...[...new Set(cuts)].sort((a, b) => a - b), end];
    for (const [index, from] of places.slice(0, -1).entries()) {
      const text = source.slice(from, places[index + 1]);
      const mark = marks.find(({ span }) => span.start <= from && from < widened(span, source));
      if (!kind && !mark) pieces.push(text);
      else {
        const piece = element('span', text);
        if (kind) piece.className = kind;
        if (mark) piece.dataset.mark = mark.severity;
        pieces.push(piece);
      }
    }
  };
  for (const { kind, start, end } of tokensOf(source)) {
    if (start > at) add(at, start);
    add(start, end, kind);
    at = end;
  }
  if (at < source.length) add(at, source.length);
  // A mistake at the very end has nothing to underline but what follows it.
  const last = marks.find(({ span }) => span.start >= source.length);
  if (!last) return pieces;
  const piece = element('span', ' ');
  piece.dataset.mark = last.severity;
  return [...pieces, piece];
}

/** A place without a width is as wide as a character. */
const widened = ({ start, end }, source) => Math.min(Math.max(end, start + 1), Math.max(source.length, start + 1));

const optionOf = (id) => (item, index) => {
  const type = element('span', item.celOnly ? `${item.type} · CEL` : item.type);
  type.className = 'type';
  const about = element('small', item.description.replaceAll('`', ''));
  const option = element('div', element('code', item.name), ' ', type, about);
  option.id = `${id}-${index}`;
  option.setAttribute('role', 'option');
  return option;
};

/** Below the character that the suggestions are for. */
function place(list, layer, offset) {
  const range = document.createRange();
  const walker = document.createTreeWalker(layer, NodeFilter.SHOW_TEXT);
  let rest = offset;
  let node = walker.nextNode();
  while (node && rest > node.length) {
    rest -= node.length;
    node = walker.nextNode();
  }
  if (node) range.setStart(node, Math.min(rest, node.length));
  else range.selectNodeContents(layer);
  const box = layer.getBoundingClientRect();
  const { left, bottom } = node ? range.getBoundingClientRect() : { left: box.left, bottom: box.top + 24 };
  const width = Math.min(480, box.width);
  list.style.width = `${width}px`;
  list.style.left = `${Math.max(0, Math.min(left - box.left, box.width - width))}px`;
  list.style.top = `${bottom - box.top + 4}px`;
}
