/** Queries that Turnkey does not have: tools for policies. */
export const ourQueries: readonly string[] = ['check_policy', 'format_policy', 'dry_run', 'explain_activity'];
