/**
 * Values whose type is known only at evaluation. A bigint may be an int, a uint, a timestamp or a duration, so where a static
 * type is forgotten, what is not an int is tagged with it.
 */
import type { Type, Value } from './types.ts';
import { compareBytes, isBytes, isList, isMap } from './values.ts';

type Tag = 'uint' | 'timestamp' | 'duration' | 'type';

export class Tagged {
  readonly tag: Tag;
  readonly value: bigint | string;
  readonly [field: string]: string | bigint;

  constructor(tag: Tag, value: bigint | string) {
    this.tag = tag;
    this.value = value;
  }
}

export type DynamicKind = 'null' | 'bool' | 'int' | 'double' | 'string' | 'bytes' | 'list' | 'map' | 'struct' | Tag;

export function kindOf(value: Value): DynamicKind {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
  }
  if (value instanceof Tagged) return value.tag;
  if (isList(value)) return 'list';
  if (isMap(value)) return 'map';
  return isBytes(value) ? 'bytes' : 'struct';
}

/** The value without its tag. */
export const untag = (value: Value): Value => (value instanceof Tagged ? value.value : value);

/** How a value of a static type becomes dynamic; null where nothing has to be done. */
export function toDynamic(type: Type): ((value: Value) => Value) | null {
  const { kind } = type;
  if (kind === 'uint' || kind === 'timestamp' || kind === 'duration')
    return (value) => new Tagged(kind, value as bigint);
  if (kind === 'type') return (value) => new Tagged(kind, value as string);
  if (kind === 'list') {
    const item = toDynamic(type.element);
    return item && ((value) => (value as readonly Value[]).map(item));
  }
  if (kind === 'map') {
    const item = toDynamic(type.value);
    return item && ((value) => new Map([...(value as Map<string, Value>)].map(([key, entry]) => [key, item(entry)])));
  }
  return null;
}

const isNumeric = (kind: DynamicKind): boolean => kind === 'int' || kind === 'uint' || kind === 'double';

/** CEL's equality at run time: numbers on one line, other types that differ are unequal. */
export function dynamicEquals(a: Value, b: Value): boolean {
  const [left, right] = [kindOf(a), kindOf(b)];
  if (isNumeric(left) && isNumeric(right)) {
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are equal where their values are
    return (untag(a) as bigint) == (untag(b) as bigint);
  }
  if (left !== right) return false;
  if (isBytes(a) && isBytes(b)) return compareBytes(a, b) === 0;
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((item, index) => dynamicEquals(item, b[index] ?? null));
  }
  if (isMap(a) && isMap(b)) {
    if (a.size !== b.size) return false;
    for (const [key, value] of a) {
      const other = b.get(key);
      if (other === undefined || !dynamicEquals(value, other)) return false;
    }
    return true;
  }
  return untag(a) === untag(b);
}

/** CEL's name of a dynamic value's type. */
export function typeName(value: Value): string {
  const kind = kindOf(value);
  const names: Partial<Record<DynamicKind, string>> = {
    null: 'null_type',
    timestamp: 'google.protobuf.Timestamp',
    duration: 'google.protobuf.Duration',
    struct: 'map',
  };
  return names[kind] ?? kind;
}
