/**
 * What the official client believes an answer to be: the definitions in the declaration file of `@turnkey/http`, which are
 * generated from Turnkey's own OpenAPI document. Clients of other languages (pydantic, serde) are as strict as this.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

type Field = { readonly type: Type; readonly optional: boolean };
type Type =
  | { readonly kind: 'string' | 'number' | 'boolean' | 'unknown' }
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'definition'; readonly name: string }
  | { readonly kind: 'array'; readonly element: Type }
  | { readonly kind: 'union'; readonly members: readonly Type[] }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Field>; readonly isOpen: boolean };

export type OfficialTypes = {
  /** What is wrong with `body` as the 200 of `path` (`/public/v1/query/whoami`), as `field: what was expected`. */
  problems(path: string, body: unknown): string[];
  /** An intent with each field that it may have, or only with those that it must; `intent` is its key in an activity. */
  intent(intent: string, fields: 'all' | 'required'): unknown;
};

/** Fields that Turnkey does not have. Its clients ignore what they do not know. */
const ownFields = new Set(['receipt', 'activity.facts', 'activities.facts']);

const declarations = join(
  createRequire(import.meta.url).resolve('@turnkey/http'),
  '../__generated__/services/coordinator/public/v1/public_api.types.d.ts',
);

export function readOfficialTypes(): OfficialTypes {
  const source = readFileSync(declarations, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const objectOf = (name: string) => asObject(parseType(tokens(source, `export type ${name} = `)));
  const [paths, operations, definitions] = ['paths', 'operations', 'definitions'].map(objectOf) as [Obj, Obj, Obj];
  const answerOf = (path: string): Type | undefined => {
    const operation = member(paths.fields.get(path)?.type, 'post');
    if (operation?.kind !== 'definition') return undefined;
    const responses = member(operations.fields.get(operation.name)?.type, 'responses');
    return member(member(responses, '200'), 'schema');
  };
  return {
    problems(path, body) {
      const answer = answerOf(path);
      return answer ? check(answer, body, '', definitions) : [`${path}: the official client has no such path`];
    },
    intent(intent, fields) {
      const type = member(definitions.fields.get('v1Intent')?.type, intent);
      if (!type) throw new Error(`the official client has no intent ${intent}`);
      return sample(type, definitions, fields === 'all');
    },
  };
}

function sample(type: Type, definitions: Obj, withOptional: boolean): unknown {
  const of = (inner: Type) => sample(inner, definitions, withOptional);
  switch (type.kind) {
    case 'literal':
      return type.value;
    case 'definition':
      return of(definitions.fields.get(type.name)?.type ?? { kind: 'unknown' });
    case 'array':
      return [of(type.element)];
    case 'union':
      return of(type.members[0] as Type);
    case 'object': {
      const wanted = [...type.fields].filter(([, { optional }]) => withOptional || !optional);
      return Object.fromEntries(wanted.map(([name, field]) => [name, of(field.type)]));
    }
    default:
      return { string: 'text', number: 1, boolean: true, unknown: {} }[type.kind];
  }
}

function check(type: Type, value: unknown, at: string, definitions: Obj): string[] {
  const wrong = (expected: string) => [`${at}: expected ${expected}, got ${JSON.stringify(value)?.slice(0, 80)}`];
  switch (type.kind) {
    case 'unknown':
      return [];
    case 'literal':
      return value === type.value ? [] : wrong(type.value);
    case 'definition': {
      const named = definitions.fields.get(type.name)?.type;
      return named ? check(named, value, at, definitions) : [`${at}: unknown definition ${type.name}`];
    }
    case 'array':
      if (!Array.isArray(value)) return wrong('an array');
      return value.flatMap((element) => check(type.element, element, at, definitions));
    case 'union': {
      const fits = type.members.some((each) => check(each, value, at, definitions).length === 0);
      return fits ? [] : wrong(`one of ${type.members.length} values`);
    }
    case 'object':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('an object');
      return checkFields(type, value as Record<string, unknown>, at, definitions);
    default:
      return typeof value === type.kind ? [] : wrong(type.kind);
  }
}

function checkFields(type: Obj, value: Record<string, unknown>, at: string, definitions: Obj): string[] {
  const pathOf = (name: string) => (at === '' ? name : `${at}.${name}`);
  const known = [...type.fields].flatMap(([name, field]) => {
    const held = value[name];
    // `failure` is null in Turnkey's own answers.
    if (field.optional && (held === undefined || held === null)) return [];
    return held === undefined ? [`${pathOf(name)}: missing`] : check(field.type, held, pathOf(name), definitions);
  });
  const unknown = Object.keys(value).filter((name) => !type.fields.has(name) && !ownFields.has(pathOf(name)));
  return [...known, ...(type.isOpen ? [] : unknown.map((name) => `${pathOf(name)}: unknown to the official client`))];
}

type Obj = Extract<Type, { kind: 'object' }>;

function asObject(type: Type): Obj {
  if (type.kind === 'object') return type;
  throw new Error('the declarations of @turnkey/http have another form than expected');
}

const member = (type: Type | undefined, name: string): Type | undefined =>
  type?.kind === 'object' ? type.fields.get(name)?.type : undefined;

/** Tokens of TypeScript's type language, from the text after `start`, the next one last. */
function tokens(source: string, start: string): string[] {
  const from = source.indexOf(start) + start.length;
  const to = source.indexOf('\nexport ', from);
  return (source.slice(from, to).match(/"[^"]*"|[\w$]+|[{}[\]:;?|&()]/g) ?? []).reverse();
}

/** `A & B | C`, with `&` and `|` alike in one flat list: the declarations never mix them. */
function parseType(rest: string[]): Type {
  const members = [parsePostfix(rest)];
  const operator = rest.at(-1);
  while (operator !== undefined && '|&'.includes(operator) && rest.at(-1) === operator) {
    rest.pop();
    members.push(parsePostfix(rest));
  }
  const [only] = members as [Type];
  if (members.length === 1) return only;
  if (operator === '|') return { kind: 'union', members };
  const objects = members.map(asObject);
  return {
    kind: 'object',
    fields: new Map(objects.flatMap((each) => [...each.fields])),
    isOpen: objects.some((each) => each.isOpen),
  };
}

function parsePostfix(rest: string[]): Type {
  let type = parsePrimary(rest);
  while (rest.at(-1) === '[') {
    rest.splice(-2);
    type = { kind: 'array', element: type };
  }
  return type;
}

function parsePrimary(rest: string[]): Type {
  const token = rest.pop() ?? '';
  if (token === '{') return parseObject(rest);
  if (token === '(') {
    const inner = parseType(rest);
    rest.pop();
    return inner;
  }
  if (token.startsWith('"')) return { kind: 'literal', value: token.slice(1, -1) };
  if (token === 'string' || token === 'number' || token === 'boolean') return { kind: token };
  if ((token === 'definitions' || token === 'operations') && rest.at(-1) === '[') {
    const [, name = ''] = rest.splice(-3).reverse();
    return { kind: 'definition', name: name.slice(1, -1) };
  }
  return { kind: 'unknown' };
}

function parseObject(rest: string[]): Type {
  const fields = new Map<string, Field>();
  let isOpen = false;
  for (let token = rest.pop(); token !== undefined && token !== '}'; token = rest.pop()) {
    // `[key: string]: T`
    if (token === '[') {
      isOpen = true;
      rest.splice(-4);
    }
    const optional = rest.at(-1) === '?';
    if (optional) rest.pop();
    rest.pop();
    const type = parseType(rest);
    if (token !== '[') fields.set(token.replaceAll('"', ''), { type, optional });
    if (rest.at(-1) === ';') rest.pop();
  }
  return { kind: 'object', fields, isOpen };
}
