/** The namespaces that only some activities carry, as bits, so that hundreds of policies can be asked at once. */
import { readPath } from './read-path.ts';
import { conditionSchema } from './schema/condition.ts';
import type { Schema } from './types.ts';
import type { Facts } from './values.ts';

export const namespaceNames = namesIn(conditionSchema, '');
const paths = namespaceNames.map((name) => name.split('.'));

function namesIn(schema: Schema, prefix: string): readonly string[] {
  return Object.entries(schema).flatMap(([name, { namespace, type }]) => {
    if (namespace) return [prefix + name];
    return type.kind === 'struct' ? namesIn(type.fields, `${prefix}${name}.`) : [];
  });
}

/** The bits of these namespaces. */
export function namespaceBits(names: readonly string[]): number {
  return namespaceNames.reduce((bits, name, index) => (names.includes(name) ? bits | (1 << index) : bits), 0);
}

/** Of the namespaces with the bits `among`, the bits of those that the facts do not carry. */
export function absentNamespaces(facts: Facts, among: number): number {
  let bits = 0;
  for (let left = among; left !== 0; left &= left - 1) {
    const index = lowest(left);
    if (readPath(facts, paths[index] as readonly string[]) === undefined) bits |= 1 << index;
  }
  return bits;
}

/** The first of these bits by name. */
export function namespaceName(bits: number): string {
  return namespaceNames[lowest(bits)] ?? '';
}

const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits);
