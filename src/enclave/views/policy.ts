import type { PolicyObject } from '../../protocol/queries/objects.ts';
import type { Policy } from '../state.ts';
import { timesView } from './times.ts';

export const policyView = ({
  id,
  name,
  effect,
  condition,
  consensus,
  time,
  language,
  delaySeconds,
  notes,
  ...times
}: Policy): PolicyObject => ({
  policyId: id,
  policyName: name,
  effect,
  condition,
  consensus,
  ...(time === undefined ? {} : { time }),
  ...(language === undefined ? {} : { language }),
  ...(delaySeconds === undefined ? {} : { delaySeconds }),
  notes,
  ...timesView(times),
});
