import { defineActivity } from './activity.ts';
import { anyResult, targetActivity } from './vote-fields.ts';

export const approveActivity = defineActivity({
  name: 'approve_activity',
  summary: 'Approve an activity that needs consensus; answers with that activity',
  versions: {
    ACTIVITY_TYPE_APPROVE_ACTIVITY: {
      intent: 'approveActivityIntent',
      result: 'approveActivityResult',
      parameters: targetActivity,
    },
  },
  result: anyResult,
});
