import { defineActivity } from './activity.ts';
import { anyResult, targetActivity } from './vote-fields.ts';

export const rejectActivity = defineActivity({
  name: 'reject_activity',
  summary: 'Reject an activity that needs consensus; answers with that activity',
  versions: {
    ACTIVITY_TYPE_REJECT_ACTIVITY: {
      intent: 'rejectActivityIntent',
      result: 'rejectActivityResult',
      parameters: targetActivity,
    },
  },
  result: anyResult,
});
