/** A user operation (ERC-4337), decoded from the very fields that its hash is made of: see src/decode/user-operation/facts.ts. */
import { authorization, calls, transfers } from './ethereum.ts';
import { address, bool, field, list, namespace, optional, quantity, string, struct } from './shorthand.ts';

const gas = (of: string) => field(quantity, `gas limit of ${of}`);

export const userop = namespace(
  struct('UserOperation', {
    entry_point: field(address, 'the EntryPoint that is to run it'),
    entry_point_version: field(string, '`0.6`, `0.7`, `0.8` or `0.9`'),
    chain_id: field(quantity, 'EIP-155 chain id'),
    sender: field(address, 'the smart account'),
    account_kind: field(string, 'kind of the account, such as `simple-7702`: how `call_data` are read'),
    owner: field(address, 'address of the key that signs'),
    nonce: field(quantity, 'nonce: key and sequence'),
    nonce_key: field(quantity, 'upper 192 bits of the nonce'),
    nonce_sequence: field(quantity, 'lower 64 bits of the nonce'),
    nonce_mode: field(
      string,
      'what the account does because of `nonce_key`: `plain`, or `validator` and `permission` (another plugin checks the ' +
        'signature), `enable`, `install` and `prep` (code is installed that the hash does not bind), `replayable` (valid on ' +
        'every chain), `unknown`',
    ),
    factory: field(
      address,
      'contract that creates the account, `0x7702` and zeros for EIP-7702; empty where there is none',
    ),
    factory_data: field(string, 'calldata for it in lower-case hex with 0x'),
    deploys: field(bool, '`factory_data` are run to create or initialize the account, before it checks its signature'),
    delegate: field(address, 'code that the account runs by EIP-7702; empty where nothing names it'),
    delegate_known: field(bool, "`delegate` is the account's own, or known to be of its kind"),
    delegate_bound: field(bool, 'the operation is void under another `delegate`'),
    authorization: optional(authorization, 'the EIP-7702 authorization that goes along with it'),
    paymaster: field(address, 'who pays; empty where the account does'),
    paymaster_data: field(string, 'data for it in lower-case hex with 0x, without its signature'),
    paymaster_signs_later: field(bool, "the paymaster's signature may change after this one (EntryPoint 0.9)"),
    call_gas_limit: gas('the calls'),
    verification_gas_limit: gas("the account's checks"),
    pre_verification_gas: field(quantity, 'gas that is paid to the bundler'),
    paymaster_verification_gas_limit: gas("the paymaster's checks"),
    paymaster_post_op_gas_limit: gas('what the paymaster does afterwards'),
    max_fee_per_gas: field(quantity, 'most wei per gas'),
    max_priority_fee_per_gas: field(quantity, 'most wei per gas for the block builder'),
    max_cost: field(quantity, 'most wei that it can cost, whoever pays: all limits at the highest fee'),
    call_data: field(string, 'calldata of the account in lower-case hex with 0x'),
    selector: field(string, 'first four bytes of `call_data` as 0x and 8 hex digits; empty where there are fewer'),
    calls: { ...calls, description: `${calls.description}; \`depth\` 0 are those of the account itself` },
    calls_complete: field(bool, 'every call was understood: `calls` and `transfers` show all that it does'),
    transfers,
    total_value: field(quantity, 'wei that leave the account, in all calls together'),
    opaque: field(
      bool,
      'the account may do more than `calls` show: unknown function or delegate, foreign code in its name',
    ),
    has_delegatecall: field(bool, "foreign code runs in the account's name"),
    try_mode: field(bool, 'where a call fails, those after it are made all the same'),
    is_admin: field(bool, 'calls the account itself or the EntryPoint: owners, modules, code, deposit'),
    admin_functions: field(
      list(string),
      'functions of these that are called, such as `upgradeToAndCall(address,bytes)`; selectors where they are unknown',
    ),
    valid_after: optional(quantity, 'Unix seconds from when the signature holds, 0 for always; of Safe accounts'),
    valid_until: optional(quantity, 'Unix seconds until when the signature holds, 0 for ever; of Safe accounts'),
  }),
  'user operation to be signed',
);
