/** The ways in which effects refuse. `field` is the path of what is wrong in the request. */
import { CountersignError, invalidArgument } from '../../protocol/errors.ts';

export const invalidField = (field: string, message: string): CountersignError =>
  invalidArgument(message, { fields: [{ field, description: message }] });

const refusal = (code: 'NOT_FOUND' | 'UNIMPLEMENTED', field: string, message: string) =>
  new CountersignError(code, message, { fields: [{ field, description: message }] });

export const notFound = (field: string, what: string, id: string): CountersignError =>
  refusal('NOT_FOUND', field, `could not find ${what} ${id} in organization`);

export const unimplemented = (field: string, message: string): CountersignError =>
  refusal('UNIMPLEMENTED', field, message);

/** The entity `id`, or NOT_FOUND. */
export function find<T>(entities: ReadonlyMap<string, T>, id: string, what: string, field: string): T {
  const entity = entities.get(id);
  if (entity === undefined) throw notFound(field, what, id);
  return entity;
}

/** The entities `ids`, or NOT_FOUND for the first that is not there. */
export const findAll = <T>(
  entities: ReadonlyMap<string, T>,
  ids: readonly string[],
  what: string,
  field: string,
): T[] => ids.map((id, index) => find(entities, id, what, `${field}.${index}`));

/** Refuses a name that an entity other than `self` has. */
export function checkUnique(
  entities: Iterable<{ readonly id: string; readonly name: string }>,
  name: string,
  field: string,
  message: string,
  self?: string,
): void {
  for (const entity of entities) if (entity.name === name && entity.id !== self) throw invalidField(field, message);
}

/** Refuses a field that asks for what is not there yet: nothing that was stamped is left out in silence. */
export function refuseUnsupported(value: unknown, field: string, what: string): void {
  const isAbsent = value === undefined || (Array.isArray(value) && value.length === 0);
  if (!isAbsent) throw unimplemented(field, `${what} is not supported yet`);
}

/** Runs `check`; the fields that it names in an error are below `path`. */
export const within = <T>(path: string, check: () => T): T => renamingFields((field) => `${path}.${field}`, check);

/** Runs `check`; the fields that it names in an error get other names. */
export function renamingFields<T>(rename: (field: string) => string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof CountersignError) || !error.facts.fields) throw error;
    const fields = error.facts.fields.map((violation) => ({ ...violation, field: rename(violation.field) }));
    throw new CountersignError(error.code, error.message, { ...error.facts, fields });
  }
}
