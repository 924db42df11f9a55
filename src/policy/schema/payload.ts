/** A raw payload, decoded from the bytes to be signed and the hash over them. */
import { authorization, transaction } from './ethereum.ts';
import {
  address,
  bool,
  cel,
  field,
  int,
  list,
  namespace,
  optional,
  quantity,
  string,
  struct,
  timestamp,
} from './shorthand.ts';

const siwe = struct('SignInWithEthereum', {
  scheme: field(string, 'scheme of the origin that asks, or empty'),
  domain: field(string, 'the origin that asks, without scheme'),
  address: field(address, 'the address that signs in'),
  statement: optional(string, 'what the person agrees to'),
  uri: field(string, 'the subject of the sign-in'),
  version: field(string, '`1`'),
  chain_id: field(quantity, 'EIP-155 chain id'),
  nonce: field(string, 'nonce'),
  issued_at: field(timestamp, 'when it was issued'),
  expiration_time: optional(timestamp, 'until when it is valid'),
  not_before: optional(timestamp, 'from when it is valid'),
  request_id: optional(string, 'id of the request'),
  resources: field(list(string, 256), 'URIs'),
});

/** Ours: Turnkey's language knows of raw payloads what `activity.params` says. */
export const payload = cel(
  namespace(
    struct('RawPayload', {
      encoding: field(string, '`PAYLOAD_ENCODING_…`'),
      hash_function: field(string, '`HASH_FUNCTION_…`'),
      length: field(int, 'number of bytes before hashing'),
      data: field(string, 'the bytes before hashing as lower-case hex with 0x; `0x` for typed data and authorizations'),
      blind: field(bool, 'what the signature means cannot be seen: a bare digest, or bytes of no known form'),
      kind: field(
        string,
        '`typed_data`, `authorization`, `transaction`, `personal_message`, `siwe`, `malformed_siwe`, `text`, ' +
          '`typed_data_hashes`, `validator_data`, `digest` or `bytes`',
      ),
      text: optional(string, 'the text, of a personal message (ERC-191) without its prefix'),
      siwe: optional(siwe, 'its fields, where it is a message of Sign-In with Ethereum (ERC-4361)'),
      tx: optional(transaction, 'the transaction, where the bytes are one and the hash is Keccak-256'),
      authorization: optional(authorization, 'the EIP-7702 authorization, where the bytes are one'),
    }),
    'raw payload to be signed',
  ),
);
