import type { getReceipt } from '../../protocol/queries/get-receipt.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';

export const getReceiptAnswer: Answer<typeof getReceipt> = async ({ activities }, { activityId, stamps }) => {
  const receipt = await activities.receipt(activityId, stamps);
  if (!receipt) throw notFound('activityId', 'final activity', activityId);
  return { receipt: receipt.toString('base64url') };
};
