import { conditionSchema } from '../schema/condition.ts';
import { consensusSchema } from '../schema/consensus.ts';
import { timeSchema } from '../schema/time.ts';
import type { Schema } from '../types.ts';

/** What the expressions of all clauses may name. */
export const schema: Schema = { ...conditionSchema, ...consensusSchema, ...timeSchema };
