import type { Apply } from '../plan.ts';
import type { Type } from '../types.ts';

/** `text`: a string of any case rule; if one argument is caseless, all are folded. `any`: every type. */
export type Parameter =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'text'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'strings'
  | 'any';

export type Overload = {
  /** The receiver first. */
  readonly parameters: readonly Parameter[];
  /** Of the arguments' types, where it depends on them. */
  readonly result: Type | ((types: readonly Type[]) => Type);
  readonly apply: Apply;
  /** It never throws. */
  readonly total?: boolean;
  readonly cost?: number;
};

/** How a function is called: `f(x)`, `x.f()`, or either. */
export type Form = 'global' | 'method' | 'both';

export type FunctionDefinition = { readonly form: Form; readonly overloads: readonly Overload[] };

export type FunctionTable = ReadonlyMap<string, FunctionDefinition>;
