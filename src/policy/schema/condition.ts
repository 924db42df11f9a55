import type { Schema } from '../types.ts';
import { eth } from './ethereum.ts';
import { organization } from './organization.ts';
import { bitcoin, tempo, tron } from './other-chains.ts';
import { parameters } from './parameters.ts';
import { payload } from './payload.ts';
import { cel, field, namespace, optional, string, struct, timestamp } from './shorthand.ts';
import { signers } from './signers.ts';
import { solana } from './solana.ts';
import { userop } from './user-operation.ts';

/** What `condition` may name: what is asked for, decoded from the bytes to be signed. */
export const conditionSchema: Schema = {
  activity: namespace(
    struct('Activity', {
      type: field(string, '`ACTIVITY_TYPE_…`, with its version'),
      kind: field(string, 'the type without prefix and version: matches every version'),
      resource: field(string, 'what it is about, such as `PRIVATE_KEY`'),
      action: field(string, '`CREATE`, `UPDATE`, `DELETE`, `SIGN`, `EXPORT`, `IMPORT`, `VERIFY` or `ENCRYPT`'),
      params: field(parameters, 'parameters; which there are depends on the type'),
    }),
    'the activity',
  ),
  eth,
  solana,
  tron,
  bitcoin,
  tempo,
  ...signers,
  payload,
  userop,
  organization: cel({ ...organization, namespace: true }),
  request: cel(
    namespace(
      struct('Request', { origin: optional(string, 'web origin that the passkey saw') }),
      'how the request came here',
    ),
  ),
  now: cel(namespace(timestamp, 'time of the decision')),
};
