/** The OpenAPI 3.1 document of the service, derived from the registry of activities and queries. */
import { type ConversionConfig, toJsonSchema } from '@valibot/to-json-schema';
import type { Activity, Query, Schema } from '../../protocol/activities/activity.ts';
import { activities, queries } from '../../protocol/registry.ts';

export type JsonSchema = { readonly [key: string]: unknown };

export type Operation = {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly JsonSchema[];
  readonly requestBody: JsonSchema;
  readonly responses: JsonSchema;
};

export type OpenApiDocument = {
  readonly openapi: '3.1.0';
  readonly info: JsonSchema;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly security: readonly JsonSchema[];
  readonly paths: { readonly [path: string]: { readonly post: Operation } };
  readonly components: JsonSchema;
};

const info = {
  title: 'Countersign',
  version: '1',
  description:
    'Signing service for sub-organizations. Every request is stamped: `X-Stamp` holds an API key’s signature over the ' +
    'exact body, `X-Stamp-Webauthn` a passkey’s assertion. The wire protocol is Turnkey’s.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

/** `publicUrl` is where clients find the service; without it the document's own origin is meant. */
export function openApiDocument(publicUrl: string | null): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: publicUrl ?? '/' }],
    tags: [
      {
        name: 'Activities',
        description:
          'Requests that change or sign something. With the header `X-Countersign-Explain: 1` a denial says in `details` what ' +
          'each policy said',
      },
      {
        name: 'Queries',
        description:
          'Requests that read. With its name as `query` and the time as `timestampMs` in the body a stamp is good for that ' +
          'query and for an hour; without them, for any query and for ever',
      },
      {
        name: 'Log',
        description:
          'What the enclave did, for everybody to follow with `countersign monitor` and other tools: `GET /log/checkpoint`, ' +
          '`GET /log/tile/<level>/<index>` and `GET /log/tile/entries/<index>`, as C2SP tlog-tiles has them',
      },
    ],
    security: [{ apiKeyStamp: [] }, { passkeyStamp: [] }],
    paths: Object.fromEntries([...activities.map(submitPath), ...queries.map(queryPath)]),
    components: {
      securitySchemes: {
        apiKeyStamp: { type: 'apiKey', in: 'header', name: 'X-Stamp' },
        passkeyStamp: { type: 'apiKey', in: 'header', name: 'X-Stamp-Webauthn' },
      },
      schemas: { Status: status, Activity: activityObject },
    },
  };
}

function submitPath(activity: Activity): [string, { post: Operation }] {
  const operation = {
    tags: ['Activities'],
    operationId: activity.name,
    summary: activity.summary,
    parameters: [explainHeader, receiptHeader],
    requestBody: body({
      oneOf: Object.entries(activity.versions).map(([type, { parameters }]) => envelope(type, parameters)),
    }),
    responses: responses(activityAnswer(activity)),
  };
  return [`/public/v1/submit/${activity.name}`, { post: operation }];
}

function queryPath(query: Query): [string, { post: Operation }] {
  const operation = {
    tags: ['Queries'],
    operationId: query.name,
    summary: query.summary,
    parameters: [proofParameter],
    requestBody: body(bound(query)),
    responses: responses(outputSchema(query.response)),
  };
  return [`/public/v1/query/${query.name}`, { post: operation }];
}

/** Its request, with the two members that bind a stamp to it. */
function bound({ name, request }: Query): JsonSchema {
  const { properties, ...schema } = inputSchema(request);
  const binding = {
    query: { const: name, description: 'Makes the stamp good for this query alone' },
    timestampMs: { ...timestampMs, description: `${timestampMs.description}; makes the stamp good for as long` },
  };
  return { ...schema, properties: { ...(properties as JsonSchema), ...binding } };
}

const explainHeader: JsonSchema = {
  name: 'X-Countersign-Explain',
  in: 'header',
  description: '`1`: a denial has a `PolicyEnginePermissionError` with an explanation in its `details`',
  schema: { type: 'string', enum: ['1'] },
};

const receiptHeader: JsonSchema = {
  name: 'X-Countersign-Receipt',
  in: 'header',
  description: '`omit`: the answer carries no receipt',
  schema: { type: 'string', enum: ['omit'] },
};

const proofParameter: JsonSchema = {
  name: 'proof',
  in: 'query',
  description:
    '`1`: the header `X-Countersign-Proof` proves that the answer is about the current state (docs/receipts.md)',
  schema: { type: 'string', enum: ['1'] },
};

const uuid = { type: 'string', format: 'uuid' };
const timestampMs = {
  type: 'string',
  description: 'Unix milliseconds, at most an hour ago and 5 minutes ahead',
  pattern: '^[0-9]+$',
};

const envelope = (type: string, parameters: Schema): JsonSchema => ({
  title: type,
  type: 'object',
  required: ['type', 'timestampMs', 'organizationId', 'parameters'],
  properties: {
    type: { const: type },
    timestampMs,
    organizationId: uuid,
    parameters: inputSchema(parameters),
  },
});

/** The result stands under a key of its version. */
function activityAnswer({ versions, result }: Activity): JsonSchema {
  const schema = outputSchema(result);
  const keys = new Set(Object.values(versions).map((version) => version.result));
  return {
    type: 'object',
    required: ['activity'],
    properties: {
      activity: {
        allOf: [
          { $ref: '#/components/schemas/Activity' },
          {
            type: 'object',
            properties: {
              result: { type: 'object', properties: Object.fromEntries([...keys].map((key) => [key, schema])) },
            },
          },
        ],
      },
      receipt: {
        type: 'string',
        description:
          'Of a final activity, base64url: what was decided and signed, and the proof that the log holds it; also in the header `X-Countersign-Receipt`',
      },
    },
  };
}

const timestamp = {
  type: 'object',
  required: ['seconds', 'nanos'],
  properties: { seconds: { type: 'string' }, nanos: { type: 'string' } },
};

const activityObject: JsonSchema = {
  type: 'object',
  required: [
    'id',
    'organizationId',
    'status',
    'type',
    'intent',
    'result',
    'votes',
    'fingerprint',
    'createdAt',
    'updatedAt',
  ],
  properties: {
    id: uuid,
    organizationId: uuid,
    status: { type: 'string', examples: ['ACTIVITY_STATUS_COMPLETED'] },
    type: { type: 'string' },
    intent: { type: 'object', description: 'The parameters, under a key of the activity’s version' },
    result: { type: 'object', description: 'The result, under a key of the activity’s version' },
    votes: { type: 'array', items: { type: 'object' } },
    fingerprint: { type: 'string', description: '`sha256:` and the hex digest of the request body' },
    appProofs: { type: 'array' },
    canApprove: { type: 'boolean' },
    canReject: { type: 'boolean' },
    waitsUntil: { ...timestamp, description: 'Of one that waits: it is not carried out before, whoever approves' },
    failure: {
      type: ['object', 'null'],
      description: 'A `google.rpc.Status`, where it was approved and could not be carried out',
    },
    facts: {
      type: 'object',
      description: 'Of a passkey’s stamp',
      properties: { signCountRegressed: { type: 'boolean' }, userVerified: { type: 'boolean' } },
    },
    createdAt: timestamp,
    updatedAt: timestamp,
  },
};

const status: JsonSchema = {
  type: 'object',
  description: 'google.rpc.Status',
  required: ['code', 'message', 'details'],
  properties: {
    code: { type: 'integer', description: 'google.rpc.Code' },
    message: { type: 'string' },
    details: { type: 'array', items: { type: 'object' } },
  },
};

const json = (schema: JsonSchema) => ({ 'application/json': { schema } });
const body = (schema: JsonSchema): JsonSchema => ({ required: true, content: json(schema) });
const responses = (schema: JsonSchema): JsonSchema => ({
  200: { description: 'Done', content: json(schema) },
  default: { description: 'Refused', content: json({ $ref: '#/components/schemas/Status' }) },
});

/** What clients send: the schema before its transformations. Checks that JSON Schema cannot express are left out. */
const inputSchema = (schema: Schema): JsonSchema => convert(schema, 'input');
const outputSchema = (schema: Schema): JsonSchema => convert(schema, 'output');

function convert(schema: Schema, typeMode: 'input' | 'output'): JsonSchema {
  const elements = listElements(schema);
  const overrideSchema: ConversionConfig['overrideSchema'] = ({ valibotSchema, jsonSchema }) => {
    const element = elements.get(valibotSchema);
    return element ? { ...jsonSchema, items: convert(element, typeMode) } : undefined;
  };
  const converted = toJsonSchema(schema, { target: 'draft-2020-12', typeMode, errorMode: 'ignore', overrideSchema });
  const { $schema: _, ...rest } = converted;
  return rest;
}

/**
 * Lists are arrays twice in their pipe, so that their length is checked before their elements: the first one's elements
 * are unknown, the last one's are what is meant. Gives the meant element of each first array in `schema`.
 */
function listElements(schema: Schema): Map<unknown, Schema> {
  const elements = new Map<unknown, Schema>();
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    const { entries, item, options, pipe, wrapped } = node as { [key: string]: unknown };
    const arrays = Array.isArray(pipe) ? (pipe as Schema[]).filter(({ type }) => type === 'array') : [];
    if (arrays.length > 1) elements.set(arrays[0], (arrays.at(-1) as Schema & { item: Schema }).item);
    for (const inner of [item, wrapped, ...Object.values(entries ?? {}), ...((options ?? []) as unknown[])])
      visit(inner);
    // The first of a pipe is the node itself without its pipe.
    if (Array.isArray(pipe)) pipe.forEach(visit);
  };
  visit(schema);
  return elements;
}
