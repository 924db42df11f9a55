/** What is signed or exported with. */
import { bool, cel, field, int, list, namespace, optional, string, strings, struct } from './shorthand.ts';

const wallet = struct('Wallet', {
  id: field(string, 'the id of the wallet'),
  imported: field(bool, 'its seed came from outside'),
  exported: field(bool, 'its seed was exported once'),
  label: field(string, 'its name'),
  tags: cel(field(list(string, 100), 'ids of its tags')),
});

const walletAccount = struct('WalletAccount', {
  address: field(string, 'its address, in the exact case it is shown in'),
  path_indexes: optional(list(int, 16), 'path for EXPORT_WALLET_ACCOUNT, without the hardened bit'),
  path_hardened: optional(list(bool, 16), 'which of `path_indexes` are hardened'),
  // Not `path`: naming that is refused at creation, as Turnkey refuses it.
  derivation_path: cel(field(string, "BIP-32 path, such as `m/44'/60'/0'/0/0`")),
  name: cel(field(string, 'its name, or empty')),
  wallet_id: cel(field(string, 'the id of its wallet')),
  curve: cel(field(string, '`CURVE_…`')),
  address_format: cel(field(string, '`ADDRESS_FORMAT_…`')),
  public_key: cel(field(string, 'public key in hex')),
  tags: cel(field(list(string, 100), 'ids of its tags')),
});

const privateKey = struct('PrivateKey', {
  id: field(string, 'the id of the key'),
  tags: field(list(string, 100), 'ids of its tags'),
  imported: field(bool, 'it came from outside'),
  exported: field(bool, 'it was exported once'),
  label: field(string, 'its name'),
  curve: cel(field(string, '`CURVE_…`')),
});

export const signers = {
  wallet: namespace(wallet, 'the wallet that signs, is exported or renamed, or gets accounts'),
  wallets: namespace(list(wallet, 100), 'the wallets that are deleted, or lose accounts'),
  wallet_account: namespace(walletAccount, 'the wallet account that signs or is exported'),
  // Ours: with Turnkey's `wallet_account` and `private_key` there, policies that allow to sign would allow to delete.
  wallet_accounts: cel(namespace(list(walletAccount, 100), 'the wallet accounts that are deleted')),
  private_key: namespace(privateKey, 'the private key that signs or is exported'),
  private_keys: cel(namespace(list(privateKey, 100), 'the private keys that are deleted')),
  secret: namespace(
    struct('Secret', { static_properties: field(strings, 'properties fixed when the secret was stored') }),
    'the secret that is exported',
  ),
};
