/** Decoded from the bytes to be signed. An address that comes from a look-up table reads `ADDRESS_TABLE_LOOKUP`. */
import { bool, field, int, list, namespace, optional, quantity, string, strings, struct, values } from './shorthand.ts';

const lookup = struct('AddressTableLookup', {
  address_table_key: field(string, 'address of the table'),
  writable_indexes: field(list(int), 'indexes loaded as writable'),
  readonly_indexes: field(list(int), 'indexes loaded as read-only'),
});

const account = struct('AccountMeta', {
  account_key: field(string, 'address'),
  signer: field(bool, 'signs the transaction'),
  writable: field(bool, 'may be changed'),
});

const parsed = struct('ParsedInstructionData', {
  instruction_name: field(string, 'name in the interface'),
  discriminator: field(string, 'discriminator in hex'),
  named_accounts: field(strings, 'accounts by their names in the interface'),
  named_account: field(strings, 'the same as `named_accounts`'),
  program_call_args: field(values, 'arguments by name'),
});

const instruction = struct('Instruction', {
  program_key: field(string, 'program called'),
  accounts: field(list(account), 'accounts handed over'),
  instruction_data_hex: field(string, 'data in lower-case hex, without 0x'),
  address_table_lookups: field(list(lookup, 64), 'look-ups of the transaction'),
  parsed_instruction_data: optional(parsed, 'decoded with an uploaded interface'),
});

const transfer = struct('Transfer', {
  from: field(string, 'account debited'),
  to: field(string, 'account credited'),
  amount: field(quantity, 'lamports'),
});

const splTransfer = struct('SplTransfer', {
  from: field(string, 'token account debited'),
  to: field(string, 'token account credited'),
  amount: field(quantity, "the token's smallest units"),
  owner: field(string, 'owner of `from`'),
  signers: field(list(string, 64), 'those who sign for the owner'),
  token_mint: field(string, 'mint; empty for a plain Transfer'),
});

const reference = struct('AddressTableReference', {
  address_table_key: field(string, 'address of the table'),
  index: field(int, 'index in the table'),
  writable: field(bool, 'loaded as writable'),
});

const accountKeys = list(string);
const instructions = list(instruction, 64);

export const solana = field(
  struct('Solana', {
    tx: namespace(
      struct('SolanaTransaction', {
        account_keys: field(accountKeys, 'addresses named in the transaction'),
        static_account_keys: field(accountKeys, 'the same as `account_keys`'),
        program_keys: field(accountKeys, 'programs called'),
        top_level_program_keys: field(accountKeys, 'the same as `program_keys`'),
        instructions: field(instructions, 'top-level instructions'),
        top_level_instructions: field(instructions, 'the same as `instructions`'),
        transfers: field(list(transfer, 64), 'top-level transfers of the System Program'),
        spl_transfers: field(list(splTransfer, 64), 'top-level transfers of the token programs'),
        recent_blockhash: field(string, 'blockhash'),
        address_table_lookups: field(list(lookup, 64), 'look-ups in address tables'),
        address_table_lookup_references: field(list(reference), 'the same, one by one'),
      }),
      'Solana transaction to be signed',
    ),
  }),
  'what is signed for Solana',
);
