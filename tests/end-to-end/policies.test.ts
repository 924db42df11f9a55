/** What policies decided, as it is told over HTTP, by the SDK and on the command line. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiKeyStamper, createClient } from '../../sdk/src/index.ts';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { addUser, createResident, type Member, type Resident, signing } from '../support/resident.ts';
import { parent, service, useService, wire } from '../support/use-service.ts';
import { activityBody, type Caller, query, reasonOf, resultOf, submit } from '../support/wire.ts';
import { violations } from './json-schema.ts';

useService();
let owner: Resident;
let agent: Member;
let policyId: string;
const ids: string[] = [];

const texts = (text: string) => ({
  ...signing(owner.addresses[0]),
  payload: text,
  encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
  hashFunction: 'HASH_FUNCTION_KECCAK256',
});
const policy = { effect: 'EFFECT_ALLOW', language: 'cel', notes: '' };
const okOnly = { ...policy, policyName: 'ok only', condition: "has(payload.text) && payload.text.startsWith('ok')" };

function send(caller: Caller, text: string, more: { explain?: true } = { explain: true }) {
  const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', texts(text));
  const stamp = caller.stamp(body);
  return { body, stamp, answer: wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp, ...more }) };
}

beforeAll(async () => {
  owner = await createResident(wire, parent, 'Owner');
  agent = await addUser(wire, owner.byPasskey, 'agent');
  const created = await submit(wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', okOnly);
  policyId = resultOf(created).policyId as string;
  for (const text of ['ok 1', 'ok 2', 'ok 3']) {
    const { status, body } = await send(agent, text).answer;
    expect(status, JSON.stringify(body)).toBe(200);
    ids.push((body.activity as { id: string }).id);
  }
});

describe('X-Countersign-Explain: 1', () => {
  test('what is allowed is answered as ever', async () => {
    const { status, body } = await send(agent, 'ok').answer;
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['activity', 'receipt']);
  });

  test('a denial says why, and is the same otherwise', async () => {
    const silent = await send(agent, 'no', {}).answer;
    expect(silent).toMatchObject({ status: 403, body: { code: 7, details: [] } });
    const { status, body } = await send(agent, 'no').answer;
    expect({ status, message: body.message }).toEqual({ status: 403, message: silent.body.message });
    expect(body.details).toMatchObject([
      {
        '@type': 'type.googleapis.com/errors.v1.PolicyEnginePermissionError',
        policyEvaluations: [{ policyId, outcome: 'OUTCOME_DENY_IMPLICIT' }],
        explanation: { text: expect.stringContaining('payload.text = "no"') },
      },
    ]);
  });

  test.each(['0', 'true', '1, 1', ''])('%j asks for nothing', async (value) => {
    const { body, stamp } = send(agent, 'no', {});
    const headers = { 'Content-Type': 'application/json', [stamp.header]: stamp.value, 'X-Countersign-Explain': value };
    const response = await fetch(`${service.baseUrl}/public/v1/submit/sign_raw_payload`, {
      method: 'POST',
      headers,
      body,
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ details: [] });
  });

  test('who may not read the policies is told nothing', async () => {
    const stranger = generateApiKey();
    const neighbour = await createResident(wire, parent, 'Neighbour');
    const { organizationId } = owner;
    const refusals: [Caller, number, string][] = [
      [{ organizationId, stamp: (body) => makeApiKeyStamp(body, stranger) }, 401, 'PUBLIC_KEY_NOT_FOUND'],
      [{ ...neighbour.byPasskey, organizationId }, 401, 'CREDENTIAL_NOT_FOUND'],
      [{ ...parent, organizationId }, 400, 'ORGANIZATION_MISMATCH'],
    ];
    for (const [caller, status, reason] of refusals) {
      const answer = await send(caller, 'no').answer;
      expect([answer.status, reasonOf(answer)]).toEqual([status, reason]);
      expect(JSON.stringify(answer.body)).not.toMatch(new RegExp(`${policyId}|explanation`));
    }
  });

  test('is in the OpenAPI document, as what binds a query is', async () => {
    const document = (await (await fetch(`${service.baseUrl}/openapi.json`)).json()) as {
      paths: Record<string, { post: { parameters?: { name: string; in: string }[]; requestBody: Body } }>;
    };
    type Body = { content: { 'application/json': { schema: { properties: Record<string, object> } } } };
    const schemaOf = (path: string) => document.paths[path]?.post.requestBody.content['application/json'].schema;
    const submitting = document.paths['/public/v1/submit/sign_raw_payload']?.post;
    const header = { name: 'X-Countersign-Explain', in: 'header' };
    expect(submitting?.parameters).toContainEqual(expect.objectContaining(header));
    const asking = document.paths['/public/v1/query/whoami']?.post.parameters;
    expect(asking).toMatchObject([{ name: 'proof', in: 'query' }]);
    const whoami = schemaOf('/public/v1/query/whoami');
    expect(whoami?.properties).toMatchObject({ query: { const: 'whoami' }, timestampMs: { type: 'string' } });
    const asked = { organizationId: owner.organizationId, timestampMs: String(Date.now()) };
    expect(violations({ ...asked, query: 'whoami' }, whoami ?? {}, document)).toEqual([]);
    expect(violations({ ...asked, query: 'get_user' }, whoami ?? {}, document)).not.toEqual([]);
    expect(violations(asked, whoami ?? {}, document)).toEqual([]);
  });
});

const clientOf = () =>
  createClient({
    baseUrl: service.baseUrl,
    organizationId: owner.organizationId,
    stamp: apiKeyStamper(agent.apiKey),
    explainDenials: true,
  });

test('the SDK: why a request was denied, at once and later, and what a draft would change', async () => {
  const client = clientOf();
  await expect(client.signRawPayload(texts('no') as never)).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    details: [{ explanation: { outcome: 'OUTCOME_DENY_IMPLICIT' } }],
  });
  const { body, stamp, answer } = send(agent, 'no');
  await answer;
  const explained = await client.explainRequest({ request: { body, stamp } });
  expect(explained).toMatchObject({
    allowed: false,
    unmet: [{ policyId, seen: [{ text: 'payload.text', value: 'no' }] }],
  });
  const draft = {
    policyName: 'two',
    effect: 'EFFECT_ALLOW',
    condition: "has(payload.text) && payload.text == 'ok 2'",
  } as const;
  const { activities, remaining } = await client.replayPolicies({ policies: [draft], activityIds: ids });
  expect(remaining).toEqual([]);
  expect(activities.map(({ change }) => change)).toEqual(['denied', 'none', 'denied']);
});

describe('countersign policy replay', () => {
  const run = promisify(execFile);
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const replay = (...args: string[]) =>
    run(process.execPath, [main, 'policy', 'replay', ...args], {
      env: { PATH: process.env.PATH, PORT: String(service.port), COUNTERSIGN_DATA_DIR: service.dataDir },
    }).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'replay-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const ofOwner = () => ['--organization', owner.organizationId];

  test('says what would change, with the reasons before and after', async () => {
    const draft = file('draft.json', {
      policies: [{ ...okOnly, condition: "has(payload.text) && payload.text == 'ok 1'" }],
    });
    const { code, stdout } = await replay(draft, ...ofOwner());
    expect(code).toBe(2);
    expect(stdout).toMatch(/^ {2}would be denied +\d+$/m);
    expect(stdout).toMatch(new RegExp(`^${ids[1]} 20\\S+Z SIGN_RAW_PAYLOAD_V2: would be denied$`, 'm'));
    expect(stdout).toContain(`now: policy ${policyId} allows this`);
    expect(stdout).toContain(`draft: no policy allows this`);
    expect(stdout).toContain('`payload.text == \'ok 1\'` was false (payload.text = "ok 2")');
    expect(stdout).not.toContain(`${ids[0]} `);
  });

  test('as JSON, for the last few', async () => {
    const { code, stdout } = await replay(
      file('none.json', [{ ...okOnly, condition: 'false' }]),
      ...ofOwner(),
      '--last',
      '2',
      '--json',
    );
    expect(code).toBe(2);
    const { summary, changes } = JSON.parse(stdout);
    expect(Object.values(summary as Record<string, number>).reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(summary.denied).toBe(changes.length);
    expect(changes[0]).toMatchObject({ change: 'denied', before: { decidedBy: policyId }, after: { decidedBy: null } });
  });

  test('--add keeps the policies that there are', async () => {
    const guard = {
      policyName: 'few',
      effect: 'EFFECT_GUARD',
      language: 'cel',
      condition: "activities('SIGN_RAW_PAYLOAD', '1h') >= 2",
    };
    const { code, stdout } = await replay(file('guard.json', guard), '--add', ...ofOwner());
    expect(code).toBe(2);
    // The sums begin with the organization: the first two are as they were.
    expect(stdout).toContain(`${ids[2]} `);
    expect(stdout).toContain('guard few denies this');
    for (const id of ids.slice(0, 2)) expect(stdout).not.toContain(`${id} `);
    const same = await replay(file('same.json', okOnly), '--add', ...ofOwner());
    expect([same.code, same.stdout]).toEqual([0, expect.stringMatching(/would be denied +0\n/)]);
  });

  test('--cases asks no service', async () => {
    const facts = (value: number) => ({
      activity: { type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2' },
      eth: { tx: { value } },
    });
    const cases = [1, 5, 9].map((value) => ({ id: value, facts: facts(value), expect: 'allow' }));
    const before = [{ policyName: 'cap', effect: 'EFFECT_ALLOW', condition: 'eth.tx.value <= 10' }];
    const draft = file('cap.json', [{ ...before[0], condition: 'eth.tx.value <= 4' }]);
    const { code, stdout } = await replay(draft, '--cases', file('cases.json', { policies: before, cases }), '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      summary: { none: 1, denied: 2, allowed: 0, 'needs-approvals': 0, unknown: 0 },
      changes: [{ id: '5' }, { id: '9', after: { parts: [{ seen: [{ value: 9 }] }] } }],
    });
    const wrong = await replay(draft, '--cases', file('wrong.json', { cases: [{ id: 'x', policies: 1 }] }));
    expect([wrong.code, wrong.stdout]).toEqual([3, expect.stringContaining('x: cannot be told\n  cases[0].policies')]);
  });

  test.each([
    [[], 'usage: countersign policy replay'],
    [['DRAFT', '--last', '0'], '--last: expected a number from 1 to 100000'],
    [['DRAFT', '--cases', 'x', '--last', '5'], 'usage: countersign policy replay'],
    [['/nonexistent.json'], 'cannot read'],
    [['DRAFT', '--organization', '00000000-0000-4000-8000-000000000000'], 'refused (404)'],
    [['WRONG'], 'there is no `nonsense` here'],
  ])('refuses %j', async (args, message) => {
    const files = { DRAFT: file('fine.json', okOnly), WRONG: file('wrong.json', { ...okOnly, condition: 'nonsense' }) };
    const given = args.map((arg) => files[arg as keyof typeof files] ?? arg);
    const { code, stdout, stderr } = await replay(...given);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });
});

test('the stamp of a query that was bound is good for that query alone', async () => {
  const body = JSON.stringify({
    organizationId: owner.organizationId,
    query: 'whoami',
    policies: [],
    activityIds: ids,
  });
  const answer = await wire({ kind: 'query', name: 'replay_policies', body, stamp: agent.stamp(body) });
  expect([answer.status, reasonOf(answer)]).toEqual([400, 'QUERY_MISMATCH']);
  expect((await query(wire, agent, 'replay_policies', { policies: [], activityIds: ids })).status).toBe(200);
});
