/** Tron, Bitcoin and Tempo, decoded from the bytes to be signed. */
import {
  address,
  bool,
  caseless,
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
} from './shorthand.ts';

const permission = struct('TronPermission', {
  type: field(string, '`Owner`, `Witness` or `Active`'),
  id: field(int, 'id'),
  permission_name: field(string, 'name'),
  threshold: field(int, 'weight needed'),
  parent_id: field(int, 'id of the parent'),
  operations: field(string, 'operations in hex'),
  keys: field(
    list(struct('TronKey', { address: field(string, 'address'), weight: field(int, 'weight') }), 16),
    'who may use it',
  ),
});

/** Which of the optional fields there are depends on `type`. */
const tronContract = struct('TronContract', {
  type: field(string, 'such as `TransferContract`'),
  permission_id: orZero(int, 'permission that is used'),
  owner_address: optional(string, 'who acts'),
  to_address: optional(string, 'who receives'),
  amount: optional(int, 'sun'),
  contract_address: optional(string, 'contract called'),
  call_value: optional(int, 'sun sent along'),
  data: optional(string, 'calldata in hex, without 0x'),
  call_token_value: optional(int, 'TRC-10 units sent along'),
  token_id: optional(int, 'TRC-10 token'),
  resource: optional(string, '`BANDWIDTH` or `ENERGY`'),
  balance: optional(int, 'sun delegated'),
  receiver_address: optional(string, 'who gets the resource'),
  lock: optional(bool, 'delegation is locked'),
  lock_period: optional(int, 'blocks'),
  frozen_balance: optional(int, 'sun'),
  unfreeze_balance: optional(int, 'sun'),
  owner: optional(permission, 'new owner permission'),
  witness: optional(permission, 'new witness permission'),
  actives: optional(list(permission, 16), 'new active permissions'),
});

export const tron = field(
  struct('Tron', {
    tx: namespace(
      struct('TronTransaction', {
        ref_block_bytes: field(string, 'reference block'),
        ref_block_hash: field(string, 'its hash'),
        expiration: field(int, 'Unix milliseconds'),
        timestamp: field(int, 'Unix milliseconds'),
        fee_limit: field(int, 'sun'),
        data: orEmpty(string, 'memo'),
        contract: field(list(tronContract, 4), 'what it does; one element today'),
      }),
      'Tron transaction to be signed',
    ),
  }),
  'what is signed for Tron',
);

export const bitcoin = field(
  struct('Bitcoin', {
    tx: namespace(
      struct('BitcoinTransaction', {
        version: field(string, 'version'),
        inputs: field(
          list(
            struct('BitcoinInput', {
              tx_id: field(string, 'transaction that is spent'),
              vout: field(int, 'index of its output'),
              sequence: field(int, 'sequence number'),
            }),
          ),
          'what is spent',
        ),
        outputs: field(
          list(
            struct('BitcoinOutput', {
              value: field(int, 'satoshis'),
              script_pubkey: field(string, 'script in hex'),
              address: field(string, 'address, or empty'),
              address_type: field(caseless, 'such as `p2wpkh`'),
            }),
          ),
          'what is paid',
        ),
        locktime: field(
          struct('BitcoinLocktime', {
            amount: field(int, 'seconds or blocks'),
            type: field(string, '`Seconds` or `Blocks`'),
          }),
          'from when it is valid',
        ),
        fee: field(int, 'satoshis'),
      }),
      'Bitcoin transaction to be signed',
    ),
  }),
  'what is signed for Bitcoin',
);

export const tempo = field(
  struct('Tempo', {
    tx: namespace(
      struct('TempoTransaction', {
        chain_id: field(quantity, 'chain id'),
        nonce: field(quantity, 'nonce'),
        gas_limit: field(quantity, 'gas limit'),
        max_fee_per_gas: field(quantity, 'most per gas'),
        max_priority_fee_per_gas: field(quantity, 'most per gas for the block builder'),
        valid_before: orZero(quantity, 'Unix seconds, 0 when unset'),
        valid_after: orZero(quantity, 'Unix seconds, 0 when unset'),
        from: field(address, 'the signing address'),
        fee_token: orEmpty(address, 'token that fees are paid in, or empty'),
        calls: field(
          list(
            struct('TempoCall', {
              to: field(address, 'address called; empty for a contract creation'),
              input: field(caseless, 'calldata in hex with 0x'),
              function_signature: orEmpty(string, 'first four bytes of `input`, or empty'),
            }),
            128,
          ),
          'what it calls, in order',
        ),
      }),
      'Tempo transaction to be signed',
    ),
  }),
  'what is signed for Tempo',
);
