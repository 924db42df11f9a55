/** Typed data of smart accounts: operations, what installs code in them, and wrappers that bind a signature to one account. */
import type { Type } from '../typed-data-types.ts';
import { readOperationCalls } from '../user-operation/account-calls.ts';
import { safeOperationTypes } from '../user-operation/safe-operation.ts';
import type { Meaning, Reader, Values } from './known-typed-data.ts';
import { plainText } from './plain-text.ts';
import { classifyBytes } from './raw-bytes.ts';
import type { TypedDataSource } from './typed-data-facts.ts';
import type { Value } from './value.ts';

/** What is wrapped, and the kind of typed data that it is; `values` are its members, and the text for a personal message. */
export type WrappedContents = {
  readonly kind: string;
  readonly primary_type: string;
  readonly values: ReadonlyMap<string, Value>;
  readonly text: string | undefined;
};

/** What it allows is not shown. */
const unseen = { calls: [], transfers: [], complete: false };

/** A consent of the account that is the domain's contract. */
const ofAccount: Reader = (_, { domain }) =>
  domain.verifying_contract === '' ? undefined : { owner: domain.verifying_contract, calls: unseen };

/** By `encodeType`, as in known-typed-data.ts. */
export const smartAccountTypes: readonly (readonly [encodeType: string, kind: string, read: Reader])[] = [
  // EntryPoint 0.8. Only the account's kind tells what calls it makes of the calldata.
  [
    'PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)',
    'user_operation',
    (values) => ({ owner: values.get('sender') as string, nonce: values.get('nonce') as bigint, calls: unseen }),
  ],
  [safeOperationTypes['0.6'], 'safe_operation', safeOperation],
  [safeOperationTypes['0.7'], 'safe_operation', safeOperation],
  // Kernel 3 and Nexus: a signature over these, in that of an operation, installs code that the operation's hash does not bind.
  [
    'Enable(bytes21 validationId,uint32 nonce,address hook,bytes validatorData,bytes hookData,bytes selectorData)',
    'kernel_enable',
    ofAccount,
  ],
  [
    'ModuleEnableMode(address module,uint256 moduleType,bytes32 userOpHash,bytes initData)',
    'nexus_module_enable',
    ofAccount,
  ],
  // A digest of anything, bound to one account.
  ['CoinbaseSmartWalletMessage(bytes32 hash)', 'coinbase_message', ofAccount],
  ['Kernel(bytes32 hash)', 'kernel_message', ofAccount],
];

function safeOperation(values: Values, { interfaceOf }: TypedDataSource): Meaning {
  const { safe, nonce, callData, validUntil, entryPoint } = Object.fromEntries(values) as {
    safe: string;
    nonce: bigint;
    callData: string;
    validUntil: bigint;
    entryPoint: string;
  };
  const operation = {
    sender: safe,
    entryPoint: { address: entryPoint },
    callData: Buffer.from(callData.slice(2), 'hex'),
  };
  const { calls, transfers, complete, opaque } = readOperationCalls(operation, 'safe-4337', interfaceOf);
  // The operation may create the account, and have code run while it does: that is seen in `values` alone.
  const isComplete = complete && !opaque && values.get('initCode') === '0x';
  return { owner: safe, nonce, deadline: validUntil, calls: { calls, transfers, complete: isComplete } };
}

type Wrapped = {
  readonly kind: string;
  readonly account: string;
  readonly contents: Omit<WrappedContents, 'kind'>;
  /** The contents, as if the account signed them. */
  readonly source: TypedDataSource;
};

/** ERC-7739: typed data of an application under its own domain, with the account that they are signed for. */
const typedDataSign: readonly (readonly [name: string, type: string])[] = [
  ['name', 'string'],
  ['version', 'string'],
  ['chainId', 'integer256'],
  ['verifyingContract', 'address'],
  ['salt', 'fixedBytes32'],
];

/** What is in the wrappers of ERC-7739; undefined for all else. */
export function unwrap(source: TypedDataSource): Wrapped | undefined {
  const { primaryType, structs, values } = source;
  const fields = structs.get(primaryType)?.fields ?? [];
  if (primaryType === 'PersonalSign' && fields.length === 1 && fields[0]?.name === 'prefixed') {
    return unwrapPersonal(source);
  }
  const [contents, ...rest] = fields;
  if (primaryType !== 'TypedDataSign' || contents?.name !== 'contents' || contents.type.kind !== 'struct')
    return undefined;
  const isStandard =
    rest.length === typedDataSign.length &&
    rest.every(({ name, type }, at) => name === typedDataSign[at]?.[0] && plain(type) === typedDataSign[at]?.[1]);
  if (!isStandard) return undefined;
  const inner = values.get('contents') as Values;
  const name = contents.type.name;
  const account = values.get('verifyingContract') as string;
  const typeHash = structs.get(name)?.typeHash.toString('hex') as string;
  return {
    kind: 'erc7739_typed_data',
    account,
    contents: { primary_type: name, values: inner, text: undefined },
    source: {
      ...source,
      primaryType: name,
      typeHash,
      values: inner,
      signer: values.get('verifyingContract') as string,
    },
  };
}

const plain = (type: Type): string =>
  type.kind === 'integer' ? `integer${type.bits}` : type.kind === 'fixedBytes' ? `fixedBytes${type.size}` : type.kind;

/** A personal message (EIP-191), under the account's own domain. */
function unwrapPersonal(source: TypedDataSource): Wrapped | undefined {
  const prefixed = source.values.get('prefixed');
  if (typeof prefixed !== 'string' || !prefixed.startsWith('0x')) return undefined;
  const raw = classifyBytes(Buffer.from(prefixed.slice(2), 'hex'));
  return {
    kind: 'erc7739_personal_sign',
    account: source.domain.verifying_contract,
    contents: {
      primary_type: '',
      values: new Map(),
      text: raw.kind === 'personal_message' ? plainText(raw.message) : undefined,
    },
    source: { ...source, typeHash: '' },
  };
}
