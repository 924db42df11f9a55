import * as v from 'valibot';
import type { Schema } from './activities/activity.ts';

/** What valibot keeps in a schema: its parts, and the function that parses a value with them. */
type Node = {
  readonly kind: string;
  readonly type: string;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly item?: Node;
  readonly wrapped?: Node;
  readonly options?: readonly Node[];
  readonly pipe?: readonly Node[];
  readonly '~run': (this: Node, dataset: { value?: unknown }, config: unknown) => unknown;
};

const objectTypes = ['object', 'strict_object', 'loose_object', 'record'];
const known = new WeakMap<object, Node>();

/** Of any name but these, which valibot would leave out without a word. */
const anyName = ['loose_object', 'record'];
const leftOut = ['__proto__', 'prototype', 'constructor'];

/**
 * `schema` whose objects are what was given: they refuse arrays, which valibot takes for objects without members, and the
 * members that it leaves out. Made once for each schema.
 */
export const exactObjects = <T extends Schema>(schema: T): T => copyOf(schema as unknown as Node) as unknown as T;

function copyOf(node: Node): Node {
  const copy = known.get(node) ?? newCopyOf(node);
  known.set(node, copy);
  return copy;
}

function newCopyOf(node: Node): Node {
  const { entries, item, wrapped, options, pipe } = node;
  if (pipe) {
    const parts = pipe.map((part) => (part.kind === 'schema' ? copyOf(part) : part));
    return v.pipe(
      ...(parts as unknown as [Schema, v.PipeItem<unknown, unknown, v.BaseIssue<unknown>>]),
    ) as unknown as Node;
  }
  const copy: Node = {
    ...node,
    ...(entries && { entries: Object.fromEntries(Object.entries(entries).map(([key, part]) => [key, copyOf(part)])) }),
    ...(item && { item: copyOf(item) }),
    ...(wrapped && { wrapped: copyOf(wrapped) }),
    // Those of a picklist are values.
    ...(node.type === 'union' && options && { options: options.map(copyOf) }),
    ...(objectTypes.includes(node.type) && { '~run': runWithoutArrays(node) }),
  };
  return anyName.includes(node.type) ? refuseLeftOut(copy) : copy;
}

const refuseLeftOut = (node: Node): Node =>
  v.pipe(
    v.unknown(),
    v.rawCheck(({ dataset, addIssue }) => {
      const input = dataset.typed ? (dataset.value as Record<string, unknown> | null) : null;
      if (typeof input !== 'object' || input === null) return;
      for (const key of leftOut.filter((name) => Object.hasOwn(input, name))) {
        addIssue({
          message: 'unknown field',
          path: [{ type: 'object', origin: 'key', input, key, value: input[key] }],
        });
      }
    }),
    node as unknown as Schema,
  ) as unknown as Node;

/** Null, too, is no object, and so gives the issue that belongs to it. */
const runWithoutArrays = (node: Node): Node['~run'] =>
  function run(dataset, config) {
    return node['~run'].call(this, Array.isArray(dataset.value) ? { ...dataset, value: null } : dataset, config);
  };
