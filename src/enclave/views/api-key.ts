import type { ApiKeyObject } from '../../protocol/queries/objects.ts';
import type { ApiKey } from '../state.ts';
import { timesView } from './times.ts';

export const apiKeyView = ({ id, name, publicKey, type, expirationSeconds, ...key }: ApiKey): ApiKeyObject => ({
  credential: { publicKey, type, ...(key.sessionProfileId ? { sessionProfileId: key.sessionProfileId } : {}) },
  apiKeyId: id,
  apiKeyName: name,
  ...(expirationSeconds === undefined ? {} : { expirationSeconds: String(expirationSeconds) }),
  ...timesView(key),
});
