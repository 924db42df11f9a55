/** Queries that Turnkey does not have. */
export const ourQueries: readonly string[] = [
  'check_policy',
  'format_policy',
  'dry_run',
  'explain_activity',
  'explain_request',
  'replay_policies',
  'get_activity_facts',
  'get_receipt',
  'list_smart_accounts',
];

/** Activities that Turnkey does not have. */
export const ourActivities: readonly string[] = [
  'create_smart_account',
  'delete_smart_accounts',
  'sign_user_operation',
  'sign_user_operation_intent',
];
