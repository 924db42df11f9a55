/** What is signed or exported with. */
import { bool, cel, field, int, list, namespace, optional, string, strings, struct } from './shorthand.ts';

const wallet = struct('Wallet', {
  id: field(string, 'the id of the wallet'),
  imported: field(bool, 'its seed came from outside'),
  exported: field(bool, 'its seed was exported once'),
  label: field(string, 'its name'),
  tags: cel(field(list(string, 100), 'ids of its tags')),
});

export const signers = {
  wallet: namespace(wallet, 'the wallet that signs or is exported'),
  wallets: namespace(list(wallet, 100), 'the wallets, for activities on several'),
  wallet_account: namespace(
    struct('WalletAccount', {
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
    }),
    'the wallet account that signs or is exported',
  ),
  private_key: namespace(
    struct('PrivateKey', {
      id: field(string, 'the id of the key'),
      tags: field(list(string, 100), 'ids of its tags'),
      imported: field(bool, 'it came from outside'),
      exported: field(bool, 'it was exported once'),
      label: field(string, 'its name'),
      curve: cel(field(string, '`CURVE_…`')),
    }),
    'the private key that signs or is exported',
  ),
  secret: namespace(
    struct('Secret', { static_properties: field(strings, 'properties fixed when the secret was stored') }),
    'the secret that is exported',
  ),
};
