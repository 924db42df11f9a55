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
  values,
} from './shorthand.ts';

/** One of the calls that a transaction, or typed data for a Safe, makes: limits and order as in src/decode/facts/calls.ts. */
const call = struct('EthereumCall', {
  depth: field(int, '0 for the outermost, 1 for what it calls, and so on'),
  kind: field(string, '`call`, `delegatecall` or `create`'),
  from: field(address, 'who calls'),
  to: field(address, 'contract or account called; empty for a contract creation'),
  value: field(quantity, 'wei sent along'),
  data: field(string, 'calldata in lower-case hex with 0x'),
  selector: field(string, 'first four bytes of `data` as 0x and 8 hex digits; empty where there are fewer'),
  name: field(string, 'name of the function, empty where no interface is known'),
  signature: field(string, 'such as `transfer(address,uint256)`, empty where no interface is known'),
  standard: field(string, '`uploaded`, or what the function is of, such as `ERC-20`; empty where it is unknown'),
  args: field(values, 'arguments by name, unnamed ones by position; empty where they are not decoded'),
  decoded: field(bool, 'all of `data` is understood'),
  batch: field(bool, 'it carries other calls'),
});

const transfer = struct('EthereumTransfer', {
  standard: field(string, '`native`, `ERC-20`, `ERC-20 or ERC-721`, `ERC-721`, `ERC-1155` or `Permit2`'),
  kind: field(string, '`transfer`, `approval` or `operator_approval`'),
  token: field(address, "contract of the token; empty for the chain's own currency"),
  from: field(address, 'whose assets they are'),
  to: field(address, 'who gets them, or may take them'),
  amount: field(quantity, 'in the smallest unit; of an approval the most that may be taken'),
  id: field(quantity, 'id of the token; 0 where tokens have none'),
  depth: field(int, 'of the call that does it'),
});

export const calls = field(list(call, 256), 'every call that is known to be made, each before those inside it');
export const transfers = field(list(transfer, 1024), 'every asset that the calls move, and every right to move one');

export const authorization = struct('Eip7702Authorization', {
  address: field(address, 'contract that the account will run'),
  chain_id: field(quantity, 'chain id, 0 for every chain'),
  nonce: field(quantity, 'nonce of the account'),
});

const accessListEntry = struct('AccessListEntry', {
  address: field(address, 'contract or account'),
  storage_keys: field(list(string, 4096), 'slots of it, 0x and 64 hex digits'),
});

export const transaction = struct('EthereumTransaction', {
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
  selector: cel(field(string, 'first four bytes of `data`, known interface or not; empty where there are fewer')),
  access_list: cel(field(list(accessListEntry, 4096), 'what it declares to touch (EIP-2930)')),
  authorization_list: cel(field(list(authorization, 1024), 'accounts that it sets code for (EIP-7702)')),
  blob_versioned_hashes: cel(field(list(string, 64), 'blobs that it carries (EIP-4844)')),
  call: cel(field(call, 'the outermost call')),
  calls: cel(calls),
  calls_complete: cel(field(bool, 'every call was understood: `calls` and `transfers` show all that it does')),
  transfers: cel(transfers),
});

const known = struct('KnownTypedData', {
  kind: field(
    string,
    '`permit`, `dai_permit`, `transfer_with_authorization`, `receive_with_authorization`, `permit2_single`, ' +
      '`permit2_batch`, `permit2_transfer`, `permit2_batch_transfer`, `safe_tx`; of smart accounts `user_operation`, ' +
      '`safe_operation`, `kernel_enable`, `nexus_module_enable`, `coinbase_message`, `kernel_message`, ' +
      '`erc7739_typed_data`, `erc7739_personal_sign`; or `unknown`',
  ),
  owner: optional(address, 'whose assets it is about'),
  spender: optional(address, 'who may take them'),
  token: optional(address, 'contract of the token; absent where there are several'),
  amount: optional(quantity, 'the most that may be taken; absent where there are several tokens'),
  expiration: optional(quantity, "Unix seconds until when Permit2's allowance holds"),
  deadline: optional(quantity, 'Unix seconds until when the signature is valid'),
  nonce: optional(quantity, 'nonce'),
  contents: optional(
    struct('WrappedContents', {
      kind: field(string, 'what they are, as `kind` of the whole; `unknown` for a text'),
      primary_type: field(string, 'their type; empty for a text'),
      values: field(values, 'their members, as `eth.eip_712.values`'),
      text: optional(string, 'of a personal message, where it is plain text'),
    }),
    'what is wrapped for a smart account (ERC-7739): the other members say what it means',
  ),
  transfers,
  calls,
  calls_complete: field(bool, 'all that it allows is shown; never so for `unknown`'),
});

const eip712 = struct('Eip712TypedData', {
  primary_type: field(string, 'the primary type'),
  domain: field(
    struct('Eip712Domain', {
      name: orEmpty(string, 'name, or empty'),
      version: orEmpty(string, 'version, or empty'),
      chain_id: orZero(quantity, 'chain id, or 0'),
      verifying_contract: orEmpty(address, 'contract that verifies, or empty'),
      salt: cel(field(string, 'salt as 0x and 64 hex digits, or empty')),
    }),
    'the signing domain',
  ),
  message: field(caselessValues, 'members by name: JSON numbers are ints, JSON strings strings'),
  values: cel(field(values, 'members by name and declared type: integers however written, addresses, bytes as hex')),
  known: cel(field(known, 'what it means, where that is known')),
});

export const eth = field(
  struct('Ethereum', {
    tx: namespace(transaction, 'Ethereum transaction to be signed'),
    eip_712: namespace(eip712, 'EIP-712 typed data to be signed'),
    eip_7702_authorization: namespace(authorization, 'EIP-7702 authorization to be signed'),
  }),
  'what is signed for Ethereum',
);
