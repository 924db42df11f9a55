/**
 * JSON text of what an answer's `activity.result` gives its caller, whatever its key is called; undefined where it gives nothing.
 * The caller would be given a second result, too, and no receipt vouches for one: both together are no result that was claimed.
 */
export function resultIn(result: object): string | undefined {
  const all: unknown[] = Object.values(result);
  return JSON.stringify(all.length > 1 ? all : all[0]);
}
