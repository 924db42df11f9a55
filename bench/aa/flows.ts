/** One mint after the other on a chain: signed by the service after a touch, or by the passkey itself for an account of its own. */
import { readFileSync } from 'node:fs';
import { type Address, encodeFunctionData, type Hex } from 'viem';
import { entryPoint08Address, getUserOperationHash, type UserOperation } from 'viem/account-abstraction';
import { deploy } from '../../examples/passkey-mint/chain/chain.ts';
import { compileContracts } from '../../examples/passkey-mint/chain/compile.ts';
import { readOperation } from '../../examples/passkey-mint/chain/read-operation.ts';
import type { SoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import type { Account } from '../support/load.ts';
import { submit } from '../support/submit.ts';
import { include, limits, maxCost, mintCall, paymasterData, type Stage, toJson } from './operations.ts';
import { createPasskey } from './passkey.ts';

/** Gas and time of each mint, in their order; the first also makes the account what it is. */
export type Flow = readonly { readonly gas: number; readonly ms: number }[];

type User = { readonly account: Account; readonly passkey: SoftwareAuthenticator };

/** The user stamps call and limits, the app fills in gas and sponsor, the enclave signs, the app has it included. */
export function mintByService(stage: Stage, port: number, { account, passkey }: User, count: number): Promise<Flow> {
  const sender = account.address as Address;
  return repeat(count, async (nonce) => {
    const first = nonce === 0n && {
      eip7702Auth: { chainId: '0x7a69', address: stage.delegate, nonce: '0x0' },
    };
    const parameters = {
      signWith: sender,
      chainId: '31337',
      entryPoint: stage.entryPoint,
      delegate: stage.delegate,
      userOperation: {
        ...toJson({ sender, nonce, factory: '0x7702', callData: mintCall(stage, sender).callData }),
        ...first,
      },
      limits: {
        maxCost: String(maxCost),
        validUntil: String(Math.floor(Date.now() / 1000) + 600),
        paymasters: [stage.sponsor],
      },
    };
    const sponsorship = { paymaster: stage.sponsor, paymasterData: await paymasterData(stage, sender, nonce) };
    const completion = Buffer.from(JSON.stringify(toJson({ ...limits, ...sponsorship }))).toString('base64url');
    const type = 'ACTIVITY_TYPE_SIGN_USER_OPERATION_INTENT';
    const asked = { type, organizationId: account.organizationId, parameters };
    const headers = { 'x-countersign-completion': completion };
    const { userOperation } = await submit(port, passkey, 'sign_user_operation_intent', asked, headers);
    return include(stage, readOperation(userOperation as Record<string, unknown>));
  });
}

/** The factory of accounts that verify a passkey on chain. */
export function compileFactory() {
  const source = readFileSync(new URL('PasskeyAccount.sol', import.meta.url), 'utf8');
  const { PasskeyAccountFactory } = compileContracts({ PasskeyAccount: source });
  if (!PasskeyAccountFactory) throw new Error('PasskeyAccount.sol has no factory');
  return PasskeyAccountFactory;
}

/** The account verifies the passkey's signature on chain; nobody else signs. */
export async function mintByPasskey(
  stage: Stage,
  compiled: ReturnType<typeof compileFactory>,
  count: number,
): Promise<Flow> {
  const { chain, entryPoint } = stage;
  const { abi } = compiled;
  const factory = await deploy(chain, compiled, [entryPoint]);
  const passkey = createPasskey();
  const args = [passkey.x, passkey.y];
  const sender = (await chain.client.readContract({ address: factory, abi, functionName: 'addressOf', args })) as Hex;
  const deployment = { factory, factoryData: encodeFunctionData({ abi, functionName: 'createAccount', args }) };
  return repeat(count, async (nonce) => {
    const operation = {
      sender,
      nonce,
      ...(nonce === 0n && deployment),
      callData: mintCall(stage, sender).callData,
      ...limits,
      paymaster: stage.sponsor,
      paymasterData: await paymasterData(stage, sender, nonce),
      signature: '0x',
    } as UserOperation<'0.8'>;
    const hash = getUserOperationHash({
      chainId: 31_337,
      entryPointAddress: entryPoint08Address,
      entryPointVersion: '0.8',
      userOperation: operation,
    });
    return include(stage, { operation: { ...operation, signature: passkey.signHash(hash) } });
  });
}

/** `mint` for the nonces from 0 on; it returns the gas. */
async function repeat(count: number, mint: (nonce: bigint) => Promise<bigint>): Promise<Flow> {
  const flow: { gas: number; ms: number }[] = [];
  for (let nonce = 0n; nonce < count; nonce++) {
    const startedAt = performance.now();
    const gas = Number(await mint(nonce));
    flow.push({ gas, ms: performance.now() - startedAt });
  }
  return flow;
}
