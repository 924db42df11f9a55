import type { Type } from './types.ts';

export const types = {
  null: { kind: 'null' },
  bool: { kind: 'bool' },
  int: { kind: 'int', wide: false },
  uint: { kind: 'uint', wide: false },
  wideInt: { kind: 'int', wide: true },
  wideUint: { kind: 'uint', wide: true },
  double: { kind: 'double' },
  string: { kind: 'string' },
  bytes: { kind: 'bytes' },
  timestamp: { kind: 'timestamp' },
  duration: { kind: 'duration' },
  type: { kind: 'type' },
  address: { kind: 'address' },
  caseless: { kind: 'caseless' },
  value: { kind: 'value' },
  none: { kind: 'none' },
  dyn: { kind: 'dyn' },
} as const satisfies Record<string, Type>;

/** Items that a list may have whose size only the data tell. */
export const unknownItems = 256;

export const listOf = (element: Type, maxItems: number): Type => ({ kind: 'list', element, maxItems });

/** The type in words, for messages. */
export function describeType(type: Type): string {
  switch (type.kind) {
    case 'list':
      return `list(${describeType(type.element)})`;
    case 'map':
      return `map(${describeType(type.key)}, ${describeType(type.value)})`;
    case 'struct':
      return type.name;
    case 'caseless':
      return 'string (any case)';
    case 'value':
      return 'decoded argument';
    case 'none':
      return 'unknown';
    default:
      return type.kind;
  }
}

export const isInteger = (type: Type): type is Type & { kind: 'int' | 'uint' } =>
  type.kind === 'int' || type.kind === 'uint';
export const isCaseless = (type: Type): boolean => type.kind === 'address' || type.kind === 'caseless';
export const isText = (type: Type): boolean => type.kind === 'string' || isCaseless(type);
/** Only the data tell. */
export const isDynamic = (type: Type): boolean => type.kind === 'value' || type.kind === 'dyn';

/** The one type that holds both; undefined if there is none. */
export function join(a: Type, b: Type): Type | undefined {
  if (a.kind === 'none') return b;
  if (b.kind === 'none') return a;
  if (isInteger(a) && isInteger(b)) {
    if (a.kind === b.kind) return a.wide ? a : b;
    return a.wide || b.wide ? types.wideInt : undefined;
  }
  if (isText(a) && isText(b)) return a.kind === b.kind ? a : types.caseless;
  if (isDynamic(a) || isDynamic(b))
    return a.kind === 'dyn' || b.kind === 'dyn' ? types.dyn : a.kind === 'value' ? a : b;
  if (a.kind === 'list' && b.kind === 'list') {
    const element = join(a.element, b.element);
    return element && listOf(element, Math.max(a.maxItems, b.maxItems));
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const [key, value] = [join(a.key, b.key), join(a.value, b.value)];
    return key && value && { kind: 'map', key, value };
  }
  if (a.kind === 'struct' && b.kind === 'struct') return a.name === b.name ? a : undefined;
  return a.kind === b.kind ? a : undefined;
}
