/** Parts of the page. Text is set as text, never as markup. */

export function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

/** With a class for its style. */
export function labelled(name, className, ...content) {
  const made = element(name, ...content);
  made.className = className;
  return made;
}

/** Replaces what is in `place`. */
export const show = (place, elements) => place.replaceChildren(...elements);

/** A list of terms, each with a text or an element. */
export function facts(terms) {
  const list = element(
    'dl',
    ...Object.entries(terms).flatMap(([term, value]) => [element('dt', term), element('dd', value)]),
  );
  list.className = 'facts';
  return list;
}

/** `[what, holds, value?]` each: what was found, whether it is as it should be, and the value for whoever compares. */
export function checks(found) {
  const items = found.map(([what, holds, value]) => {
    const item = element('li', holds ? what : `Not so: ${what}`, ...(value ? [element('code', value)] : []));
    item.dataset.state = holds ? 'good' : 'bad';
    return item;
  });
  const list = element('ul', ...items);
  list.className = 'checks';
  return list;
}

/** A request as it was sent, folded. */
export function request(title, { body, header, value }) {
  const shown = `${header}: ${value}\n\n${JSON.stringify(JSON.parse(body), null, 2)}`;
  return element('details', element('summary', title), element('pre', shown));
}

/** Read out at once by screen readers. */
export function failure(error) {
  const shown = element('p', explain(error));
  shown.className = 'error';
  shown.setAttribute('role', 'alert');
  return shown;
}

function explain(error) {
  if (error.name === 'NotAllowedError')
    return 'The browser did not use a passkey: declined, timed out, or none fits. Try again.';
  if (error.name === 'SecurityError')
    return `The browser does not allow passkeys of this RP ID on this page (${error.message}).`;
  if (error.name === 'CountersignClientError') return `Refused: ${error.message} (${error.status} ${error.code}).`;
  return error.message;
}
