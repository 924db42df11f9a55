/** What the service serves besides requests: health, metrics, the OpenAPI document and the pages. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activities, queries } from '../../src/protocol/registry.ts';
import { type Service, startService } from '../support/service.ts';
import { violations } from './json-schema.ts';
import { openApiSchema } from './openapi-schema.ts';
import {
  backendOf,
  createUser,
  ethereumAccount,
  type Prepared,
  payloadOf,
  prepareActivity,
  prepareQuery,
  send,
  signRawPayload,
  type User,
} from './requests.ts';

let service: Service;
let user: User;
beforeAll(async () => {
  service = await startService();
  user = await createUser(service.baseUrl, service.root);
});
afterAll(() => service?.stop());

const get = (path: string) => fetch(`${service.baseUrl}${path}`);

test('/health answers for database and enclave', async () => {
  const response = await get('/health');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toMatchObject({
    status: 'ok',
    database: { ok: true, reason: null },
    enclave: { ok: true, phase: 'serving', reason: null, sealing: 'local-file', anchor: 'file', organizations: 2 },
  });
});

describe('/metrics', () => {
  type Samples = Map<string, number>;

  /** The text format of Prometheus, version 0.0.4. Throws where a line is none of it. */
  function parse(text: string): Samples {
    const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
    const comment = new RegExp(`^# (HELP ${name} .+|TYPE ${name} (counter|gauge|histogram|summary|untyped))$`);
    const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
    const sample = new RegExp(`^(${name}(?:\\{${label}(?:,${label})*\\})?) (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$`);
    const samples: Samples = new Map();
    for (const line of text.split('\n').filter(Boolean)) {
      if (comment.test(line)) continue;
      const match = sample.exec(line);
      if (!match) throw new Error(`not a line of the format: ${line}`);
      samples.set(match[1] as string, Number(match[2]));
    }
    return samples;
  }

  const read = async () => {
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    return parse(await response.text());
  };

  test('counts requests by name and status, and batches', async () => {
    const ask = (request: Prepared) => send(service.baseUrl, request);
    await ask(prepareActivity(user, signRawPayload, payloadOf(user.address, 'warm')));
    await ask(prepareQuery(user, 'whoami'));
    const before = await read();
    for (let index = 0; index < 3; index++) {
      await ask(prepareActivity(user, signRawPayload, payloadOf(user.address, `metric ${index}`)));
      await ask(prepareQuery(user, 'whoami'));
    }
    await ask({ ...prepareQuery(user, 'whoami'), headers: {} });
    const after = await read();
    const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown('countersign_request_seconds_count{name="sign_raw_payload",status="200"}')).toBe(3);
    expect(grown('countersign_request_seconds_count{name="whoami",status="200"}')).toBe(3);
    expect(grown('countersign_request_seconds_count{name="whoami",status="401"}')).toBe(1);
    expect(grown('countersign_batch_entries_sum')).toBe(3);
    expect(grown('countersign_batch_write_seconds_count')).toBeGreaterThan(0);
    expect(after.get('countersign_batch_write_failures_total')).toBe(0);
    expect(after.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  test('shows nothing of who asked', async () => {
    const text = await (await get('/metrics')).text();
    for (const secret of [user.organizationId, service.root.organizationId, service.root.apiPublicKey]) {
      expect(text).not.toContain(secret);
    }
  });

  test('names that nobody registered do not become labels', async () => {
    for (const name of ['made_up_one', 'made_up_two']) {
      await send(service.baseUrl, { ...prepareQuery(user, 'whoami'), path: `/public/v1/query/${name}` });
    }
    expect(await (await get('/metrics')).text()).not.toContain('made_up');
  });
});

describe('/openapi.json', () => {
  type Content = { content: { 'application/json': { schema: { [keyword: string]: unknown } } } };
  type Operation = {
    operationId: string;
    tags: string[];
    requestBody: Content;
    responses: { 200: Content; default: Content };
  };
  type Document = {
    openapi: string;
    tags: { name: string }[];
    security: object[];
    paths: { [path: string]: { post: Operation } };
    components: { securitySchemes: object; schemas: object };
  };
  let document: Document;
  beforeAll(async () => {
    document = (await (await get('/openapi.json')).json()) as Document;
  });

  const wrong = (content: Content, value: unknown) =>
    violations(value, content.content['application/json'].schema, document);
  const operation = (path: string) => (document.paths[path] as Document['paths'][string]).post;

  test('is an OpenAPI 3.1 document with a path for each activity and query', async () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(Object.keys(document.paths).sort()).toEqual(
      [
        ...activities.map(({ name }) => `/public/v1/submit/${name}`),
        ...queries.map(({ name }) => `/public/v1/query/${name}`),
      ].sort(),
    );
    const types = activities.flatMap(({ versions }) => Object.keys(versions));
    const text = JSON.stringify(document);
    for (const type of types) expect(text).toContain(`"const":"${type}"`);
  });

  test('is valid, and means nothing that is not there', () => {
    expect(violations(document, openApiSchema, openApiSchema)).toEqual([]);
    const { paths, tags, security, components } = document;
    const operations = Object.values(paths).map(({ post }) => post);
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const named = (list: { name: string }[]) => list.map(({ name }) => name);
    for (const { tags: used } of operations) for (const tag of used) expect(named(tags)).toContain(tag);
    for (const scheme of security.flatMap(Object.keys)) expect(components.securitySchemes).toHaveProperty(scheme);
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      expect(components.schemas).toHaveProperty(name as string);
    }
    for (const [, pattern] of text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)) {
      expect(() => new RegExp(JSON.parse(pattern as string), 'u')).not.toThrow();
    }
    for (const { requestBody } of operations) {
      expect(violations({}, requestBody.content['application/json'].schema, document)).not.toEqual([]);
    }
  });

  test('describes requests and answers as they are', async () => {
    const backend = backendOf(service.root);
    const requests = [
      prepareActivity(backend, 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8', {
        subOrganizationName: 'described',
        rootQuorumThreshold: 1,
        rootUsers: [
          {
            userName: 'user',
            apiKeys: [{ apiKeyName: 'key', publicKey: service.root.apiPublicKey, curveType: 'API_KEY_CURVE_P256' }],
            authenticators: [],
            oauthProviders: [],
          },
        ],
      }),
      prepareActivity(user, 'ACTIVITY_TYPE_CREATE_WALLET', { walletName: 'described', accounts: [ethereumAccount()] }),
      prepareActivity(user, signRawPayload, payloadOf(user.address, 'described')),
      prepareQuery(user, 'whoami'),
      prepareQuery(user, 'list_wallets'),
      prepareQuery(user, 'list_wallet_accounts'),
      prepareQuery(user, 'list_users'),
      prepareQuery(user, 'get_organization'),
      prepareQuery(user, 'list_activities', { paginationOptions: { limit: '2' } }),
      prepareQuery(backend, 'list_suborgs', { filterType: 'NAME', filterValue: 'described' }),
    ];
    for (const request of requests) {
      const { requestBody, responses } = operation(request.path);
      expect(wrong(requestBody, JSON.parse(request.body)), request.path).toEqual([]);
      const { status, body } = await send(service.baseUrl, request);
      expect(status, JSON.stringify(body)).toBe(200);
      expect(wrong(responses[200], body), request.path).toEqual([]);
    }
  });

  test('describes refusals, and rejects what the service rejects', async () => {
    const path = '/public/v1/submit/sign_raw_payload';
    const good = prepareActivity(user, signRawPayload, payloadOf(user.address, 'refused'));
    const envelope = JSON.parse(good.body) as { parameters: object };
    const bad = { ...envelope, parameters: { ...envelope.parameters, extra: 1 } };
    expect(wrong(operation(path).requestBody, bad)).not.toEqual([]);
    const { body } = await send(service.baseUrl, { ...good, body: JSON.stringify(bad) });
    expect(wrong(operation(path).responses.default, body)).toEqual([]);
  });
});

describe('pages', () => {
  test.each(['/', '/docs'])('%s is HTML under a strict policy, with nothing from elsewhere', async (path) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toMatch(/unsafe-|\*|https?:/);
    const html = await response.text();
    expect(html).toMatch(/^<!doctype html>\s*<html lang="/i);
    const references = [...html.matchAll(/\s(?:src|href|action|srcset|data)="([^"]*)"/g)].map(([, url]) => url ?? '');
    expect(references.length).toBeGreaterThan(0);
    for (const url of references) expect(url).toMatch(/^(?:\/(?!\/)|#)/);
    expect(html).not.toMatch(/\son[a-z]+="|javascript:|@import/i);
    for (const url of references.filter((one) => one.startsWith('/'))) expect((await get(url)).status, url).toBe(200);
  });
});
