import {
  type Address,
  type CustomSource,
  getTypesForEIP712Domain,
  type Hex,
  type LocalAccount,
  parseTransaction,
  type SignableMessage,
  type Signature,
  serializeSignature,
  serializeTransaction,
  serializeTypedData,
  type TransactionSerializable,
  type TypedDataDefinition,
  toPrefixedMessage,
} from 'viem';
import { formatUserOperationRequest, type UserOperation } from 'viem/account-abstraction';
import { toAccount as toViemAccount } from 'viem/accounts';
import type { Client } from '../client.ts';

export type UserOperationRequest = {
  readonly chainId: number;
  readonly entryPoint: Address;
  /** As `prepareUserOperation` gives it; its signature is not read. */
  readonly userOperation: UserOperation;
  /** The code that the account runs by EIP-7702, where the operation brings no authorization along. */
  readonly delegate?: Address | undefined;
  /** Unix seconds between which the signature holds; of a Safe's operation. */
  readonly validAfter?: number | undefined;
  readonly validUntil?: number | undefined;
};

/** `userOperation` is as bundlers take it (`eth_sendUserOperation`), with all signatures. */
export type SignedUserOperation = Omit<
  Awaited<ReturnType<Client['signUserOperation']>>,
  'activity' | 'signature' | 'userOpHash'
> & { readonly signature: Hex; readonly userOpHash: Hex };

/** An account of viem's whose key is in the service. */
export type CountersignAccount = LocalAccount<'custom'> & {
  readonly sign: NonNullable<CustomSource['sign']>;
  readonly signAuthorization: NonNullable<CustomSource['signAuthorization']>;
  /**
   * Has the service read, check and hash the user operation; no hash of the caller's is signed. It is not called
   * `signUserOperation`, for viem's clients take an account that has one for a smart account.
   */
  readonly signOperation: (request: UserOperationRequest) => Promise<SignedUserOperation>;
};

/**
 * The viem account of a key at `address`. Policies see what is signed: the message, the transaction, the typed data; `sign`
 * alone is of a bare hash, which they may well refuse. Each signature is one stamp of `client`. Rejects with
 * `CountersignClientError`.
 */
export function toAccount({ client, address }: { client: Client; address: Address }): CountersignAccount {
  const signRaw = async (encoding: Encoding, payload: string, hashFunction: HashFunction = 'HASH_FUNCTION_NO_OP') => {
    const { r, s, v } = await client.signRawPayload({ signWith: address, payload, encoding, hashFunction });
    return { r: `0x${r}`, s: `0x${s}`, v: v === '00' ? 27n : 28n, yParity: v === '00' ? 0 : 1 } satisfies Signature;
  };
  const account = toViemAccount({
    address,

    async sign({ hash }) {
      return serializeSignature(await signRaw('PAYLOAD_ENCODING_HEXADECIMAL', digits(hash)));
    },

    async signMessage({ message }) {
      const [encoding, payload] = personalMessage(message);
      return serializeSignature(await signRaw(encoding, payload, 'HASH_FUNCTION_KECCAK256'));
    },

    async signTypedData(typedData) {
      return serializeSignature(await signRaw('PAYLOAD_ENCODING_EIP712', typedDataText(typedData as never)));
    },

    async signAuthorization({ address: own, contractAddress, chainId, nonce }) {
      const delegate = (own ?? contractAddress) as Address;
      const payload = JSON.stringify({ address: delegate, chainId, nonce });
      const signature = await signRaw('PAYLOAD_ENCODING_EIP7702_AUTHORIZATION', payload);
      return { address: delegate, chainId, nonce, ...signature };
    },

    async signTransaction(given, options) {
      const serialize = (options?.serializer ?? serializeTransaction) as Serializer;
      const transaction = given as TransactionSerializable;
      const isBlobs = transaction.type === 'eip4844';
      const unsigned = await serialize(isBlobs ? { ...transaction, sidecars: false } : transaction);
      const { signedTransaction } = await client.signTransaction({
        signWith: address,
        unsignedTransaction: digits(unsigned),
        type: 'TRANSACTION_TYPE_ETHEREUM',
      });
      const signed: Hex = `0x${signedTransaction}`;
      // The blobs are not signed, and go along with what is.
      return isBlobs ? serialize(transaction, parseTransaction(signed) as Signature) : signed;
    },
  } as CustomSource);

  const signOperation = async ({ validAfter, validUntil, ...request }: UserOperationRequest) => {
    const { activity: _, ...signed } = await client.signUserOperation({
      signWith: address,
      chainId: String(request.chainId),
      entryPoint: request.entryPoint,
      userOperation: operationJson(request.userOperation),
      ...(request.delegate && { delegate: request.delegate }),
      ...(validAfter !== undefined && { validAfter: String(validAfter) }),
      ...(validUntil !== undefined && { validUntil: String(validUntil) }),
    });
    return signed as SignedUserOperation;
  };
  return { ...account, signOperation } as CountersignAccount;
}

type RawPayload = Parameters<Client['signRawPayload']>[0];
type Encoding = RawPayload['encoding'];
type HashFunction = RawPayload['hashFunction'];

/** Those of chains with transactions of their own may take their time. */
type Serializer = (transaction: TransactionSerializable, signature?: Signature) => Hex | Promise<Hex>;

const digits = (hex: Hex): string => hex.slice(2);

/** EIP-191's text, as text where it is one, so that people who look at the activity can read it. */
function personalMessage(message: SignableMessage): [Encoding, string] {
  if (typeof message !== 'string' || !message.isWellFormed()) {
    return ['PAYLOAD_ENCODING_HEXADECIMAL', digits(toPrefixedMessage(message))];
  }
  const { length } = new TextEncoder().encode(message);
  return ['PAYLOAD_ENCODING_TEXT_UTF8', `\x19Ethereum Signed Message:\n${length}${message}`];
}

function typedDataText({ types, domain = {}, ...rest }: TypedDataDefinition): string {
  const allTypes = { EIP712Domain: getTypesForEIP712Domain({ domain }), ...types };
  return serializeTypedData({ ...rest, domain, types: allTypes } as TypedDataDefinition);
}

/** JSON of ERC-7769, without signatures: they are what is asked for. */
export function operationJson(operation: Partial<UserOperation>): Record<string, unknown> {
  const { signature: _, eip7702Auth, ...json } = formatUserOperationRequest(operation as UserOperation);
  if (!eip7702Auth) return json;
  const { chainId, address, nonce } = eip7702Auth;
  return { ...json, eip7702Auth: { chainId, address, nonce } };
}
