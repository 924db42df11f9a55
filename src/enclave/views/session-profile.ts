import type { SessionProfileObject } from '../../protocol/queries/objects.ts';
import type { SessionProfile } from '../state.ts';
import { timesView } from './times.ts';

export const sessionProfileView = ({
  id,
  name,
  scope,
  expirationSeconds,
  notes,
  ...times
}: SessionProfile): SessionProfileObject => ({
  sessionProfileId: id,
  sessionProfileName: name,
  scope,
  ...(expirationSeconds === undefined ? {} : { expirationSeconds: String(expirationSeconds) }),
  ...(notes === undefined ? {} : { notes }),
  ...timesView(times),
});
