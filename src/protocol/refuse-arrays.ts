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

/** `schema` whose objects refuse arrays, which valibot takes for objects without members. Made once for each schema. */
export const refuseArrays = <T extends Schema>(schema: T): T => copyOf(schema as unknown as Node) as unknown as T;

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
  return {
    ...node,
    ...(entries && { entries: Object.fromEntries(Object.entries(entries).map(([key, part]) => [key, copyOf(part)])) }),
    ...(item && { item: copyOf(item) }),
    ...(wrapped && { wrapped: copyOf(wrapped) }),
    // Those of a picklist are values.
    ...(node.type === 'union' && options && { options: options.map(copyOf) }),
    ...(objectTypes.includes(node.type) && { '~run': runWithoutArrays(node) }),
  };
}

/** Null, too, is no object, and so gives the issue that belongs to it. */
const runWithoutArrays = (node: Node): Node['~run'] =>
  function run(dataset, config) {
    return node['~run'].call(this, Array.isArray(dataset.value) ? { ...dataset, value: null } : dataset, config);
  };
