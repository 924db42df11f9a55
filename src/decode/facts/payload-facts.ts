import { type Authorization, parseAuthorization } from '../authorization.ts';
import { bytesToHex } from '../hex.ts';
import { payloadBytes } from '../payload.ts';
import { type AuthorizationFacts, authorizationFacts } from './authorization-facts.ts';
import type { InterfaceOf } from './calls.ts';
import { plainText } from './plain-text.ts';
import { classifyBytes, type RawBytes } from './raw-bytes.ts';
import { looksLikeSiwe, parseSiwe, type SiweFacts } from './siwe.ts';
import { type TransactionFacts, transactionFacts } from './transaction-facts.ts';
import { lazyStruct } from './value.ts';

/** `payload`: what a raw payload is, as far as its bytes and the hash over them show it. */
export type PayloadFacts = {
  /** `PAYLOAD_ENCODING_…`. */
  readonly encoding: string;
  /** `HASH_FUNCTION_…`. */
  readonly hash_function: string;
  /** Bytes, before they are hashed; of typed data and authorizations the bytes of the text. */
  readonly length: bigint;
  /** `0x` and the bytes before they are hashed; `0x` for typed data and authorizations, which have facts of their own. */
  readonly data: string;
  /**
   * `typed_data`, `authorization`, `transaction`, `personal_message`, `siwe`, `malformed_siwe`, `text`, `typed_data_hashes`,
   * `validator_data`, `digest` or `bytes`.
   */
  readonly kind: string;
  /** What the signature stands for cannot be seen. */
  readonly blind: boolean;
  /** The text, of a personal message without its prefix; absent for what is not plain text. */
  readonly text: string | undefined;
  readonly siwe: SiweFacts | undefined;
  readonly tx: TransactionFacts | undefined;
  readonly authorization: AuthorizationFacts | undefined;
};

export type RawPayload = { readonly payload: string; readonly encoding: string; readonly hashFunction: string };

export type Signer = {
  /** The Ethereum address of the signing key, in lower case; empty for a key that has none. */
  readonly address: string;
  readonly interfaceOf: InterfaceOf;
};

/** The facts of a payload in hex or text. Throws INVALID_ARGUMENT `invalid payload encoding`. */
export function rawPayloadFacts({ payload, encoding, hashFunction }: RawPayload, signer: Signer): PayloadFacts {
  return build({ bytes: payloadBytes(payload, encoding), encoding, hashFunction, signer, meaning: undefined });
}

/** The facts of a payload that is the text of typed data or of an authorization, which has been read. */
export function structuredPayloadFacts(
  kind: 'typed_data' | 'authorization',
  { payload, encoding, hashFunction }: RawPayload,
  signer: Signer,
): PayloadFacts {
  const meaning = { kind, blind: false };
  return build({ bytes: Buffer.from(payload), encoding, hashFunction, signer, meaning });
}

type Meaning = {
  readonly kind: string;
  readonly blind: boolean;
  readonly text?: string;
  readonly siwe?: SiweFacts;
  readonly raw?: RawBytes;
};

type Source = {
  readonly bytes: Buffer;
  readonly encoding: string;
  readonly hashFunction: string;
  readonly signer: Signer;
  /** Known from the encoding, or worked out when it is first asked for. */
  meaning: Meaning | undefined;
};

type Eager = 'encoding' | 'hash_function' | 'length';

const meaningOf = (source: Source): Meaning => (source.meaning ??= readMeaning(source));

const isStructured = (source: Source): boolean => /_(?:EIP712|EIP7702_AUTHORIZATION)$/.test(source.encoding);

const build = lazyStruct<Source, Pick<PayloadFacts, Eager>, Omit<PayloadFacts, Eager>>(
  ({ encoding, hashFunction, bytes }) => ({ encoding, hash_function: hashFunction, length: BigInt(bytes.length) }),
  {
    data: (source) => (isStructured(source) ? '0x' : bytesToHex(source.bytes)),
    kind: (source) => meaningOf(source).kind,
    blind: (source) => meaningOf(source).blind,
    text: (source) => meaningOf(source).text,
    siwe: (source) => meaningOf(source).siwe,
    tx(source) {
      const { raw } = meaningOf(source);
      const { address, interfaceOf } = source.signer;
      return raw?.kind === 'transaction' ? transactionFacts(raw.transaction, address, interfaceOf) : undefined;
    },
    authorization(source) {
      const { raw } = meaningOf(source);
      return raw?.kind === 'authorization' ? authorizationOf(raw.authorization) : undefined;
    },
  },
);

/** `eth.eip_7702_authorization` of the JSON text of an authorization. Throws as `parseAuthorization` does. */
export const signedAuthorizationFacts = (text: string): AuthorizationFacts => authorizationOf(parseAuthorization(text));

const authorizationOf = ({ chainId, address, nonce }: Authorization): AuthorizationFacts =>
  authorizationFacts({ chainId, address: bytesToHex(address), nonce });

function readMeaning({ bytes, hashFunction }: Source): Meaning {
  if (hashFunction === 'HASH_FUNCTION_NO_OP') return { kind: 'digest', blind: true };
  const raw = hashFunction === 'HASH_FUNCTION_KECCAK256' ? classifyBytes(bytes) : undefined;
  switch (raw?.kind) {
    case 'transaction':
    case 'authorization':
      return { kind: raw.kind, blind: false, raw };
    case 'typed_data_hashes':
    case 'validator_data':
      return { kind: raw.kind, blind: true };
    case 'personal_message':
      return readText(raw.message, 'personal_message');
    default:
      return readText(bytes, 'text');
  }
}

function readText(bytes: Buffer, kind: 'personal_message' | 'text'): Meaning {
  const text = plainText(bytes);
  if (text === undefined) return { kind: kind === 'text' ? 'bytes' : kind, blind: true };
  // A digest can be sought that happens to be text, for a contract that takes 32 bytes signed this way.
  const blind = bytes.length === 32;
  if (kind === 'text' || !looksLikeSiwe(text)) return { kind, blind, text };
  const siwe = parseSiwe(text);
  return siwe ? { kind: 'siwe', blind, text, siwe } : { kind: 'malformed_siwe', blind, text };
}
