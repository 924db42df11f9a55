/** The one syntax tree of both front ends, CEL and Turnkey's language: plain immutable nodes, each with its place in the text. */

/** Place in the source, in UTF-16 units; `end` is exclusive. */
export type Span = { readonly start: number; readonly end: number };

export type Language = 'cel' | 'turnkey';

export type Literal =
  | { readonly type: 'null'; readonly value: null }
  | { readonly type: 'bool'; readonly value: boolean }
  /** Any size; the checker knows which range the place where it stands has. */
  | { readonly type: 'int'; readonly value: bigint }
  /** CEL's `1u`. */
  | { readonly type: 'uint'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bytes'; readonly value: Uint8Array };

export type UnaryOperator = '!' | '-';
export type BinaryOperator = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%';

/** Macros with a variable. Turnkey's `any` is `exists`. */
export type Macro = 'all' | 'exists' | 'exists_one' | 'map' | 'filter';

export type Expression = { readonly span: Span } & (
  | { readonly kind: 'literal'; readonly literal: Literal }
  /** An amount with its unit: `1.5 ether`; `value` in the smallest unit. */
  | { readonly kind: 'amount'; readonly value: bigint; readonly unit: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly object: Expression; readonly field: string; readonly fieldSpan: Span }
  | { readonly kind: 'has'; readonly object: Expression; readonly field: string; readonly fieldSpan: Span }
  | { readonly kind: 'index'; readonly object: Expression; readonly index: Expression }
  /** Turnkey's `x[from..to]`, end exclusive. */
  | { readonly kind: 'slice'; readonly object: Expression; readonly from: Expression; readonly to: Expression }
  | {
      readonly kind: 'call';
      /** Null for a global function. */
      readonly receiver: Expression | null;
      readonly name: string;
      readonly nameSpan: Span;
      readonly arguments: readonly Expression[];
    }
  | {
      readonly kind: 'macro';
      readonly macro: Macro;
      readonly range: Expression;
      readonly variable: string;
      /** The predicate; for `map` with three arguments the filter, otherwise null for a `map`. */
      readonly predicate: Expression | null;
      /** What `map` makes of an element; null for the other macros. */
      readonly transform: Expression | null;
    }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
    }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [key: Expression, value: Expression])[] }
);
