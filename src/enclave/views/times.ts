import { type Timestamp, timestamp } from '../../protocol/timestamps.ts';

/** `createdAt` and `updatedAt` of an entity, as the last members of its view. */
export const timesView = (entity: {
  readonly createdAt: number;
  readonly updatedAt: number;
}): { createdAt: Timestamp; updatedAt: Timestamp } => ({
  createdAt: timestamp(entity.createdAt),
  updatedAt: timestamp(entity.updatedAt),
});
