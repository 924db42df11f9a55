/** Receipts of a real enclave, as somebody verifies them who was not there. */
import { createHash, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiKeyStamper } from '../../../sdk/src/api-key-stamper.ts';
import { createClient } from '../../../sdk/src/client.ts';
import { forward } from '../../../sdk/src/forward.ts';
import { answerVerifier } from '../../../sdk/src/verify/answer-verifier.ts';
import type { StepName } from '../../../sdk/src/verify/step.ts';
import { type Expectations, verifyReceipt } from '../../../sdk/src/verify/verify-receipt.ts';
import { verifyStamp } from '../../../sdk/src/verify/verify-stamp.ts';
import { decode, encode } from '../../../src/protocol/cbor.ts';
import type { PolicyObject } from '../../../src/protocol/queries/objects.ts';
import type { ClaimedVote } from '../../../src/protocol/receipt.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { type EnclaveOverHttp, serveEnclave } from '../../support/enclave-over-http.ts';
import { createResident, type Resident } from '../../support/resident.ts';
import { activityBody, query, submit, type WireAnswer, type WireRequest } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
let http: EnclaveOverHttp;
let owner: Resident;
let body: string;
let answer: WireAnswer['body'];
let policies: PolicyObject[];
let logKey: string;
/** What becomes of an answer on its way. */
let alter: (body: WireAnswer['body']) => WireAnswer['body'] = (body) => body;

const payload = 'pay 5 to bob';
const signing = () => ({
  signWith: owner.addresses[0],
  payload,
  encoding: 'PAYLOAD_ENCODING_TEXT_UTF8' as const,
  hashFunction: 'HASH_FUNCTION_KECCAK256' as const,
});
const resultIn = ({ activity }: WireAnswer['body']) =>
  Object.values(activity?.result ?? {})[0] as Record<string, string>;

beforeAll(async () => {
  enclave = await startEnclave();
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
  for (const [policyName, extra] of [
    ['one', { notes: 'a note' }],
    ['two', { time: 'hour <= 24', language: 'cel' }],
  ] as const) {
    const policy = { policyName, effect: 'EFFECT_ALLOW', condition: 'true', consensus: 'true', notes: '', ...extra };
    await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', policy);
  }
  body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing());
  const stamp = owner.byPasskey.stamp(body);
  ({ body: answer } = await enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp, proof: true }));
  policies = (await query(enclave.wire, owner.byPasskey, 'list_policies')).body.policies as unknown as PolicyObject[];
  const { steps } = await verifyReceipt(answer);
  logKey = /countersign\/[0-9a-f]{16}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+/.exec(JSON.stringify(steps))?.[0] as string;
  http = await serveEnclave(async (request: WireRequest) => {
    const asked = request.kind === 'submit' ? { ...request, proof: true as const } : request;
    const { status, body } = await enclave.wire(asked);
    return { status, body: alter(body) };
  });
});
afterAll(() => {
  http.close();
  enclave.remove();
});

const stepsOf = async (receipt: Uint8Array | string | object, expected: Expectations = {}) => {
  const { steps } = await verifyReceipt(receipt, expected);
  return Object.fromEntries(steps.map(({ name, ok }) => [name, ok])) as Record<StepName, boolean | null>;
};
const statementIn = (text: unknown) =>
  (decode(Buffer.from(text as string, 'base64url')) as { statement: Buffer }).statement;

describe('a receipt', () => {
  test('says everything in words, and leaves open what nothing was given for', async () => {
    const { ok, steps, claims } = await verifyReceipt(answer);
    expect(ok).toBe(true);
    const words = steps.map((step) => `${step.name} ${step.ok}: ${step.words}`).join('\n');
    for (const part of [
      `receipt true: receipt of activity ${answer.activity?.id} of organization ${owner.organizationId}: sign raw payload v2, completed`,
      `stamps null: approved by passkey ${owner.passkey.credentialId}`,
      'decision null: allow by root-quorum, under policies of SHA-256',
      'signed null: it made one signature',
      'inclusion true: all this is entry',
      'proof true: the enclave signed this state of the log',
      'checkpoint null: the log’s key signed the checkpoint of batch',
      'enclave null: enclave',
    ]) {
      expect(words).toContain(part);
    }
    expect(claims?.activity).toBe(answer.activity?.id);
  });

  test('is taken in bytes, in base64url, and in the answer', async () => {
    const text = answer.receipt as string;
    for (const receipt of [Buffer.from(text, 'base64url'), text, `${text}\n`, answer]) {
      expect((await verifyReceipt(receipt, { body })).ok).toBe(true);
    }
  });

  test('is compared with all that is at hand', async () => {
    const { r, s, v } = resultIn(answer) as { r: string; s: string; v: string };
    const measurements = [(decode(statementIn(answer.receipt)) as { measurement: Buffer }).measurement.toString('hex')];
    const knownStatement = statementIn(answer.receipt).toString('base64url');
    const all = { body, result: resultIn(answer), payload, policies, logKey, measurements, knownStatement };
    for (const signature of [`${r}${s}${v}`, `0x${r}${s}${v}`, { r, s, v }]) {
      const steps = await stepsOf(answer, { ...all, signature });
      expect(steps).toEqual({ ...Object.fromEntries(Object.keys(steps).map((name) => [name, true])), stamps: null });
    }
  });

  test.each<[StepName, () => Expectations]>([
    ['request', () => ({ body: `${body} ` })],
    ['result', () => ({ result: { ...resultIn(answer), v: '02' } })],
    ['result', () => ({ result: '{}' })],
    ['signed', () => ({ payload: `${payload}0` })],
    ['signed', () => ({ payload, signature: '00' })],
    ['signed', () => ({ signature: 'no hex' })],
    ['decision', () => ({ policies: [] })],
    ['decision', () => ({ policies: policies.slice(1) })],
    ['decision', () => ({ policies: policies.map((policy) => ({ ...policy, notes: 'other' })) })],
    ['checkpoint', () => ({ logKey: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k' })],
    ['enclave', () => ({ measurements: ['00'] })],
    ['enclave', () => ({ knownStatement: 'AAAA' })],
  ])('%s: fails alone where it is another one', async (name, expected) => {
    const steps = await stepsOf(answer, expected());
    expect(Object.keys(steps).filter((step) => steps[step as StepName] === false)).toEqual([name]);
  });

  test.each<[string, Uint8Array | string | object]>([
    ['nothing', ''],
    ['an answer without', { activity: {} }],
    ['text that is no base64url', 'a+b'],
    ['other CBOR', encode({ v: 1 })],
    ['another version', encode({ v: 2 })],
    ['no map', encode([1])],
    ['bytes', Buffer.alloc(100, 0xff)],
  ])('%s is none, and no crash', async (_, receipt) => {
    expect(await stepsOf(receipt)).toEqual({ receipt: false });
  });

  test('of a completed approval is one for whoever voted, too', async () => {
    const { claims } = await verifyReceipt(answer);
    expect(claims?.votes.map(({ kind, selection }) => [kind, selection])).toEqual([
      ['passkey', 'VOTE_SELECTION_APPROVED'],
    ]);
  });
});

describe('a client that verifies', () => {
  const client = (verify = answerVerifier({ logKey })) =>
    createClient({
      baseUrl: http.baseUrl,
      organizationId: owner.organizationId,
      stamp: apiKeyStamper(owner.apiKey),
      verify,
    });
  const altered = async (change: typeof alter, work: () => Promise<unknown>) => {
    alter = change;
    try {
      return await work();
    } finally {
      alter = (body) => body;
    }
  };

  test('gives results that are proven, and answers of queries', async () => {
    const { r } = await client().signRawPayload(signing());
    expect(r).toMatch(/^[0-9a-f]{64}$/);
    expect((await client().getWhoami()).organizationId).toBe(owner.organizationId);
    const stamped = await client().stamp.signRawPayload(signing());
    const verify = answerVerifier({ logKey });
    expect((await forward(stamped, { baseUrl: http.baseUrl, method: 'signRawPayload', verify })).r).toHaveLength(64);
  });

  test('says in each request what it was shown last, and is told when the service has lost it', async () => {
    const seeing = client();
    const known = async () => JSON.parse((await seeing.stamp.getWhoami()).body).knownHead;
    expect(await known()).toBeUndefined();
    const rollBack = enclave.save();
    for (let count = 0; count < 3; count++) await seeing.signRawPayload(signing());
    expect(await known()).toMatchObject({ size: expect.any(Number), leaf: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await rollBack();
    const lost = { details: [{ turnkeyErrorCode: 'STATE_ROLLED_BACK' }] };
    await expect(seeing.signRawPayload(signing())).rejects.toMatchObject(lost);
    await expect(seeing.getWhoami()).rejects.toMatchObject(lost);
    expect((await client().signRawPayload(signing())).r).toHaveLength(64);
  });

  test.each<[string, typeof alter]>([
    ['another signature', (body) => ({ ...body, activity: withResult(body, { r: '00', s: '00', v: '00' }) })],
    [
      'another signature behind the true one',
      (body) => ({
        ...body,
        activity: {
          ...body.activity,
          result: { ...body.activity?.result, more: { r: '00', s: '00', v: '00' } },
        } as never,
      }),
    ],
    ['no receipt', ({ receipt: _, ...body }) => body as WireAnswer['body']],
    ['the receipt of another request', (body) => ({ ...body, receipt: answer.receipt })],
    ['another activity', (body) => ({ ...body, activity: { ...body.activity, id: 'other' } as never })],
    ['the answer to another request, with its receipt', () => answer],
  ])('%s: rejects, and says what is not proven', async (_, change) => {
    const error = { code: 'UNVERIFIED', message: expect.stringContaining('the answer is not proven') };
    await altered(change, () => expect(client().signRawPayload(signing())).rejects.toMatchObject(error));
    await altered(change, async () => {
      const stamped = await client().stamp.signRawPayload(signing());
      const verify = answerVerifier({ logKey });
      await expect(forward(stamped, { baseUrl: http.baseUrl, verify })).rejects.toMatchObject(error);
    });
  });

  test('another log: rejects', async () => {
    const other = answerVerifier({ logKey: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k' });
    await expect(client(other).signRawPayload(signing())).rejects.toMatchObject({ code: 'UNVERIFIED' });
  });

  const withResult = ({ activity }: WireAnswer['body'], result: object) =>
    ({ ...activity, result: { signRawPayloadResult: result } }) as NonNullable<WireAnswer['body']['activity']>;
});

describe('stamps of other kinds', () => {
  const request = createHash('sha256').update('body').digest();
  const vote = (kind: ClaimedVote['kind'], publicKey: Uint8Array): ClaimedVote => ({
    kind,
    credential: '',
    publicKey,
    selection: 'VOTE_SELECTION_APPROVED',
    at: 0,
  });

  test('Ed25519 API keys, and those of secp256k1 are left open', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const signature = signWith(null, Buffer.from('body'), privateKey);
    const stamp = { body: Buffer.from('body'), scheme: 'SIGNATURE_SCHEME_TK_API_ED25519', signature };
    expect((await verifyStamp(stamp, vote('apiKey', raw), request)).ok).toBe(true);
    expect((await verifyStamp({ ...stamp, signature: Buffer.alloc(64) }, vote('apiKey', raw), request)).ok).toBe(false);
    const scheme = 'SIGNATURE_SCHEME_TK_API_SECP256K1';
    expect((await verifyStamp({ ...stamp, scheme }, vote('apiKey', raw), request)).ok).toBeNull();
  });

  test.each([
    ['ed25519', () => generateKeyPairSync('ed25519'), null],
    ['rsa', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 'sha256'],
  ] as const)('passkeys of %s', async (kind, generate, algorithm) => {
    const { publicKey, privateKey } = generate();
    const { x = '', n = '', e = '' } = publicKey.export({ format: 'jwk' });
    const bytes = (text: string) => encode(Buffer.from(text, 'base64url'));
    // {1: kty, 3: alg, -1: crv or n, -2: x or e}
    const coseKey =
      kind === 'rsa'
        ? Buffer.concat([Buffer.from('a401030339010020', 'hex'), bytes(n), Buffer.of(0x21), bytes(e)])
        : Buffer.concat([Buffer.from('a40101032720062158', 'hex').subarray(0, 8), bytes(x)]);
    const challenge = Buffer.from(request.toString('hex')).toString('base64url');
    const clientDataJson = Buffer.from(
      JSON.stringify({ type: 'webauthn.get', challenge, origin: 'https://a.example' }),
    );
    const authenticatorData = Buffer.alloc(37);
    authenticatorData[32] = 5;
    const digest = createHash('sha256').update(clientDataJson).digest();
    const signature = signWith(algorithm, Buffer.concat([authenticatorData, digest]), privateKey);
    const stamp = { body: Buffer.from('body'), authenticatorData, clientDataJson, signature };
    const verdict = await verifyStamp(stamp, vote('passkey', coseKey), request);
    expect(verdict).toEqual({
      ok: true,
      words: expect.stringContaining('on https://a.example, the user present and verified'),
    });
    const wrong = Buffer.from(signature);
    wrong[9] = (wrong[9] as number) ^ 1;
    expect((await verifyStamp({ ...stamp, signature: wrong }, vote('passkey', coseKey), request)).ok).toBe(false);
  });
});
