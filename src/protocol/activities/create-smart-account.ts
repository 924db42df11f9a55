import * as v from 'valibot';
import { integer, label, list } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { signWith } from './key-fields.ts';
import { accountKind, chainId, entryPointVersion, ethereumAddress, hexData } from './smart-account-fields.ts';

export const createSmartAccount = defineActivity({
  name: 'create_smart_account',
  summary: 'Pin what a smart account is, so that its user operations can be read and signed',
  versions: {
    ACTIVITY_TYPE_CREATE_SMART_ACCOUNT: {
      intent: 'createSmartAccountIntent',
      result: 'createSmartAccountResult',
      parameters: v.strictObject({
        smartAccountName: label,
        address: ethereumAddress,
        /** The key that owns it. */
        signWith,
        /** How it encodes calls and what its owner signs. */
        accountKind,
        entryPoint: ethereumAddress,
        /** Of an EntryPoint that is not at one of the canonical addresses. */
        entryPointVersion: v.exactOptional(entryPointVersion),
        /** The chains on which its operations may be signed; none: all. */
        chainIds: v.exactOptional(list(chainId, { max: 32 }), () => []),
        /** The one way in which an operation may deploy it; without it none may. */
        factory: v.exactOptional(ethereumAddress),
        factoryData: v.exactOptional(hexData(8192)),
        /** The code that it runs by EIP-7702, where it is the signing address itself. */
        delegate: v.exactOptional(ethereumAddress),
        /** Of `coinbase`: which of its owners the key is. */
        ownerIndex: v.exactOptional(integer(0, 2 ** 32)),
        /** Of `safe-4337` (module) and `biconomy` (validator), where it is not the canonical one. */
        module: v.exactOptional(ethereumAddress),
      }),
    },
  },
  result: v.object({ smartAccountId: v.string() }),
});
