/** What policies may name, as a table: from the schemas themselves. */
import { type ClauseName, clauseSchemas } from './policy-set.ts';
import { describeType } from './type-relations.ts';
import type { Field, Type } from './types.ts';

export type FactRow = {
  /** `eth.tx.calls[].to`: of each element of a list. */
  readonly path: string;
  readonly type: string;
  readonly description: string;
  /** Turnkey's language does not have it. */
  readonly celOnly: boolean;
  /** May be absent: `has` asks. */
  readonly optional: boolean;
  /** Only some activities carry it. */
  readonly namespace: boolean;
};

/** Each fact before those inside it. */
export const describeFacts = (clause: ClauseName): readonly FactRow[] => rowsOf(clauseSchemas[clause], '', false);

function rowsOf(fields: Readonly<Record<string, Field>>, prefix: string, inCel: boolean): readonly FactRow[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const celOnly = inCel || field.celOnly === true;
    const row: FactRow = {
      path,
      type: describeType(field.type),
      description: field.description,
      celOnly,
      optional: field.optional === true,
      namespace: field.namespace === true,
    };
    return [row, ...inside(field.type, path, celOnly)];
  });
}

function inside(type: Type, path: string, celOnly: boolean): readonly FactRow[] {
  if (type.kind === 'struct') return rowsOf(type.fields, `${path}.`, celOnly);
  return type.kind === 'list' ? inside(type.element, `${path}[]`, celOnly) : [];
}
