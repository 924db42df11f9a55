/** From the `parameters` of a request to those of the activity's newest version, or one error that names each wrong field. */
import * as v from 'valibot';
import type { ActivityVersion, Schema } from './activities/activity.ts';
import { type CountersignError, type FieldViolation, invalidArgument } from './errors.ts';
import { exactObjects } from './exact-objects.ts';

const maxDepth = 32;
/** Of all lists together: each may cost an issue before anybody has been authenticated. */
const maxElements = 10_000;
const maxViolations = 10;

/**
 * Parses the `parameters` of an activity version into those of the newest one. `null` is absent; a field that the version
 * does not have is refused. Throws INVALID_ARGUMENT with at most ten `fields`.
 */
export const parseParameters = (version: ActivityVersion, parameters: unknown) =>
  parseFields(version.parameters, parameters, 'parameters');

/** Parses `input` with `schema`; paths of the violations start at `root` (empty: at the input's own fields). */
export function parseFields<T extends Schema>(schema: T, input: unknown, root = ''): v.InferOutput<T> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw violation([{ field: root, description: 'expected an object' }]);
  }
  const parsed = v.safeParse(exactObjects(schema), withoutNulls(input), { message: describe, abortPipeEarly: true });
  if (parsed.success) return parsed.output;
  throw violation(
    parsed.issues.slice(0, maxViolations).map((issue) => ({
      field: [root, ...(issue.path ?? []).map((item) => String(item.key))].filter((part) => part !== '').join('.'),
      description: issue.message,
    })),
  );
}

/** `value` without the members that are `null`, at every depth; elements of arrays stay. What has none is not copied. */
export function withoutNulls(value: unknown): unknown {
  let elements = 0;
  const walk = (part: unknown, depth: number): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (depth > maxDepth) throw invalidArgument(`bad request body: nested more than ${maxDepth} levels deep`);
    if (Array.isArray(part)) {
      elements += part.length;
      if (elements > maxElements) throw invalidArgument(`bad request body: more than ${maxElements} list entries`);
      const walked = part.map((element) => walk(element, depth + 1));
      return walked.some((element, index) => element !== part[index]) ? walked : part;
    }
    let copy: Record<string, unknown> | undefined;
    for (const [key, member] of Object.entries(part)) {
      const walked = walk(member, depth + 1);
      if (walked === member && member !== null) continue;
      // Without a prototype, so that a member called `__proto__` stays one.
      copy ??= Object.assign(Object.create(null) as Record<string, unknown>, part);
      if (walked === null) delete copy[key];
      else copy[key] = walked;
    }
    return copy ?? part;
  };
  return walk(value, 0);
}

/** For issues that the schema gives no message of its own. */
function describe(issue: v.BaseIssue<unknown>): string {
  const isKey = issue.type === 'strict_object' && issue.path !== undefined;
  if (isKey) return issue.expected === 'never' ? 'unknown field' : 'expected this field';
  return issue.expected === null ? 'expected another value' : `expected ${truncated(issue.expected)}`;
}

const truncated = (expected: string) => (expected.length > 200 ? `${expected.slice(0, 200)}…` : expected);

/** Turnkey's own sentences stand alone; ours say in which field. */
function violation(fields: readonly FieldViolation[]): CountersignError {
  const [first] = fields as [FieldViolation];
  const standsAlone = !/^(expected|unknown)\b/.test(first.description);
  return invalidArgument(standsAlone ? first.description : `bad request body: ${first.field}: ${first.description}`, {
    fields,
  });
}
