import { erc20Abi, toFunctionSelector } from 'viem';
import { describe, expect, it } from 'vitest';
import { parseContractInterface } from '../../../../src/decode/facts/contract-interface.ts';
import { thrownBy } from '../thrown-by.ts';

const parse = (abi: unknown) => parseContractInterface(JSON.stringify(abi));
const transfer = {
  type: 'function',
  name: 'transfer',
  inputs: [
    { name: 'to', type: 'address' },
    { name: 'amount', type: 'uint256' },
  ],
  outputs: [{ name: '', type: 'bool' }],
};

describe('parseContractInterface', () => {
  it('has every function of an ABI by its selector', () => {
    const functions = parse(erc20Abi);
    const expected = erc20Abi.filter((entry) => entry.type === 'function');
    expect([...functions.keys()].sort()).toEqual(expected.map((entry) => toFunctionSelector(entry)).sort());
    expect(functions.get('0xa9059cbb')).toMatchObject({ name: 'transfer', signature: 'transfer(address,uint256)' });
  });

  it('names parameters without a name by their position', () => {
    const unnamed = {
      type: 'function',
      name: 'f',
      inputs: [
        { name: '', type: 'uint8' },
        { name: '', type: 'bool' },
      ],
    };
    expect([...parse([unnamed]).values()][0]?.inputs.map(({ name }) => name)).toEqual(['0', '1']);
  });

  it('takes an entry twice when it is the same, as merged ABIs of proxies have it', () => {
    expect(parse([transfer, transfer]).size).toBe(1);
  });

  it.each([
    ['no JSON', 'nothing', /not the JSON/],
    ['duplicate names', '[{"type":"function","type":"event"}]', /given twice/],
    ['an object', '{"abi":[]}', /JSON array/],
    ['a parameter without a name', JSON.stringify([{ ...transfer, inputs: [{ type: 'uint8' }] }]), /name for every/],
    [
      'a member of a tuple without a name',
      JSON.stringify([
        { type: 'event', name: 'E', inputs: [{ name: 'a', type: 'tuple', components: [{ type: 'bool' }] }] },
      ]),
      /name for every/,
    ],
    [
      'two parameters of one name',
      JSON.stringify([{ ...transfer, inputs: [transfer.inputs[0], transfer.inputs[0]] }]),
      /given twice/,
    ],
    [
      'a function twice with other names',
      JSON.stringify([
        transfer,
        { ...transfer, inputs: transfer.inputs.map((input) => ({ ...input, name: `${input.name}_` })) },
      ]),
      /other names/,
    ],
    [
      'two functions with one selector',
      JSON.stringify([
        { ...transfer, name: 'transfer' },
        { ...transfer, name: 'many_msg_babbage', inputs: [{ name: 'a', type: 'bytes1' }] },
      ]),
      /one selector/,
    ],
    ['an unknown type', JSON.stringify([{ ...transfer, inputs: [{ name: 'a', type: 'uint9' }] }]), /unknown type/],
    ['no name', JSON.stringify([{ ...transfer, name: 'a(b' }]), /name of a function/],
    ['an entry that is no object', '[1]', /an object/],
    ['400,001 characters', `[${' '.repeat(399_999)}]`, /400000 characters/],
  ])('refuses %s', (_, text, description) => {
    const error = thrownBy(() => parseContractInterface(text));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'provided ABI is invalid' });
    expect(error.facts.fields?.[0]).toMatchObject({ field: 'parameters.smartContractInterface' });
    expect(error.facts.fields?.[0]?.description).toMatch(description);
  });

  it('reads the largest ABI in a moment', () => {
    const entries = Array.from({ length: 2_000 }, (_, index) => ({ ...transfer, name: `f${index}` }));
    const text = JSON.stringify(entries).slice(0, 400_000);
    const whole = `${text.slice(0, text.lastIndexOf(',{"type"'))}]`;
    const started = performance.now();
    expect(parseContractInterface(whole).size).toBeGreaterThan(1_500);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
