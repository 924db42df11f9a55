import type * as v from 'valibot';
import type { features, quorum } from '../../protocol/queries/objects.ts';
import type { Organization } from '../state.ts';

export const featuresView = ({ settings }: Organization): v.InferOutput<typeof features> =>
  settings.features.map(({ name, value }) => ({ name, value }));

export const quorumView = ({ settings: { rootQuorum } }: Organization): v.InferOutput<typeof quorum> => ({
  threshold: rootQuorum.threshold,
  userIds: [...rootQuorum.userIds],
});
