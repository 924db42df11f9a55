/**
 * What an OpenAPI document may be (OpenAPI 3.1.1 §4.8; of the Schema Object JSON Schema 2020-12), as far as ours goes, as a
 * JSON Schema: objects are closed, so that a member which has not been thought of here is an error too.
 */

type Schema = { readonly [keyword: string]: unknown };

const string = { type: 'string' };
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });
const listOf = (items: Schema): Schema => ({ type: 'array', items });
const mapOf = (additionalProperties: Schema): Schema => ({ type: 'object', additionalProperties });
const closed = (required: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema => ({
  type: 'object',
  required: Object.keys(required),
  properties: { ...required, ...optional },
  additionalProperties: false,
});

const natural = { type: 'integer', minimum: 0 };
const typeName = { enum: ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'] };

const schemaObject = closed(
  {},
  {
    type: { anyOf: [typeName, { ...listOf(typeName), minItems: 1 }] },
    title: string,
    description: string,
    examples: { type: 'array' },
    default: {},
    const: {},
    enum: { type: 'array', minItems: 1 },
    $ref: { type: 'string', pattern: '^#/components/schemas/[A-Za-z0-9._-]+$' },
    format: string,
    pattern: string,
    minLength: natural,
    maxLength: natural,
    minimum: { type: 'number' },
    maximum: { type: 'number' },
    items: ref('schema'),
    minItems: natural,
    maxItems: natural,
    required: listOf(string),
    properties: mapOf(ref('schema')),
    additionalProperties: ref('schema'),
    propertyNames: ref('schema'),
    ...Object.fromEntries(
      ['allOf', 'anyOf', 'oneOf', 'prefixItems'].map((name) => [name, { ...listOf(ref('schema')), minItems: 1 }]),
    ),
  },
);

const content = mapOf(closed({ schema: ref('schema') }));

const parameter = closed(
  { name: string, in: { enum: ['query', 'header', 'cookie'] }, schema: ref('schema') },
  { description: string, required: { type: 'boolean' } },
);

const operation = closed(
  {
    tags: { ...listOf(string), minItems: 1 },
    operationId: string,
    summary: string,
    requestBody: closed({ content, required: { const: true } }),
    responses: closed({ 200: ref('response'), default: ref('response') }),
  },
  { description: string, parameters: listOf(parameter) },
);

export const openApiSchema: Schema = {
  ...closed({
    openapi: { type: 'string', pattern: '^3\\.1\\.\\d+$' },
    info: closed(
      { title: string, version: string },
      // An identifier excludes a URL.
      { description: string, license: closed({ name: string, identifier: string }) },
    ),
    servers: listOf(closed({ url: string })),
    tags: listOf(closed({ name: string }, { description: string })),
    security: listOf(mapOf(listOf(string))),
    paths: { ...mapOf(closed({ post: operation })), propertyNames: { pattern: '^/' } },
    components: closed({
      securitySchemes: mapOf(
        closed({ type: { const: 'apiKey' }, in: { enum: ['query', 'header', 'cookie'] }, name: string }),
      ),
      schemas: { ...mapOf(ref('schema')), propertyNames: { pattern: '^[A-Za-z0-9._-]+$' } },
    }),
  }),
  $defs: {
    schema: { anyOf: [{ type: 'boolean' }, schemaObject] },
    response: closed({ description: string, content }),
  },
};
