import type { PrivateKeyObject } from '../../protocol/queries/objects.ts';
import type { PrivateKey } from '../state.ts';
import { timesView } from './times.ts';

export const privateKeyView = (key: PrivateKey): PrivateKeyObject => ({
  privateKeyId: key.id,
  privateKeyName: key.name,
  publicKey: key.publicKey,
  curve: key.curve,
  addresses: key.addresses.map(({ format, address }) => ({ format, address })),
  privateKeyTags: [...key.tagIds],
  exported: key.exported,
  imported: key.imported,
  ...timesView(key),
});
