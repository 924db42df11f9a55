import type { JsonObject } from '../../protocol/json.ts';
import { type AbiFunction, abiFunction } from './abi-function.ts';
import type { CallSite, Move } from './call.ts';
import type { Value } from './value.ts';

/** A function that is known without an upload, and what a call of it does. */
export type BuiltInFunction = {
  readonly selector: string;
  readonly standard: string;
  readonly abi: () => AbiFunction;
  readonly moves?: (site: CallSite, values: readonly Value[]) => readonly Move[];
  /** The calls that it makes; undefined where the arguments do not say. */
  readonly calls?: (site: CallSite, values: readonly Value[]) => readonly CallSite[] | undefined;
};

type Effects<Values> = {
  moves?: (site: CallSite, values: Values) => readonly Move[];
  calls?: (site: CallSite, values: Values) => readonly CallSite[] | undefined;
};

/**
 * The function with this signature, written with names as `transfer(address to,uint256 amount)`; the signature is parsed when it is
 * first needed. `Values` are the types that decoding it gives.
 */
export function builtIn<Values>(
  selector: string,
  standard: string,
  text: string,
  effects: Effects<Values> = {},
): BuiltInFunction {
  let abi: AbiFunction | undefined;
  return {
    selector,
    standard,
    abi: () => (abi ??= parseSignature(text)),
    ...(effects as Effects<readonly Value[]>),
  };
}

function parseSignature(text: string): AbiFunction {
  const open = text.indexOf('(');
  return abiFunction(text.slice(0, open), readList({ text, at: open }));
}

type Cursor = { readonly text: string; at: number };

/** Parameters in parentheses, as the `inputs` of an ABI in JSON. */
function readList(cursor: Cursor): JsonObject[] {
  const parameters: JsonObject[] = [];
  cursor.at++;
  while (cursor.text[cursor.at] !== ')') {
    const components = cursor.text[cursor.at] === '(' ? readList(cursor) : undefined;
    const [, type, name] = next(cursor, /([a-z0-9]*(?:\[\d*\])*) (\w+),?/y);
    parameters.push(components ? { name, type: `tuple${type}`, components } : { name, type });
  }
  cursor.at++;
  return parameters;
}

function next(cursor: Cursor, pattern: RegExp): [string, string, string] {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text) as RegExpExecArray;
  cursor.at = pattern.lastIndex;
  return [...match] as [string, string, string];
}
