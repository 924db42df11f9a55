import type { Chain, Client, Hex, Transport } from 'viem';
import { prepareUserOperation, type SmartAccount } from 'viem/account-abstraction';
import { completable } from '../../../src/protocol/completable.ts';
import type { ForwardOptions } from '../forward.ts';
import { malformed, readBody, readStamped } from '../read-stamped.ts';
import type { Stamped } from '../send.ts';

type Completion = NonNullable<ForwardOptions['completion']>;

/** In whose place estimates put a signature, as viem's accounts have it. */
const standIn = {
  r: '0xfffffffffffffffffffffffffffffff000000000000000000000000000000000',
  s: '0x7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
} as const;

/**
 * In a backend: gas, fees and sponsor of an intent that a user stamped (`prepareIntent`), for `forward`. `bundler` is a client of
 * viem's with the chain's `client`, and with a `paymaster` (ERC-7677) where the operation is to be sponsored. What comes out
 * above the stamped limits the service refuses.
 *
 * ```ts
 * const completion = await completeIntent({ stamped, bundler });
 * const { userOperation } = await forward(stamped, { baseUrl, method: 'signUserOperationIntent', completion });
 * ```
 */
export async function completeIntent(options: {
  readonly stamped: Stamped;
  readonly bundler: Client<Transport, Chain | undefined, SmartAccount | undefined>;
  /** For the estimate, of accounts whose signatures are not 65 bytes. */
  readonly stubSignature?: Hex;
}): Promise<Completion> {
  const { stamped, bundler, stubSignature = `${standIn.r}${standIn.s.slice(2)}1c` } = options;
  const { entryPoint, operation } = readIntent(stamped);
  // All that viem asks an account for is in the operation already.
  const account = {
    address: operation.sender,
    entryPoint: { address: entryPoint, version: operation.initCode === undefined ? '0.7' : '0.6' },
    getFactoryArgs: async () => ({}),
    type: 'smart',
  } as unknown as SmartAccount;
  const prepared: object = await prepareUserOperation(bundler, {
    ...operation,
    account,
    signature: stubSignature,
    parameters: ['fees', 'gas', 'paymaster'],
  } as never);
  return Object.fromEntries(Object.entries(prepared).filter(([name]) => completable.has(name))) as Completion;
}

/** What viem is to prepare, and nothing else: the sender chooses no sponsor, no context of it and no state. */
function readIntent(stamped: Stamped) {
  const { parameters } = readBody(readStamped(stamped, 'signUserOperationIntent').body);
  const { entryPoint, userOperation } = { ...(parameters as Record<string, unknown>) };
  const given = { ...(userOperation as Record<string, unknown>) };
  const { eip7702Auth } = given;
  const optional = Object.fromEntries(
    ['factory', 'factoryData', 'initCode'].flatMap((name) =>
      given[name] === undefined ? [] : [[name, hexOf(given[name])]],
    ),
  ) as { initCode?: Hex };
  return {
    entryPoint: hexOf(entryPoint),
    operation: {
      sender: hexOf(given.sender),
      nonce: numberOf(given.nonce),
      callData: hexOf(given.callData),
      ...optional,
      ...(eip7702Auth !== undefined && { authorization: readAuthorization({ ...(eip7702Auth as object) }) }),
    },
  };
}

const readAuthorization = ({ address, chainId, nonce }: Readonly<Record<string, unknown>>) => ({
  address: hexOf(address),
  chainId: Number(numberOf(chainId)),
  nonce: Number(numberOf(nonce)),
  yParity: 1,
  ...standIn,
});

function hexOf(value: unknown): Hex {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]*$/.test(value)) return value as Hex;
  throw malformed('the operation of an intent, in hex');
}

const numberOf = (value: unknown): bigint => BigInt(hexOf(value === '0x' ? undefined : value));
