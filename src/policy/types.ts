/** The types that expressions are checked with. There is no `any`: `value` is a decoded argument whose type only the data tell. */

export type Type =
  | { readonly kind: 'null' | 'bool' | 'double' | 'string' | 'bytes' | 'timestamp' | 'duration' | 'type' }
  /** Signed, as wide as the language has it: 64 bits in CEL, 128 in Turnkey's. `wide`: up to 256 bits, as money is in both. */
  | { readonly kind: 'int' | 'uint'; readonly wide: boolean }
  /** 20 bytes as text: compares without regard to case. `caseless`: other text that does so too. */
  | { readonly kind: 'address' | 'caseless' }
  | { readonly kind: 'list'; readonly element: Type; readonly maxItems: number }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type }
  /** A struct with these fields and no others. */
  | { readonly kind: 'struct'; readonly name: string; readonly fields: { readonly [field: string]: Field } }
  /** `caseless`: its texts compare without regard to case, as those of a typed-data message do. */
  | { readonly kind: 'value'; readonly caseless?: true }
  /** The element of `[]`: fits every type. */
  | { readonly kind: 'none' }
  /** CEL's dynamic type, for its conformance tests only: no policy can have it. */
  | { readonly kind: 'dyn' };

export type Field = {
  readonly type: Type;
  /** One line, for completion and documentation. */
  readonly description: string;
  /** May be absent: CEL demands `has` first, Turnkey's language gets the type's default or an error at evaluation. */
  readonly optional?: true;
  /** What Turnkey's language reads where an optional field is absent; without it that is the error `missing-field`. */
  readonly default?: Value;
  /** Such a namespace is there only for some activities; naming it elsewhere is the error `namespace absent`. */
  readonly namespace?: true;
  /** Ours, beyond Turnkey's language: there it does not exist. */
  readonly celOnly?: true;
};

/** The names that an expression may use. */
export type Schema = { readonly [root: string]: Field };

/**
 * Values by type at evaluation: null, boolean, bigint (int and uint), number (double), string (string, and address and
 * caseless in lower case), Uint8Array, `Timestamp`/`Duration` as bigint nanoseconds, arrays, Map (map), null-prototype
 * objects (struct). A field that is absent is `undefined`.
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
