/** As much of JSON Schema 2020-12 as the OpenAPI document uses; throws at a keyword that it does not know. */

type Schema = { readonly [keyword: string]: unknown };
type Check = (value: unknown, expected: never, schema: Schema, document: unknown) => string[];

const isObject = (value: unknown): value is { [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeNames: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

const passing = (value: unknown, schemas: Schema[], document: unknown) =>
  schemas.filter((schema) => violations(value, schema, document).length === 0).length;

const within = (prefix: string, found: string[]) => found.map((one) => `${prefix}.${one}`);

const checks: Readonly<Record<string, Check>> = {
  type: (value, expected: string | string[]) =>
    [expected].flat().some((name) => typeNames[name]?.(value)) ? [] : [`: expected ${expected}`],
  const: (value, expected: unknown) => (value === expected ? [] : [`: expected ${expected}`]),
  enum: (value, expected: unknown[]) => (expected.includes(value) ? [] : [`: expected one of ${expected}`]),
  pattern: (value, expected: string) =>
    typeof value !== 'string' || new RegExp(expected, 'u').test(value) ? [] : [`: expected ${expected}`],
  minimum: (value, least: number) => (typeof value !== 'number' || value >= least ? [] : [': too small']),
  maximum: (value, most: number) => (typeof value !== 'number' || value <= most ? [] : [': too large']),
  minLength: (value, least: number) => (typeof value !== 'string' || value.length >= least ? [] : [': too short']),
  maxLength: (value, most: number) => (typeof value !== 'string' || value.length <= most ? [] : [': too long']),
  minItems: (value, least: number) => (!Array.isArray(value) || value.length >= least ? [] : [': too few']),
  maxItems: (value, most: number) => (!Array.isArray(value) || value.length <= most ? [] : [': too many']),
  required: (value, names: string[]) =>
    isObject(value) ? names.filter((name) => !Object.hasOwn(value, name)).map((name) => `${name}: missing`) : [],
  properties: (value, properties: Record<string, Schema>, _, document) =>
    Object.entries(properties).flatMap(([name, schema]) =>
      isObject(value) && Object.hasOwn(value, name) ? within(name, violations(value[name], schema, document)) : [],
    ),
  additionalProperties: (value, expected: boolean | Schema, { properties = {} }, document) =>
    Object.entries(isObject(value) ? value : {})
      .filter(([name]) => !Object.hasOwn(properties as object, name))
      .flatMap(([name, member]) => {
        if (expected === false) return [`${name}: unknown`];
        return expected === true ? [] : within(name, violations(member, expected, document));
      }),
  propertyNames: (value, schema: Schema, _, document) =>
    Object.keys(isObject(value) ? value : {}).flatMap((name) => within(name, violations(name, schema, document))),
  prefixItems: (value, schemas: Schema[], _, document) =>
    Array.isArray(value)
      ? schemas
          .slice(0, value.length)
          .flatMap((schema, index) => within(String(index), violations(value[index], schema, document)))
      : [],
  items: (value, schema: Schema, { prefixItems = [] }, document) =>
    Array.isArray(value)
      ? value
          .slice((prefixItems as Schema[]).length)
          .flatMap((item, index) => within(String(index), violations(item, schema, document)))
      : [],
  oneOf: (value, schemas: Schema[], _, document) =>
    passing(value, schemas, document) === 1 ? [] : [`: ${passing(value, schemas, document)} of oneOf match`],
  anyOf: (value, schemas: Schema[], _, document) =>
    passing(value, schemas, document) > 0 ? [] : [': none of anyOf matches'],
  allOf: (value, schemas: Schema[], _, document) => schemas.flatMap((schema) => violations(value, schema, document)),
  $ref: (value, pointer: string, _, document) => violations(value, resolve(pointer, document), document),
};

const annotations = ['title', 'description', 'format', 'default', 'examples', '$defs'];

/** What is wrong with `value`, each with its path; `document` is what references point into. */
export function violations(value: unknown, schema: Schema, document: unknown): string[] {
  return Object.entries(schema).flatMap(([keyword, expected]) => {
    if (annotations.includes(keyword)) return [];
    const check = checks[keyword];
    if (!check) throw new Error(`unknown keyword ${keyword}`);
    return check(value, expected as never, schema, document);
  });
}

function resolve(pointer: string, document: unknown): Schema {
  const parts = pointer.split('/').slice(1);
  return parts.reduce<unknown>((at, part) => (at as Schema)[part], document) as Schema;
}
