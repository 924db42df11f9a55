import type { ApiKeyObject } from '../../protocol/queries/objects.ts';
import type { ApiKey } from '../state.ts';
import { timesView } from './times.ts';

export const apiKeyView = ({ id, name, publicKey, type, expirationSeconds, ...times }: ApiKey): ApiKeyObject => ({
  credential: { publicKey, type },
  apiKeyId: id,
  apiKeyName: name,
  ...(expirationSeconds === undefined ? {} : { expirationSeconds: String(expirationSeconds) }),
  ...timesView(times),
});
