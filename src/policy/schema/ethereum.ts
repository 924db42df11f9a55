/** Decoded from the bytes to be signed. */
import {
  address,
  bool,
  caselessValues,
  cel,
  field,
  int,
  list,
  namespace,
  optional,
  orEmpty,
  orZero,
  quantity,
  string,
  struct,
  timestamp,
  values,
} from './shorthand.ts';

/** A call inside the transaction's own call: `multicall`, `executeBatch` and the like, flattened in order. */
const call = struct('EthereumCall', {
  to: field(address, 'contract or account called'),
  value: field(quantity, 'wei sent along'),
  data: field(string, 'calldata in lower-case hex with 0x'),
  selector: field(string, 'first four bytes of `data` as 0x… , or empty'),
  function_name: field(string, 'name of the function, empty where no interface is known'),
  args: field(values, 'arguments by name'),
  depth: field(int, '0 for the transaction itself, 1 for what it calls, and so on'),
});

const tx = struct('EthereumTransaction', {
  from: field(address, 'the signing address'),
  to: field(address, 'the address called; empty for a contract creation'),
  data: field(string, 'calldata in lower-case hex with 0x; `0x` where there is none'),
  value: field(quantity, 'wei'),
  gas: field(quantity, 'gas limit'),
  gas_price: field(quantity, 'wei per gas; from EIP-1559 on the same as `max_fee_per_gas`'),
  chain_id: field(quantity, 'EIP-155 chain id'),
  nonce: field(quantity, 'nonce of the sender'),
  max_fee_per_gas: field(quantity, 'most wei per gas; before EIP-1559 the gas price'),
  max_priority_fee_per_gas: field(quantity, 'most wei per gas for the block builder; before EIP-1559 the gas price'),
  max_fee_per_blob_gas: field(quantity, 'most wei per blob gas; 0 without blobs'),
  type: field(string, '`LEGACY`, `TYPE_1`, `TYPE_2`, `TYPE_3` or `TYPE_4`'),
  function_name: orEmpty(string, 'name of the function called, empty where no interface is known'),
  function_signature: orEmpty(string, 'selector as 0x and 8 hex digits, empty where no interface is known'),
  contract_call_args: { ...field(values, 'arguments by name; tuples are lists'), default: new Map() },
  selector: cel(orEmpty(string, 'first four bytes of `data`, known interface or not; empty where there are fewer')),
  calls: cel(field(list(call, 128), 'every call that it makes by way of its own, its own first')),
  blind: cel(field(bool, 'it has calldata that no known interface decodes')),
});

const eip712 = struct('Eip712TypedData', {
  primary_type: field(string, 'the primary type'),
  domain: field(
    struct('Eip712Domain', {
      name: orEmpty(string, 'name, or empty'),
      version: orEmpty(string, 'version, or empty'),
      chain_id: orZero(quantity, 'chain id, or 0'),
      verifying_contract: orEmpty(address, 'contract that verifies, or empty'),
    }),
    'the signing domain',
  ),
  message: field(caselessValues, 'members by name: JSON numbers are ints, JSON strings strings'),
});

const siwe = struct('SignInWithEthereum', {
  domain: field(string, 'the origin that asks, without scheme'),
  address: field(address, 'the address that signs in'),
  statement: orEmpty(string, 'what the person agrees to'),
  uri: field(string, 'the subject of the sign-in'),
  chain_id: field(quantity, 'EIP-155 chain id'),
  nonce: field(string, 'nonce'),
  issued_at: field(timestamp, 'when it was issued'),
  expiration_time: optional(timestamp, 'until when it is valid'),
  resources: field(list(string, 64), 'URIs'),
});

export const eth = field(
  struct('Ethereum', {
    tx: namespace(tx, 'Ethereum transaction to be signed'),
    eip_712: namespace(eip712, 'EIP-712 typed data to be signed'),
    eip_7702_authorization: namespace(
      struct('Eip7702Authorization', {
        address: field(address, 'contract that the account will run'),
        chain_id: field(quantity, 'chain id, 0 for every chain'),
        nonce: field(quantity, 'nonce of the account'),
      }),
      'EIP-7702 authorization to be signed',
    ),
    message: cel(
      namespace(
        struct('EthereumMessage', {
          text: field(string, 'the text, where it is UTF-8; otherwise 0x and hex'),
          siwe: optional(siwe, 'its fields, where it is a Sign-In with Ethereum message (ERC-4361)'),
        }),
        'personal_sign message (ERC-191) to be signed',
      ),
    ),
  }),
  'what is signed for Ethereum',
);
