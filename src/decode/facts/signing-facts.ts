import { decodeTransaction } from '../transaction.ts';
import type { SmartAccount } from '../user-operation/account-kinds.ts';
import { type UserOperationFacts, userOperationFacts } from '../user-operation/facts.ts';
import type { UserOperation } from '../user-operation/user-operation.ts';
import { type AuthorizationFacts, authorizationFacts } from './authorization-facts.ts';
import {
  type PayloadFacts,
  type RawPayload,
  rawPayloadFacts,
  type Signer,
  signedAuthorizationFacts,
  structuredPayloadFacts,
} from './payload-facts.ts';
import { type TransactionFacts, transactionFacts } from './transaction-facts.ts';
import { type TypedDataFacts, typedDataFacts } from './typed-data-facts.ts';
import { struct } from './value.ts';

/** The roots of policies that say what is signed; absent are those that what is signed does not have. */
export type SigningFacts = {
  readonly eth?: {
    readonly tx: TransactionFacts | undefined;
    readonly eip_712: TypedDataFacts | undefined;
    readonly eip_7702_authorization: AuthorizationFacts | undefined;
  };
  readonly payload?: PayloadFacts;
  readonly userop?: UserOperationFacts;
};

type Form = Omit<RawPayload, 'payload'>;

/** By the name of the activity; whatever else is signed as it comes gets its entry here. */
const decoders = {
  sign_transaction: (given: { readonly type: string; readonly unsignedTransaction: string }, signer: Signer) => {
    const transaction = decodeTransaction(given.type, given.unsignedTransaction);
    return [{ eth: ethereum({ tx: transactionFacts(transaction, signer.address, signer.interfaceOf) }) }];
  },
  sign_raw_payload: (given: RawPayload, signer: Signer) => [payloadFacts(given, signer)],
  sign_raw_payloads: ({ payloads, ...form }: Form & { readonly payloads: readonly string[] }, signer: Signer) =>
    payloads.map((payload) => payloadFacts({ payload, ...form }, signer)),
} satisfies Record<string, (parameters: never, signer: Signer) => SigningFacts[]>;

export type SigningActivity = keyof typeof decoders;

/** Whether the activity of this name (`sign_transaction`) signs, so that `signingFacts` knows it. */
export const isSigningActivity = (name: string): name is SigningActivity => Object.hasOwn(decoders, name);

/**
 * The facts of all that an activity signs, decoded from the very bytes that are signed: one entry for each, and a policy has
 * to hold for every one. `parameters` are the activity's, parsed. What is costly is decoded when it is first read. Throws, for what
 * could not be signed either, the error for the caller that signing it would throw.
 */
export function signingFacts<Name extends SigningActivity>(
  name: Name,
  parameters: Parameters<(typeof decoders)[Name]>[0],
  signer: Signer,
): readonly SigningFacts[] {
  const decode = decoders[name] as (parameters: unknown, signer: Signer) => readonly SigningFacts[];
  return decode(parameters, signer);
}

/**
 * The facts of a user operation, and of the authorization that is signed with it, as {@link signingFacts}. `account` is what
 * is sealed about its sender.
 */
export function operationFacts(
  operation: UserOperation,
  account: SmartAccount,
  { address, interfaceOf }: Signer,
): readonly SigningFacts[] {
  const { authorization } = operation;
  const userop = userOperationFacts(operation, account, address, interfaceOf);
  if (authorization === null) return [{ userop }];
  const signed = authorizationFacts({ ...authorization, address: authorization.address });
  return [{ userop }, { userop, eth: ethereum({ eip_7702_authorization: signed }) }];
}

function payloadFacts(given: RawPayload, signer: Signer): SigningFacts {
  switch (given.encoding) {
    case 'PAYLOAD_ENCODING_EIP712': {
      const typedData = typedDataFacts(given.payload, signer.address, signer.interfaceOf);
      return { eth: ethereum({ eip_712: typedData }), payload: structuredPayloadFacts('typed_data', given, signer) };
    }
    case 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION': {
      const authorization = signedAuthorizationFacts(given.payload);
      return {
        eth: ethereum({ eip_7702_authorization: authorization }),
        payload: structuredPayloadFacts('authorization', given, signer),
      };
    }
    default:
      return { payload: rawPayloadFacts(given, signer) };
  }
}

type EthereumFacts = NonNullable<SigningFacts['eth']>;

const ethereum = (namespaces: Partial<EthereumFacts>): EthereumFacts =>
  struct({ tx: undefined, eip_712: undefined, eip_7702_authorization: undefined, ...namespaces });
