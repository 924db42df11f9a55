/** The owner of an address that runs Simple7702Account, on an enclave in memory: operations of it, and who asks for them. */
import { randomBytes } from 'node:crypto';
import { encodeFunctionData, type Hex, parseAbi, toHex } from 'viem';
import { entryPoint08Address } from 'viem/account-abstraction';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type EnclaveInMemory, startEnclave } from './enclave-in-memory.ts';
import { createResident, type Resident } from './resident.ts';
import { type Caller, resultOf, submit } from './wire.ts';

export let enclave: EnclaveInMemory;
/** Another one for each test. */
export let owner: Resident;
/** The owner's first address. */
export let sender: Hex;

/** Starts the enclave of a test file, and makes the owner of each test. */
export function useSmartAccount(): void {
  beforeAll(async () => {
    enclave = await startEnclave();
  });
  afterAll(() => enclave.remove());
  beforeEach(async () => {
    owner = await createResident(enclave.wire, enclave.parent, randomBytes(4).toString('hex'));
    sender = owner.addresses[0] as Hex;
  });
}

export const simple7702 = '0xe6Cae83BdE06E4c305530e199D7217f42808555B';
export const [nft, thief, sponsor] = ['22', '66', '33'].map((byte) => `0x${byte.repeat(20)}`) as [Hex, Hex, Hex];
const abi = parseAbi([
  'struct Call { address target; uint256 value; bytes data; }',
  'function execute(address target, uint256 value, bytes data)',
  'function executeBatch(Call[] calls)',
]);
export const execute = (target: Hex, value = 0n, data: Hex = '0x1249c58b') =>
  encodeFunctionData({ abi, functionName: 'execute', args: [target, value, data] });
export const batch = (...calls: { target: Hex; value: bigint; data: Hex }[]) =>
  encodeFunctionData({ abi, functionName: 'executeBatch', args: [calls] });

export const gas = {
  callGasLimit: '0x186a0',
  verificationGasLimit: '0x30d40',
  preVerificationGas: '0xc350',
  maxFeePerGas: '0x77359400',
  maxPriorityFeePerGas: '0x3b9aca00',
};
export const operation = (callData: Hex, more: object = {}) => ({
  sender,
  nonce: toHex(randomBytes(4)),
  factory: '0x7702',
  callData,
  ...gas,
  ...more,
});
/** Parameters of `sign_user_operation`; `more` is of the operation. */
export const asked = (callData: Hex, more: object = {}, parameters: object = {}) => ({
  signWith: sender,
  chainId: '1',
  entryPoint: entryPoint08Address,
  delegate: simple7702,
  userOperation: operation(callData, more),
  ...parameters,
});
export const ask = (parameters: object, caller: Caller = owner.byPasskey) =>
  submit(enclave.wire, caller, 'sign_user_operation', 'SIGN_USER_OPERATION', parameters);
export const statusOf = async (parameters: object, caller?: Caller) => (await ask(parameters, caller)).status;

export async function policy(effect: string, condition: string, more: object = {}): Promise<void> {
  resultOf(
    await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
      policyName: randomBytes(8).toString('hex'),
      effect,
      condition,
      notes: '',
      language: 'cel',
      ...more,
    }),
  );
}
