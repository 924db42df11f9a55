/** What could be written at the caret: facts by the schema, functions, values that a fact may have. */
import './buffer.js';

import { functionNames } from '../../../policy/checker/calls.ts';
import { describeFacts } from '../../../policy/describe-facts.ts';
import { functionTables } from '../../../policy/functions/table.ts';
import { namespaceNames } from '../../../policy/namespaces.ts';
import { activityKinds } from '../../../policy/schema/activities.ts';
import { exposedParameters } from '../../../policy/schema/parameters.ts';
import { tokensOf } from './tokens.js';

export { activityKinds };

const maxItems = 60;
const facts = Object.fromEntries(['condition', 'consensus', 'time'].map((clause) => [clause, describeFacts(clause)]));
const macros = { cel: ['all', 'exists', 'exists_one', 'filter', 'map'], turnkey: ['all', 'any', 'filter'] };
const iterating = /([A-Za-z_][\w.[\]]*)\.(?:all|any|exists|exists_one|existsOne|filter|map)\(\s*([A-Za-z_]\w*)\s*,/g;

/**
 * `{ from, items }` to put in place of what stands between `from` and the caret; each item has the text to `insert`, where
 * the caret is then to stand back from its end (`back`), and what it is. `language` undefined: either may be meant. `kind`
 * of activity, where the facts of only one kind are wanted.
 */
export function completionsAt(source, caret, { clause, language, kind }) {
  const inside = tokensOf(source).find(({ start, end }) => start < caret && caret <= end);
  const rows = facts[clause].filter(
    ({ path, celOnly }) => (language !== 'turnkey' || !celOnly) && isCarried(kind, path),
  );
  if (inside?.kind === 'comment' || inside?.kind === 'number') return none;
  if (inside?.kind === 'string') return valuesAt(source, inside, caret, rows);
  const before = source.slice(0, caret);
  const [, path = '', word = ''] = /((?:[A-Za-z_]\w*(?:\[[^\]]*\])?\s*\.\s*)*)([A-Za-z_]\w*)?$/.exec(before);
  const from = caret - word.length;
  const variables = variablesAt(before);
  const isMember = /\.\s*$/.test(source.slice(0, from));
  const found = isMember
    ? membersOf(resolve(path, variables), rows, language)
    : globals(rows, variables, language, word);
  return { from, items: rank(found, word) };
}

const none = { from: 0, items: [] };

/** What matches in its beginning comes before what matches within; what is there already is no suggestion. */
function rank(items, word) {
  const wanted = word.toLowerCase();
  const place = ({ name }) => {
    const at = name.toLowerCase().indexOf(wanted);
    return at < 0 ? 3 : at === 0 ? 0 : name.toLowerCase().includes(`.${wanted}`) ? 1 : 2;
  };
  const fitting = items.map((item) => [place(item), item]).filter(([rank]) => rank < 3);
  const sorted = fitting.sort(([a], [b]) => a - b).map(([, item]) => item);
  return sorted.some(({ name }) => name === word) && sorted.length === 1 ? [] : sorted.slice(0, maxItems);
}

/** Variables of the macros before the caret, by the list that they go through. */
const variablesAt = (before) => new Map([...before.matchAll(iterating)].map(([, list, name]) => [name, list]));

/** `c.to` in `eth.tx.calls.all(c, c.to` as `eth.tx.calls[].to`; undefined where nothing says what it is. */
function resolve(path, variables) {
  const plain = path.replace(/\s*\.\s*$/, '').replace(/\s*\.\s*/g, '.');
  if (plain === '') return undefined;
  const [head, ...rest] = plain.replace(/\[[^\]]*\]/g, '[]').split('.');
  const list = variables.get(head);
  if (list === undefined) return [head, ...rest].join('.');
  variables.delete(head);
  return [`${resolve(list, variables)}[]`, ...rest].join('.');
}

function membersOf(path, rows, language) {
  const type = rows.find((row) => row.path === path?.replace(/\[\]$/, ''))?.type;
  const own = path?.endsWith('[]') ? /^list\((.*)\)$/.exec(type ?? '')?.[1] : type;
  const fields = rows.filter((row) => isChild(row.path, path)).map(factItem);
  const list = own?.startsWith('list(') ? macrosOf(language) : [];
  return [...fields, ...list, ...functionsOf(language, 'method', own)];
}

const isChild = (path, parent) =>
  parent !== undefined && path.startsWith(`${parent}.`) && !path.slice(parent.length + 1).includes('.');

const factItem = ({ path, type, description, celOnly }) => {
  const name = path.split('.').at(-1);
  return { name, insert: name, back: 0, type, description, celOnly };
};

function globals(rows, variables, language, word) {
  const own = [...variables.keys()].map((name) => ({ name, insert: name, back: 0, type: 'element', description: '' }));
  // By the end of its path a fact is found wherever it is, as soon as there is something to look for.
  const named = rows.filter(({ path }) => !path.includes('[]') && (word.length > 1 || !path.includes('.')));
  const paths = named.map((row) => ({ ...factItem(row), name: row.path, insert: row.path }));
  const words = ['true', 'false', 'in'].map((name) => ({ name, insert: name, back: 0, type: '', description: '' }));
  return [...own, ...paths, ...functionsOf(language, 'global'), ...words];
}

const macrosOf = (language) =>
  [...new Set(language ? macros[language] : [...macros.turnkey, ...macros.cel])].map((name) => ({
    name,
    insert: `${name}(x, )`,
    back: 1,
    type: 'macro',
    description: name === 'map' ? 'what `x` becomes, for each element' : 'a condition about each element, here `x`',
  }));

const kindsOfType = [
  [/^(?:string|address|caseless)/, ['text', 'string']],
  [/^list\(string\)/, ['strings', 'list']],
  [/^list\(/, ['list']],
  [/^map\(/, ['map']],
  [/^(?:int|uint|bool|bytes|timestamp|duration)$/, []],
];

/** Of the functions that are called this way, those that take the type; all where it is unknown. */
function functionsOf(language, form, type) {
  const kinds = type && [type, ...(kindsOfType.find(([pattern]) => pattern.test(type))?.[1] ?? [])];
  const languages = language ? [language] : ['turnkey', 'cel'];
  const found = languages.flatMap((each) =>
    functionNames(each).flatMap((name) => {
      const definition = functionTables[each].get(name) ?? { form: special[name] ?? 'global', overloads: [] };
      if (definition.form !== 'both' && definition.form !== form) return [];
      const overloads = definition.overloads.filter(
        ({ parameters: [first] }) => !kinds || first === 'any' || kinds.includes(first),
      );
      if (kinds && definition.overloads.length > 0 && overloads.length === 0) return [];
      const [overload] = overloads;
      const parameters = overload?.parameters.slice(form === 'method' ? 1 : 0) ?? [];
      const empty = overload !== undefined && parameters.length === 0;
      const signature = overload ? `${name}(${parameters.join(', ')})` : `${name}(…)`;
      return [{ name, insert: `${name}()`, back: empty ? 0 : 1, type: 'function', description: signature }];
    }),
  );
  return [...new Map(found.map((item) => [item.name, item])).values()];
}

/** Those that are in no table are called by themselves, but for this one. */
const special = { matches: 'method' };

/** Values of the fact that a text is compared with, as its description lists them. */
function valuesAt(source, { start, end }, caret, rows) {
  const quote = source[start];
  const compared = /([A-Za-z_][\w.]*)\s*(?:==|!=|in\s*\[[^\]]*)\s*$/.exec(source.slice(0, start))?.[1];
  const row = rows.find(({ path }) => path === compared);
  if (!row || /\w/.test(quote)) return none;
  const listed = [...row.description.matchAll(/`([A-Za-z_0-9]+)`/g)].map(([, value]) => value);
  const values = row.path === 'activity.kind' ? activityKinds : listed;
  const closed = end > start + 1 && source[end - 1] === quote;
  const from = start + 1;
  const items = values.map((name) => ({
    name,
    insert: closed ? name : `${name}${quote}`,
    back: 0,
    type: 'value',
    description: '',
  }));
  return { from, to: closed ? end - 1 : caret, items: rank(items, source.slice(from, caret)) };
}

/** What is there for this kind of activity only (undefined: for any). */
function isCarried(kind, path) {
  if (!kind) return true;
  const parameter = /^activity\.params\.(\w+)/.exec(path)?.[1];
  if (parameter) return exposedParameters[kind]?.includes(parameter) ?? false;
  const namespace = namespaceNames.find((name) => path === name || path.startsWith(`${name}.`));
  if (namespace === undefined) return /\./.test(path) || !groups.has(path) || isSigning(kind);
  if (namespace === 'userop') return isUserOperation(kind);
  if (namespace.endsWith('.tx')) return isSigning(kind) && !isRaw(kind) && !isUserOperation(kind);
  if (namespace === 'payload' || namespace.startsWith('eth.eip_')) return isRaw(kind);
  return true;
}

/** Roots that do nothing but hold namespaces. */
const groups = new Set(namespaceNames.filter((name) => name.includes('.')).map((name) => name.split('.')[0]));
const isRaw = (kind) => kind.startsWith('SIGN_RAW_PAYLOAD');
const isUserOperation = (kind) => kind.startsWith('SIGN_USER_OPERATION');
const isSigning = (kind) => /^SIGN_|_SEND_TRANSACTION$/.test(kind);
