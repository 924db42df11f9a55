/** What is different between the stored policy and the draft, side by side. */
import { element } from '../elements.js';

/** `[[term, before, after]…]` as a table; what went away is marked in one column, what came in the other. */
export function differenceTable(rows) {
  const body = rows.map(([term, before, after]) => {
    const heading = element('th', term);
    heading.scope = 'row';
    const parts = compare(before, after);
    return element(
      'tr',
      heading,
      element(
        'td',
        column(
          parts.filter(({ side }) => side !== 'after'),
          'del',
        ),
      ),
      element(
        'td',
        column(
          parts.filter(({ side }) => side !== 'before'),
          'ins',
        ),
      ),
    );
  });
  const headings = ['', 'Stored', 'Draft'].map((text) => {
    const heading = element(text ? 'th' : 'td', text);
    if (text) heading.scope = 'col';
    return heading;
  });
  const table = element('table', element('thead', element('tr', ...headings)), element('tbody', ...body));
  table.className = 'difference';
  return table;
}

const column = (parts, mark) =>
  element('code', ...parts.map(({ side, text }) => (side === 'both' ? text : element(mark, text))));

/** Words in common (the longest common subsequence) and what is on one side alone. */
function compare(before, after) {
  const [a, b] = [wordsOf(before), wordsOf(after)];
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const parts = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (a[i] === b[j]) {
      parts.push({ side: 'both', text: a[i] });
      [i, j] = [i + 1, j + 1];
    } else if (j >= b.length || (i < a.length && lengths[i + 1][j] >= lengths[i][j + 1])) {
      parts.push({ side: 'before', text: a[i++] });
    } else parts.push({ side: 'after', text: b[j++] });
  }
  return parts;
}

const wordsOf = (text) => text.match(/'[^']*'|"[^"]*"|[\w.]+|\s+|[^\w\s]{1,2}/g) ?? [];
