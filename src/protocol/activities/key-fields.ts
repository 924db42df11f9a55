/** Wallets, accounts and private keys as they come in, and what signs with them. */
import * as v from 'valibot';
import { emptyIds, emptyList, integer, label, list, once, text } from '../fields.ts';

export const curve = v.picklist(['CURVE_SECP256K1', 'CURVE_ED25519', 'CURVE_P256'], 'invalid curve');

const bitcoinNetworks = ['MAINNET', 'TESTNET', 'SIGNET', 'REGTEST'] as const;
const bitcoinScripts = ['P2PKH', 'P2SH', 'P2WPKH', 'P2WSH', 'P2TR'] as const;
const bitcoinFormats = bitcoinNetworks.flatMap((network) =>
  bitcoinScripts.map((script) => `ADDRESS_FORMAT_BITCOIN_${network}_${script}` as const),
);

export const addressFormat = v.picklist(
  [
    'ADDRESS_FORMAT_UNCOMPRESSED',
    'ADDRESS_FORMAT_COMPRESSED',
    'ADDRESS_FORMAT_ETHEREUM',
    'ADDRESS_FORMAT_SOLANA',
    'ADDRESS_FORMAT_COSMOS',
    'ADDRESS_FORMAT_TRON',
    'ADDRESS_FORMAT_SUI',
    'ADDRESS_FORMAT_APTOS',
    ...bitcoinFormats,
    'ADDRESS_FORMAT_SEI',
    'ADDRESS_FORMAT_XLM',
    'ADDRESS_FORMAT_DOGE_MAINNET',
    'ADDRESS_FORMAT_DOGE_TESTNET',
    'ADDRESS_FORMAT_TON_V3R2',
    'ADDRESS_FORMAT_TON_V4R2',
    'ADDRESS_FORMAT_TON_V5R1',
    'ADDRESS_FORMAT_XRP',
    'ADDRESS_FORMAT_SPARK_MAINNET',
    'ADDRESS_FORMAT_SPARK_REGTEST',
  ],
  'invalid address format',
);

/** `WalletAccountParams`. */
export const account = v.strictObject({
  curve,
  pathFormat: v.literal('PATH_FORMAT_BIP32', 'invalid path format'),
  path: text(255),
  addressFormat,
  name: v.exactOptional(label),
});
export type AccountParameters = v.InferOutput<typeof account>;

/** `WalletParams`, and the parameters of `create_wallet`. */
export const wallet = v.strictObject({
  walletName: label,
  accounts: emptyList(account),
  mnemonicLength: v.exactOptional(
    v.pipe(
      integer(12, 24),
      v.picklist([12, 15, 18, 21, 24], 'expected a mnemonic length of 12, 15, 18, 21 or 24 words'),
    ),
  ),
});
export type WalletParameters = v.InferOutput<typeof wallet>;

/** `PrivateKeyParams`. */
export const privateKey = v.strictObject({
  privateKeyName: label,
  curve,
  privateKeyTags: emptyIds,
  addressFormats: v.exactOptional(v.pipe(list(addressFormat), once('expected each address format once')), () => []),
});
export type PrivateKeyParameters = v.InferOutput<typeof privateKey>;

const address = v.object({ format: v.string(), address: v.string() });

/** `PrivateKeyResult`. */
export const privateKeyResult = v.object({ privateKeyId: v.string(), addresses: v.array(address) });

/** `WalletResult`. */
export const walletResult = v.object({ walletId: v.string(), addresses: v.array(v.string()) });

export const signWith = v.pipe(text(255), v.minLength(1, 'expected an address or a private key id'));

/** How a payload becomes the bytes that are signed. */
export const payloadForm = {
  encoding: v.picklist(
    [
      'PAYLOAD_ENCODING_HEXADECIMAL',
      'PAYLOAD_ENCODING_TEXT_UTF8',
      'PAYLOAD_ENCODING_EIP712',
      'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION',
    ],
    'invalid payload encoding',
  ),
  hashFunction: v.picklist(
    ['HASH_FUNCTION_NO_OP', 'HASH_FUNCTION_SHA256', 'HASH_FUNCTION_KECCAK256', 'HASH_FUNCTION_NOT_APPLICABLE'],
    'invalid hash function',
  ),
};

/** Bounded by the size of the body. */
export const payload = v.pipe(text(1_048_576), v.minLength(1, 'expected a payload'));

export const signature = v.object({ r: v.string(), s: v.string(), v: v.string() });

export const transactionType = v.picklist([
  'TRANSACTION_TYPE_ETHEREUM',
  'TRANSACTION_TYPE_SOLANA',
  'TRANSACTION_TYPE_TRON',
  'TRANSACTION_TYPE_BITCOIN',
  'TRANSACTION_TYPE_TEMPO',
]);
