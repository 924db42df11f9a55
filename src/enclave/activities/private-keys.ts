/** Private keys that belong to no wallet. */

import { addressOf } from '../../decode/address.ts';
import type { PrivateKeyParameters } from '../../protocol/activities/key-fields.ts';
import type { EffectContext, NewKey } from '../effect.ts';
import { generateSecret, publicKeyOf } from '../keys/curve.ts';
import { type Organization, type PrivateKey, put } from '../state.ts';
import { checkQuota } from './quotas.ts';
import { checkUnique, within } from './refusals.ts';
import { checkTags, privateKeyTags } from './tags.ts';
import { zero } from './wallets.ts';

type NewPrivateKeys = { privateKeys: ReadonlyMap<string, PrivateKey>; added: PrivateKey[]; keys: NewKey[] };

/** Makes private keys beside those that the organization has: all with them, and the new ones in order. */
export function newPrivateKeys(
  context: EffectContext,
  organization: Pick<Organization, 'id' | 'privateKeys' | 'tags'>,
  given: readonly PrivateKeyParameters[],
): NewPrivateKeys {
  let { privateKeys } = organization;
  checkQuota('privateKeys', privateKeys.size + given.length, 'parameters.privateKeys');
  const added: PrivateKey[] = [];
  const keys: NewKey[] = [];
  try {
    for (const [index, { privateKeyName, curve, addressFormats, privateKeyTags: tagIds }] of given.entries()) {
      const path = `parameters.privateKeys.${index}`;
      checkTags(organization.tags, privateKeyTags, { ids: tagIds, field: `${path}.privateKeyTags` });
      checkUnique(privateKeys.values(), privateKeyName, `${path}.privateKeyName`, 'private key label must be unique');
      const id = context.newId();
      const secret = generateSecret(curve, context.random);
      const publicKey = publicKeyOf(curve, secret);
      keys.push({ organizationId: organization.id, id, binding: publicKey, secret });
      const key: PrivateKey = {
        id,
        name: privateKeyName,
        curve,
        publicKey,
        addresses: within(path, () =>
          addressFormats.map((format) => ({ format, address: addressOf(format, curve, publicKey) })),
        ),
        tagIds,
        exported: false,
        imported: false,
        createdAt: context.now,
        updatedAt: context.now,
      };
      added.push(key);
      privateKeys = put(privateKeys, key);
    }
  } catch (error) {
    zero(keys);
    throw error;
  }
  return { privateKeys, added, keys };
}

/** `PrivateKeyResult` of the wire. */
export const privateKeyResultOf = ({ id, addresses }: PrivateKey) => ({
  privateKeyId: id,
  addresses: addresses.map(({ format, address }) => ({ format, address })),
});
