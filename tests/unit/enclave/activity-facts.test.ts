/** What policies are told of an activity, as data: whoever asks with it offline gets the decision of the enclave. */
import { encodeFunctionData, erc20Abi, parseEther, serializeTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { decideFile } from '../../../src/policy/decide-file.ts';
import type { JsonObject, JsonValue } from '../../../src/protocol/json.ts';
import { generateApiKey, makeApiKeyStamp } from '../../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { createResident, type Resident } from '../../support/resident.ts';
import { type Caller, query, resultOf, submit, type WireAnswer } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
let owner: Resident;
beforeAll(async () => {
  enclave = await startEnclave();
});
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
});
afterAll(() => enclave.remove());

const usdc = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const data = encodeFunctionData({
  abi: erc20Abi,
  functionName: 'transfer',
  args: ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8', 2n ** 70n],
});
const unsigned = (value: string) =>
  serializeTransaction({ chainId: 1, type: 'eip1559', gas: 21_000n, to: usdc, value: parseEther(value), data }).slice(
    2,
  );
const transaction = () => ({
  signWith: owner.addresses[0],
  unsignedTransaction: unsigned('2'),
  type: 'TRANSACTION_TYPE_ETHEREUM',
});
const typedData = () => ({
  signWith: owner.addresses[0],
  payload: JSON.stringify({
    domain: { name: 'USD Coin', version: '2', chainId: 1, verifyingContract: usdc },
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
      Permit: [
        { name: 'owner', type: 'address' },
        { name: 'spender', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
      ],
    },
    primaryType: 'Permit',
    message: { owner: usdc, spender: usdc, value: String(2n ** 80n), nonce: 0, deadline: 1_900_000_000 },
  }),
  encoding: 'PAYLOAD_ENCODING_EIP712',
  hashFunction: 'HASH_FUNCTION_NO_OP',
});
const texts = () => ({
  signWith: owner.addresses[0],
  payloads: ['one', 'two'],
  encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
  hashFunction: 'HASH_FUNCTION_KECCAK256',
});

async function signed(name: string, type: string, parameters: object): Promise<string> {
  const answer = await submit(enclave.wire, owner.byApiKey, name, type, parameters);
  resultOf(answer);
  return answer.body.activity?.id as string;
}

const ask = (activityId: string, caller: Caller = owner.byApiKey): Promise<WireAnswer> =>
  query(enclave.wire, caller, 'get_activity_facts', { activityId });

async function casesOf(activityId: string): Promise<JsonObject[]> {
  const { status, body } = await ask(activityId);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.cases as JsonObject[];
}

const holds = (given: JsonObject, condition: string, language: 'cel' | 'turnkey' = 'cel') => {
  const policies: JsonValue[] = [{ effect: 'EFFECT_GUARD', language, condition }];
  const [result] = decideFile({ cases: [{ ...given, id: 'x', policies }] });
  expect(result?.ignored).toBeUndefined();
  expect(result?.error).toBeUndefined();
  expect(result?.outcome, JSON.stringify(result?.policyOutcomes)).not.toBe('rejected-at-creation');
  return result?.outcome === 'deny' && result.policyOutcomes.every((each) => !Object.hasOwn(each as object, 'error'));
};

test.each([
  [
    'sign_transaction',
    'SIGN_TRANSACTION_V2',
    transaction,
    [
      'eth.tx.value == 2 ether && eth.tx.calls_complete && eth.tx.calls[0].args["amount"] == 1180591620717411303424',
      `eth.tx.to == '${usdc}' && eth.tx.transfers.exists(t, t.standard.startsWith('ERC-20'))`,
      "activity.kind == 'SIGN_TRANSACTION' && activity.resource == 'PRIVATE_KEY' && now == timestamp(string(now))",
    ],
  ],
  [
    'sign_raw_payload',
    'SIGN_RAW_PAYLOAD_V2',
    typedData,
    [
      "eth.eip_712.primary_type == 'Permit' && eth.eip_712.domain.chain_id == 1",
      "eth.eip_712.known.kind == 'permit' && has(eth.eip_712.known.amount) && eth.eip_712.known.amount == 1208925819614629174706176",
      `eth.eip_712.values['spender'] == '${usdc}' && !payload.blind`,
    ],
  ],
])('facts of %s read back as they were', async (name, type, parameters, conditions) => {
  const [only, ...more] = await casesOf(await signed(name, type, parameters()));
  expect(more).toEqual([]);
  for (const condition of conditions) expect(holds(only as JsonObject, condition), condition).toBe(true);
  expect(holds(only as JsonObject, "activity.action == 'DELETE'")).toBe(false);
});

test('one case for each thing that is signed', async () => {
  const cases = await casesOf(await signed('sign_raw_payloads', 'SIGN_RAW_PAYLOADS', texts()));
  expect(cases.map((each) => holds(each, "has(payload.text) && payload.text == 'two'"))).toEqual([false, true]);
});

test('with policies in place decides as the enclave did, by the voters and the root quorum too', async () => {
  const policies = [
    { policyName: 'small', effect: 'EFFECT_ALLOW', condition: 'eth.tx.value < 1', notes: '' },
    { policyName: 'guard', effect: 'EFFECT_GUARD', condition: 'eth.tx.gas > 30000', notes: '' },
  ];
  for (const policy of policies) {
    resultOf(await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', policy));
  }
  const activityId = await signed('sign_transaction', 'SIGN_TRANSACTION_V2', transaction());
  const [given] = await casesOf(activityId);
  const [result] = decideFile({ cases: [{ ...given, id: 'x', policies }] });
  expect(result).toMatchObject({ outcome: 'allow', decidedBy: 'root-quorum' });
  const { body } = await query(enclave.wire, owner.byApiKey, 'explain_activity', { activityId });
  const explained = body.explanation as { outcome: string; policies: { outcome: string }[] };
  expect(explained.outcome).toBe('OUTCOME_ALLOW');
  expect(result?.policyOutcomes.map((each) => (each as JsonObject).outcome)).toEqual(
    explained.policies.map(({ outcome }) => outcome),
  );
});

test('facts that sum the past come along', async () => {
  const condition = "spent('eip155:1', '24h') + spending('eip155:1') > 3 ether";
  const policy = { policyName: 'limit', effect: 'EFFECT_GUARD', language: 'cel', condition, notes: '' };
  resultOf(await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', policy));
  await signed('sign_transaction', 'SIGN_TRANSACTION_V2', { ...transaction(), unsignedTransaction: unsigned('1') });
  const [given] = await casesOf(await signed('sign_transaction', 'SIGN_TRANSACTION_V2', transaction()));
  const history = {
    "spent('eip155:1', '24h')": { $int: String(parseEther('1')) },
    "spending('eip155:1')": { $int: String(parseEther('2')) },
  };
  expect(given?.facts).toMatchObject({ history });
  expect(holds(given as JsonObject, "spent('eip155:1', '24h') == 1 ether && spending('eip155:1') == 2 ether")).toBe(
    true,
  );
});

test('nobody is told of the activity of another organization', async () => {
  const activityId = await signed('sign_transaction', 'SIGN_TRANSACTION_V2', transaction());
  const other = await createResident(enclave.wire, enclave.parent, 'other');
  expect((await ask(activityId, other.byApiKey)).status).toBe(404);
  expect((await ask(activityId, { ...other.byApiKey, organizationId: owner.organizationId })).status).toBe(401);
  const key = generateApiKey();
  const stranger = {
    organizationId: owner.organizationId,
    stamp: (body: string | Uint8Array) => makeApiKeyStamp(body, key),
  };
  expect((await ask(activityId, stranger)).status).toBe(401);
  expect((await ask('not an id')).status).toBe(400);
});
