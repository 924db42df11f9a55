/**
 * What a query of our own clients carries beside what the wire protocol asks for: its name and its time. So its stamp is
 * good for this query alone, and for as long as that of an activity. Clients of the wire protocol send neither.
 */
export const boundQuery = (name: string, request: object): object => ({
  ...request,
  query: name,
  timestampMs: String(Date.now()),
});
