/** The readable form of the OpenAPI document: one page without scripts and without anything loaded from elsewhere. */
import { createHash } from 'node:crypto';
import type { JsonSchema, OpenApiDocument, Operation } from './openapi.ts';

export type DocsPage = { readonly html: string; readonly contentSecurityPolicy: string };

const style = `
:root { color-scheme: light dark; --line: light-dark(#d8dbe2, #3a3f4b); --soft: light-dark(#f5f6f8, #1d2027);
  --text: light-dark(#1a1d24, #e8eaf0); --muted: light-dark(#565d6d, #a3abbb); --accent: light-dark(#2347c5, #9db4ff); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 56rem; padding: 2rem 1.25rem 6rem; color: var(--text);
  background: light-dark(#fff, #14161b); font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.9rem; letter-spacing: -.02em; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.25rem; }
h3 { margin: 1.25rem 0 .25rem; font-size: .95rem; color: var(--muted); }
a { color: var(--accent); }
code { font: .9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
details.operation { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; background: var(--soft); }
details.operation > summary { padding: .6rem .9rem; cursor: pointer; }
details.operation > div { padding: 0 1rem 1rem; border-top: 1px solid var(--line); }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
summary span { display: block; padding-left: 1.1rem; color: var(--muted); }
ul.fields { list-style: none; margin: 0; padding: 0 0 0 1rem; border-left: 2px solid var(--line); }
ul.fields li { margin: .2rem 0; }
.kind { color: var(--muted); }
`;

const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Renders `document`; the page works with `contentSecurityPolicy` in force. */
export function renderDocs(document: OpenApiDocument): DocsPage {
  const { title, description } = document.info as { title: string; description: string };
  const operations = Object.entries(document.paths).map(([path, { post }]) => ({ path, operation: post }));
  const sections = document.tags.map(({ name, description }) => {
    const members = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<section aria-labelledby="${name}"><h2 id="${name}">${name}</h2><p>${prose(description)}.</p>
      ${members.map(({ path, operation }) => renderOperation(path, operation)).join('')}</section>`;
  });
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} API</title>
<style>${style}</style>
</head>
<body>
<header><h1>${escapeHtml(title)} API</h1><p>${prose(description)}</p>
<p>For programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p></header>
<main>${sections.join('')}</main>
</body>
</html>`;
  return { html, contentSecurityPolicy };
}

function renderOperation(path: string, { operationId, summary, requestBody, responses }: Operation): string {
  const request = schemaOf(requestBody);
  const answer = schemaOf(responses['200'] as JsonSchema);
  return `<details class="operation" id="${operationId}"><summary><code>POST ${escapeHtml(path)}</code>
    <span>${prose(summary)}</span></summary><div>${renderRequest(request)}<h3>Answer</h3>${renderFields(answer)}</div></details>`;
}

/** The versions of an activity by type, the newest first and open. */
function renderRequest(request: JsonSchema): string {
  const versions = request.oneOf as JsonSchema[] | undefined;
  if (!versions) return `<h3>Body</h3>${renderFields(request)}`;
  return [...versions]
    .reverse()
    .map((version, at) => {
      const heading = `<code>${escapeHtml(String(version.title))}</code>`;
      if (at === 0) return `<h3>Body, ${heading}</h3>${renderFields(version)}`;
      return `<details><summary>Older version ${heading}</summary>${renderFields(version)}</details>`;
    })
    .join('');
}

function schemaOf(body: JsonSchema): JsonSchema {
  const content = body.content as { 'application/json': { schema: JsonSchema } };
  return content['application/json'].schema;
}

/** The members of an object, or of the objects in an array, as nested lists. */
function renderFields(schema: JsonSchema): string {
  const properties = membersOf(schema);
  if (properties.length === 0) return '';
  const required = new Set(parts(schema).flatMap((part) => (part.required as string[] | undefined) ?? []));
  const items = properties.map(([name, field]) => {
    const optional = required.has(name) ? '' : ', optional';
    const about = typeof field.description === 'string' ? ` ${prose(field.description)}.` : '';
    return `<li><code>${escapeHtml(name)}</code> <span class="kind">${escapeHtml(kindOf(field))}${optional}</span>${about}
      ${renderFields(field)}</li>`;
  });
  return `<ul class="fields">${items.join('')}</ul>`;
}

/** A schema and those that it is put together from. */
const parts = (schema: JsonSchema): JsonSchema[] => [
  schema,
  ...((schema.allOf as JsonSchema[] | undefined) ?? []).flatMap(parts),
  ...(schema.items ? parts(schema.items as JsonSchema) : []),
];

const membersOf = (schema: JsonSchema): [string, JsonSchema][] =>
  parts(schema).flatMap((part) =>
    Object.entries((part.properties as { [name: string]: JsonSchema } | undefined) ?? {}),
  );

function kindOf(schema: JsonSchema): string {
  if ('const' in schema) return JSON.stringify(schema.const);
  const values = schema.enum as unknown[] | undefined;
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ');
  const choices = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
  if (choices) return [...new Set(choices.map(kindOf))].join(' | ');
  if (schema.type === 'array') return `array of ${kindOf((schema.items ?? {}) as JsonSchema)}`;
  const kind = schema.format ?? (Array.isArray(schema.type) ? schema.type.join(' | ') : schema.type);
  return typeof kind === 'string' ? kind : schema.allOf ? 'object' : 'any';
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] as string);

/** Text in which backticks mark code. */
const prose = (text: string): string => escapeHtml(text.replace(/\.$/, '')).replace(/`([^`]+)`/g, '<code>$1</code>');
