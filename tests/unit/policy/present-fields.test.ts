import { encodeFunctionData, erc20Abi, type Hex, serializeTransaction } from 'viem';
import { expect, test } from 'vitest';
import { parseContractInterface } from '../../../src/decode/facts/contract-interface.ts';
import { signingFacts } from '../../../src/decode/facts/signing-facts.ts';
import { compileText } from '../../../src/policy/compile-text.ts';
import { conditionSchema } from '../../../src/policy/schema/condition.ts';
import { evaluateWithTrace } from '../../../src/policy/trace.ts';
import type { Facts } from '../../../src/policy/values.ts';

const token = `0x${'a'.repeat(40)}` as const;
const uploaded = parseContractInterface(JSON.stringify(erc20Abi));

/** Of a transaction to the token, whose interface is known. */
function factsOf(data: Hex): Facts {
  const transaction = { chainId: 1, nonce: 0, gas: 1n, to: token, data, maxFeePerGas: 1n } as const;
  const parameters = { type: 'TRANSACTION_TYPE_ETHEREUM', unsignedTransaction: serializeTransaction(transaction) };
  const signer = { address: `0x${'1'.repeat(40)}`, interfaceOf: () => uploaded };
  return signingFacts('sign_transaction', parameters, signer)[0] as Facts;
}

const call = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [token, 1n] });

test.each([
  ['has(eth.tx.to)', true, true],
  ['has(eth.tx.function_name)', true, true],
  ['has(eth.tx.calls)', true, true],
  ['has(eth.tx.contract_call_args)', true, false],
  ['has(eth.tx.contract_call_args) && eth.tx.contract_call_args["amount"] == 1', true, false],
])('%s sees fields that are worked out only when they are read', (source, ofCall, ofStranger) => {
  const { program, checked } = compileText(source, {
    language: 'cel',
    schema: conditionSchema,
    expected: { kind: 'bool' },
  });
  for (const [data, expected] of [
    [call, ofCall],
    ['0x12345678', ofStranger],
  ] as const) {
    const facts = factsOf(data);
    expect([program(facts), program(facts)]).toEqual([expected, expected]);
    expect(evaluateWithTrace(checked, factsOf(data)).value).toBe(expected);
  }
});
