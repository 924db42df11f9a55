import { kindOf, toDynamic, untag } from '../dynamic.ts';
import { noSuchOverload } from '../failure.ts';
import type { Overload, Parameter } from '../functions/overload.ts';
import { application, type Plan } from '../plan.ts';
import type { Expression } from '../syntax.ts';
import { isCaseless, isDynamic, isText, listOf, types } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import type { Checker } from './checker.ts';
import { coerce } from './coerce.ts';

function accepts(parameter: Parameter, type: Type): boolean {
  if (type.kind === 'none' || parameter === 'any') return true;
  if (parameter === 'text' || parameter === 'string') return isText(type);
  if (parameter === 'strings')
    return type.kind === 'list' && (isText(type.element) || isDynamic(type.element) || type.element.kind === 'none');
  return parameter === type.kind;
}

type Call = { readonly source: Expression; readonly name: string; readonly arguments: readonly Plan[] };

/** The call of the overload that fits; chosen at evaluation where only the data tell. Undefined where none does. */
export function applyOverload(checker: Checker, overloads: readonly Overload[], call: Call): Plan | undefined {
  const args = call.arguments;
  const arity = overloads.filter(({ parameters }) => parameters.length === args.length);
  const fitting = arity.filter(({ parameters }) =>
    parameters.every((parameter, index) => {
      const type = args[index]?.type ?? types.none;
      return isDynamic(type) || accepts(parameter, type);
    }),
  );
  const isStatic = args.every(({ type }) => !isDynamic(type));
  const [first] = fitting;
  if (isStatic && first !== undefined) return applyStatic(first, call);
  const candidates = checker.dynamic ? arity : fitting;
  return candidates.length === 0 ? undefined : applyDynamic(checker, candidates, call);
}

function applyStatic({ parameters, result, apply, total = false, cost = 1 }: Overload, call: Call): Plan {
  const caseless = call.arguments.some(({ type }, index) => parameters[index] === 'text' && isCaseless(type));
  const args = call.arguments.map((arg, index) => {
    return caseless && parameters[index] === 'text'
      ? (coerce(arg, isCaseless(arg.type) ? arg.type : types.caseless) ?? arg)
      : arg;
  });
  const type = typeof result === 'function' ? result(args.map((arg) => arg.type)) : result;
  return application({ ...call, type, apply, total, cost, arguments: args });
}

function applyDynamic(checker: Checker, candidates: readonly Overload[], call: Call): Plan {
  const tags = call.arguments.map(({ type }) => toDynamic(type));
  const results = candidates.map(({ result }) => (typeof result === 'function' ? types.dyn : result));
  const [first] = results;
  const known =
    first !== undefined && first.kind !== 'dyn' && results.every(({ kind }) => kind === first.kind) ? first : undefined;
  const apply = (...values: Value[]): Value => {
    const tagged = values.map((value, index) => tags[index]?.(value) ?? value);
    const found = candidates.find(({ parameters }) =>
      parameters.every((parameter, index) => accepts(parameter, dynamicType(tagged[index] ?? null))),
    );
    if (found === undefined) throw noSuchOverload;
    const value = found.apply(...tagged.map(untag));
    if (known !== undefined) return value;
    const type = typeof found.result === 'function' ? found.result(tagged.map(dynamicType)) : found.result;
    return toDynamic(type)?.(value) ?? value;
  };
  const type = known ?? (checker.dynamic ? types.dyn : types.value);
  const cost = Math.max(...candidates.map((candidate) => candidate.cost ?? 1));
  return application({ ...call, type, apply, cost });
}

function dynamicType(value: Value): Type {
  const kind = kindOf(value);
  if (kind === 'int' || kind === 'uint') return { kind, wide: false };
  if (kind === 'list') return listOf(types.dyn, 0);
  if (kind === 'map' || kind === 'struct') return { kind: 'map', key: types.dyn, value: types.dyn };
  return types[kind];
}
