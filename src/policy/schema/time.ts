import type { Schema } from '../types.ts';
import { field, namespace, struct, timestamp } from './shorthand.ts';

/** What `time` may name, besides `Timestamp(…)` and `CronSpan(…)`. */
export const timeSchema: Schema = {
  time: namespace(struct('Time', { now: field(timestamp, 'time of the decision') }), 'the trusted clock, read once'),
};
