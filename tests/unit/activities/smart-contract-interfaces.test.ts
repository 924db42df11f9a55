import { beforeEach, describe, expect, test } from 'vitest';
import { createWorld, now, type World } from '../../support/effect-context.ts';

const absent = '00000000-0000-4000-8000-000000000000';
const usdc = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const jupiter = 'JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4';
const transfer = {
  type: 'function',
  name: 'transfer',
  inputs: [
    { name: 'to', type: 'address' },
    { name: '', type: 'uint256' },
  ],
  outputs: [{ name: '', type: 'bool' }],
};
const abi = JSON.stringify([transfer], null, 2);
const idl = JSON.stringify({ instructions: [], types: [] });

let world: World;
let id: string;
beforeEach(() => {
  world = createWorld();
  id = world.parent.id;
});

const ethereum = (more = {}) => ({
  smartContractAddress: usdc,
  smartContractInterface: abi,
  type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM',
  label: 'USDC',
  ...more,
});
const solana = (more = {}) => ({
  smartContractAddress: jupiter,
  smartContractInterface: idl,
  type: 'SMART_CONTRACT_INTERFACE_TYPE_SOLANA',
  label: 'Jupiter',
  ...more,
});
const addressOf = (index: number): string => `0x${String(index).padStart(40, '0')}`;
const create = (parameters: object): Promise<{ smartContractInterfaceId: string }> =>
  world.run(id, 'CREATE_SMART_CONTRACT_INTERFACE', parameters);
const stored = (interfaceId: string) => world.organization(id).interfaces.get(interfaceId);

describe('create_smart_contract_interface', () => {
  test('keeps the JSON as it came, and an Ethereum address in lower case', async () => {
    const result = await create(ethereum({ notes: 'Circle' }));
    const { smartContractInterfaceId } = result;
    expect(result).toEqual({ smartContractInterfaceId });
    expect(stored(smartContractInterfaceId)).toEqual({
      id: smartContractInterfaceId,
      address: usdc.toLowerCase(),
      type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM',
      json: abi,
      label: 'USDC',
      notes: 'Circle',
      createdAt: now,
      updatedAt: now,
    });
  });

  test('keeps a Solana program id exactly, and no notes are empty ones', async () => {
    const { smartContractInterfaceId } = await create(solana());
    expect(stored(smartContractInterfaceId)).toMatchObject({ address: jupiter, json: idl, notes: '' });
  });

  test.each<[string, string, string]>([
    ['no JSON', 'abi', 'not the JSON expected'],
    ['an object', '{"abi":[]}', 'expected a JSON array'],
    ['a parameter without a name', JSON.stringify([{ ...transfer, inputs: [{ type: 'address' }] }]), 'expected a name'],
    ['more than 400,000 characters', `${' '.repeat(399_999)}[]`, 'expected at most 400000 characters'],
  ])('refuses an ABI that is %s', async (_, smartContractInterface, description) => {
    await expect(create(ethereum({ smartContractInterface }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'provided ABI is invalid',
      facts: {
        fields: [{ field: 'parameters.smartContractInterface', description: expect.stringContaining(description) }],
      },
    });
  });

  test('takes an ABI of 400,000 characters', async () => {
    await expect(create(ethereum({ smartContractInterface: `[]${' '.repeat(399_998)}` }))).resolves.toBeDefined();
  });

  test.each<[string, string, string]>([
    ['no JSON', 'idl', 'not the JSON expected'],
    ['a list', '[]', 'expected a JSON object'],
    ['without types', '{"instructions":[]}', 'expected the list `types`'],
    ['without instructions', '{"instructions":{},"types":[]}', 'expected the list `instructions`'],
    ['more than 400,000 characters', idl + ' '.repeat(400_000), 'expected at most 400000 characters'],
  ])('refuses an IDL that is %s', async (_, smartContractInterface, description) => {
    await expect(create(solana({ smartContractInterface }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'provided IDL is invalid',
      facts: {
        fields: [{ field: 'parameters.smartContractInterface', description: expect.stringContaining(description) }],
      },
    });
  });

  test.each([
    ['no address', ethereum({ smartContractAddress: '' })],
    ['an address without 0x', ethereum({ smartContractAddress: usdc.slice(2) })],
    ['capitals that EIP-55 does not have', ethereum({ smartContractAddress: usdc.replace('A', 'a') })],
    ['a program id as the address of a contract', ethereum({ smartContractAddress: jupiter })],
    ['an address as the id of a program', solana({ smartContractAddress: usdc })],
    ['a program id of 31 bytes', solana({ smartContractAddress: '1'.repeat(31) })],
    ['a program id of 33 bytes', solana({ smartContractAddress: '1'.repeat(33) })],
  ])('refuses %s', async (_, parameters) => {
    await expect(create(parameters)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      facts: { fields: [{ field: 'parameters.smartContractAddress' }] },
    });
  });

  test('refuses a type that is not there, and no label', async () => {
    await expect(create(ethereum({ type: 'SMART_CONTRACT_INTERFACE_TYPE_TRON' }))).rejects.toMatchObject({
      facts: { fields: [{ field: 'parameters.type' }] },
    });
    await expect(create(ethereum({ label: '' }))).rejects.toMatchObject({
      facts: { fields: [{ field: 'parameters.label' }] },
    });
  });

  test('one interface for an address, however it is written', async () => {
    const { smartContractInterfaceId } = await create(ethereum());
    const again = ethereum({ smartContractAddress: usdc.toLowerCase(), label: 'other' });
    await expect(create(again)).rejects.toMatchObject({
      message: 'smart contract interface address must be unique',
      facts: { fields: [{ field: 'parameters.smartContractAddress' }] },
    });
    await world.run(id, 'DELETE_SMART_CONTRACT_INTERFACE', { smartContractInterfaceId });
    await expect(create(again)).resolves.toBeDefined();
  });

  test('at most 50 of them', async () => {
    for (let index = 0; index < 50; index++) await create(ethereum({ smartContractAddress: addressOf(index) }));
    await expect(create(ethereum())).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('at most 50 smart contract interfaces'),
    });
  });

  test('at most 4 MB of JSON in all, as UTF-8', async () => {
    const large = (bytes: number) => `[{"type":"event","name":"€","inputs":[]}]`.padEnd(bytes - 2);
    for (let index = 0; index < 9; index++) {
      await create(ethereum({ smartContractAddress: addressOf(index), smartContractInterface: large(400_000) }));
    }
    const left = (bytes: number) => create(ethereum({ smartContractInterface: large(bytes) }));
    // The last of them is as long as may be, and two bytes longer than it has characters.
    await expect(left(400_001)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('at most 4000000 bytes of smart contract interfaces'),
      facts: { reason: 'QUOTA_EXCEEDED', fields: [{ field: 'parameters.smartContractInterface' }] },
    });
    await expect(left(400_000)).resolves.toBeDefined();
  });
});

test('delete_smart_contract_interface takes away one that is there', async () => {
  const kept = await create(solana());
  const { smartContractInterfaceId } = await create(ethereum());
  const parameters = { smartContractInterfaceId };
  expect(await world.run(id, 'DELETE_SMART_CONTRACT_INTERFACE', parameters)).toEqual(parameters);
  expect([...world.organization(id).interfaces.keys()]).toEqual([kept.smartContractInterfaceId]);
  for (const gone of [smartContractInterfaceId, absent]) {
    await expect(
      world.run(id, 'DELETE_SMART_CONTRACT_INTERFACE', { smartContractInterfaceId: gone }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
      facts: { fields: [{ field: 'parameters.smartContractInterfaceId' }] },
    });
  }
});
