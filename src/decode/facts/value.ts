/** Facts as plain values, in the representation that policies are evaluated on (the same as `Value` of src/policy/types.ts). */

/**
 * null, boolean, bigint (integers, and timestamps in nanoseconds), string (addresses and hex in lower case), Uint8Array,
 * arrays, Map (maps), objects that inherit nothing but facts (structs). A field that is absent is undefined.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<string | bigint | boolean, Value>
  | { readonly [field: string]: Value | undefined };

const nothing: object = Object.freeze(Object.create(null));

/** A struct with these fields: no name of `Object.prototype` is one of it. */
export function struct<T extends object>(fields: T): T {
  return Object.assign(Object.create(nothing), fields);
}

/**
 * Makes structs of which some fields are worked out when they are first read, and kept. `S` is what these are worked out of;
 * the getters stand on a shared prototype, as defining them on each object would cost more than the rest of it.
 */
export function lazyStruct<S, E extends object, L extends object>(
  eager: (source: S) => E,
  lazy: { readonly [K in keyof L]: (source: S) => L[K] },
): (source: S) => E & L {
  const source = Symbol('source');
  const prototype: object = Object.create(null);
  for (const name of Object.keys(lazy) as (keyof L & string)[]) {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: { [source]: S }) {
        const value = lazy[name](this[source]);
        // From now on a property like any other, which is several times as quick to read.
        Object.defineProperty(this, name, { value, enumerable: true });
        return value;
      },
    });
  }
  Object.freeze(prototype);
  return (given) => {
    const fields = Object.assign(Object.create(prototype), eager(given));
    fields[source] = given;
    return fields;
  };
}
