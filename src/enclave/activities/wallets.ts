/** What the activities about wallets share: seeds, and accounts derived from them. */
import { createHash } from 'node:crypto';
import { addressOf } from '../../decode/address.ts';
import type { AccountParameters, WalletParameters } from '../../protocol/activities/key-fields.ts';
import type { EffectContext, NewKey } from '../effect.ts';
import { publicKeyOf } from '../keys/curve.ts';
import { deriveSecret, newEntropy, seedOf } from '../keys/hd.ts';
import type { Wallet, WalletAccount } from '../state.ts';
import { checkUnique, invalidField, within } from './refusals.ts';

/** Accounts with their keys, in the same order. */
type DerivedAccounts = { accounts: WalletAccount[]; keys: NewKey[] };

/** A wallet with a fresh seed and its first accounts, for the organization `organizationId`. */
export function newWallet(
  context: EffectContext,
  organizationId: string,
  { walletName, accounts, mnemonicLength = 12 }: WalletParameters,
  path: string,
): DerivedAccounts & { wallet: Wallet } {
  checkPaths([], accounts, `${path}.accounts`);
  const entropy = newEntropy(mnemonicLength, context.random);
  try {
    const wallet: Wallet = {
      id: context.newId(),
      name: walletName,
      seedDigest: createHash('sha256').update(entropy).digest('hex'),
      exported: false,
      imported: false,
      createdAt: context.now,
      updatedAt: context.now,
    };
    const derived = deriveAccounts(context, organizationId, wallet.id, entropy, accounts, `${path}.accounts`);
    const seedKey: NewKey = { organizationId, id: wallet.id, binding: wallet.seedDigest, secret: entropy };
    return { wallet, accounts: derived.accounts, keys: [seedKey, ...derived.keys] };
  } catch (error) {
    entropy.fill(0);
    throw error;
  }
}

/** The accounts that `given` asks for, in order, with their keys. The caller zeroes the keys that it does not keep. */
export function deriveAccounts(
  context: EffectContext,
  organizationId: string,
  walletId: string,
  entropy: Buffer,
  given: readonly AccountParameters[],
  path: string,
): DerivedAccounts {
  const seed = seedOf(entropy);
  const accounts: WalletAccount[] = [];
  const keys: NewKey[] = [];
  const derive = ({ curve, path: derivationPath, addressFormat, name }: AccountParameters) => {
    const secret = deriveSecret(seed, curve, derivationPath);
    const publicKey = publicKeyOf(curve, secret);
    const id = context.newId();
    keys.push({ organizationId, id, binding: publicKey, secret });
    accounts.push({
      id,
      walletId,
      ...(name === undefined ? {} : { name }),
      curve,
      path: derivationPath,
      addressFormat,
      address: addressOf(addressFormat, curve, publicKey),
      publicKey,
      createdAt: context.now,
      updatedAt: context.now,
    });
  };
  try {
    for (const [index, parameters] of given.entries()) within(`${path}.${index}`, () => derive(parameters));
    return { accounts, keys };
  } catch (error) {
    zero(keys);
    throw error;
  } finally {
    seed.fill(0);
  }
}

/** Zeroes keys that will not be sealed. */
export function zero(keys: readonly NewKey[]): void {
  for (const { secret } of keys) secret.fill(0);
}

/** Refuses a path that is there twice. */
export function checkPaths(held: readonly string[], given: readonly AccountParameters[], path: string): void {
  const taken = new Set(held);
  for (const [index, account] of given.entries()) {
    if (taken.has(account.path)) throw invalidField(`${path}.${index}.path`, 'invalid path');
    taken.add(account.path);
  }
}

/** Refuses a name that a wallet other than `self` has. */
export const checkWalletName = (wallets: ReadonlyMap<string, Wallet>, name: string, self?: string): void =>
  checkUnique(wallets.values(), name, 'parameters.walletName', 'wallet label must be unique', self);
