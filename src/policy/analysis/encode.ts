/** Checked expressions of both languages as terms of the solver. What it does not encode becomes a symbol that can be anything. */
import { isRootHas } from '../evaluation.ts';
import type { Plan, Step } from '../plan.ts';
import type { Clause } from '../policy-set.ts';
import type { Language } from '../syntax.ts';
import type { Field, Type } from '../types.ts';
import { encodeApplication } from './encode-application.ts';
import { encodeLoop } from './encode-loop.ts';
import {
  constantEncoding,
  type Encoded,
  type Encoding,
  type Failing,
  fine,
  inOrder,
  isFalse,
  isTrue,
  sound,
  where,
} from './encoding.ts';
import { memberOf } from './members.ts';
import { schema } from './schema.ts';
import { and, equal, falsity, implies, ite, not, or, type Term, truth } from './smt.ts';
import { placeEncoding, type Symbols, symbolOf, type Unknown } from './symbols.ts';
import { unknown } from './unknown.ts';

export type Encoder = {
  readonly symbols: Symbols;
  readonly language: Language;
  /** The text that the expression is of, for naming parts of it. */
  readonly source: string;
  /** What it is the text of, for people. */
  readonly origin: string;
  /** The macros' variables. */
  readonly slots: Encoding[];
  /** What cannot be encoded, with what its evaluation depends on. */
  readonly mysteries: Map<string, Mystery>;
};

/** An application that is a symbol of its own, which the solver may learn something about from examples. */
export type Mystery = {
  readonly unknown: Unknown;
  readonly language: Language;
  readonly plan: Plan & { readonly op: 'apply' };
  readonly arguments: readonly Encoding[];
  /** The application itself fails. */
  readonly error: Term;
  readonly value: Encoding;
};

export type Encoders = Pick<Encoder, 'symbols' | 'mysteries'>;

export const encodeClause = (
  shared: Encoders,
  { language, source, checked }: Pick<Clause, 'language' | 'source' | 'checked'>,
  origin: string,
): Encoded => encode({ ...shared, language, source, origin, slots: [] }, checked.plan);

export function encode(encoder: Encoder, plan: Plan): Encoded {
  const encoded = encodeNode(encoder, plan);
  const { define } = encoder.symbols.script;
  const { value } = encoded;
  return {
    value:
      value.kind === 'bool'
        ? { kind: 'bool', term: define('Bool', value.term) }
        : value.kind === 'int'
          ? { kind: 'int', term: define('Int', value.term) }
          : value,
    absent: define('Bool', encoded.absent),
    error: define('Bool', encoded.error),
  };
}

function encodeNode(encoder: Encoder, plan: Plan): Encoded {
  switch (plan.op) {
    case 'constant':
      return fine(constantEncoding(plan.value));
    case 'path':
      return encodePath(encoder.symbols, plan.steps);
    case 'variable':
      return fine(encoder.slots[plan.slot] as Encoding);
    case 'field': {
      const object = encode(encoder, plan.object);
      if (object.value.kind !== 'struct') return unknown(encoder, plan, [object]);
      const { place, type } = object.value;
      const field = type.fields[plan.step.field] as Field;
      const found = encodeStep(encoder.symbols, `${place}.${plan.step.field}`, field, [plan.step]);
      return { ...found, ...inOrder([object, found]) };
    }
    case 'has':
      return encodeHas(encoder, plan);
    case 'apply':
      return encodeApplication(encoder, plan);
    case 'and':
    case 'or':
      return encodeLogic(
        plan.operands.map((operand) => encode(encoder, operand)),
        plan.op === 'or',
        encoder.language,
      );
    case 'conditional':
      return encodeConditional(encoder, plan);
    case 'loop':
      return encodeLoop(encoder, plan);
    case 'list': {
      const items = plan.items.map((item) => encode(encoder, item));
      const value: Encoding = {
        kind: 'items',
        dense: true,
        items: items.map((item) => ({ there: truth, value: item.value })),
      };
      return { value, ...inOrder(items) };
    }
    case 'map':
      return unknown(encoder, plan, [], 'maps that are built');
  }
}

/** Failures as `pathReader` has them: what is absent is the namespace that the path goes on to, if it does. */
function encodePath(symbols: Symbols, steps: readonly Step[]): Encoded {
  let fields: { readonly [name: string]: Field } = schema;
  let place = '';
  let failing: Failing = sound;
  for (const [index, { field: name }] of steps.entries()) {
    const field = fields[name] as Field;
    place = place === '' ? name : `${place}.${name}`;
    const encoded = encodeStep(symbols, place, field, steps.slice(index));
    failing = inOrder([failing, encoded]);
    if (index === steps.length - 1) return { value: encoded.value, ...failing };
    fields = field.type.kind === 'struct' ? field.type.fields : {};
  }
  throw new RangeError('a path has steps');
}

function encodeStep(symbols: Symbols, place: string, field: Field, steps: readonly Step[]): Encoded {
  const value = steps.length === 1 ? placeEncoding(symbols, alias(place), field.type) : ({ kind: 'opaque' } as const);
  const missing = not(presenceOf(symbols, place, field));
  const isNamespace = steps.some(({ absent }) => absent === 'namespace-absent');
  if (isNamespace) return { value, absent: missing, error: falsity };
  return { value, absent: falsity, error: steps[0]?.absent === 'missing-field' ? missing : falsity };
}

/** One clock under both its names. */
const alias = (place: string): string => (place === 'time.now' ? 'now' : place);

/** Namespaces and optional fields may be absent. */
export function presenceOf(
  symbols: Symbols,
  place: string,
  { namespace, optional, type }: Pick<Field, 'namespace' | 'optional' | 'type'>,
): Term {
  if (alwaysThere.has(place)) return truth;
  return namespace || optional ? symbolOf(symbols, place, 'present', type).term : truth;
}

const alwaysThere: ReadonlySet<string> = new Set(['activity', 'organization', 'request', 'now', 'time', 'time.now']);

function encodeHas(encoder: Encoder, plan: Plan & { op: 'has' }): Encoded {
  const { symbols } = encoder;
  if (isRootHas(plan) && plan.object.op === 'path') {
    const [{ field: root }] = plan.object.steps;
    const rootField = schema[root] as Field;
    const there = presenceOf(symbols, root, rootField);
    if (rootField.type.kind !== 'struct') return unknown(encoder, plan, []);
    return fine({ kind: 'bool', term: and(there, hasStructField(symbols, root, rootField.type, plan.field)) });
  }
  const object = encode(encoder, plan.object);
  const { value } = object;
  if (value.kind === 'struct') {
    return { ...object, value: { kind: 'bool', term: hasStructField(symbols, value.place, value.type, plan.field) } };
  }
  const found = memberOf(symbols, value, plan.field);
  if (!found) return unknown(encoder, plan, [object]);
  const failing = inOrder([object, { absent: falsity, error: not(found.isContainer) }]);
  return { value: { kind: 'bool', term: found.there }, ...failing };
}

/** Of a field with a default: absent it has the default. */
function hasStructField(symbols: Symbols, place: string, { fields }: Type & { kind: 'struct' }, name: string): Term {
  const field = fields[name] as Field;
  const at = `${place}.${name}`;
  if (field.default === undefined) return presenceOf(symbols, at, field);
  const { term } = symbolOf(symbols, at, 'present', field.type);
  const value = placeEncoding(symbols, at, field.type);
  const preset = constantEncoding(field.default);
  if (value.kind === 'int' && preset.kind === 'int')
    symbols.script.assert(implies(not(term), equal(value.term, preset.term)));
  // Otherwise the two are taken for independent.
  return term;
}

/** Strict, any error wins; in CEL an operand that decides does. */
export function encodeLogic(operands: readonly Encoded[], deciding: boolean, language: Language): Encoded {
  const error = or(...operands.map((operand) => operand.error));
  const absent = or(...operands.map((operand) => operand.absent));
  const decided = or(...operands.map(deciding ? isTrue : isFalse));
  const value = { kind: 'bool', term: deciding ? decided : not(decided) } as const;
  if (language === 'turnkey') return { value, error, absent: and(absent, not(error)) };
  return { value, error: and(error, not(decided)), absent: and(absent, not(error), not(decided)) };
}

function encodeConditional(encoder: Encoder, plan: Plan & { op: 'conditional' }): Encoded {
  const condition = encode(encoder, plan.condition);
  const [then, otherwise] = [encode(encoder, plan.whenTrue), encode(encoder, plan.whenFalse)];
  const holds = isTrue(condition);
  const value = choose(holds, then.value, otherwise.value);
  if (!value) return unknown(encoder, plan, [condition, then, otherwise]);
  const branches = [where(holds, then), where(isFalse(condition), otherwise)];
  return {
    value,
    absent: or(condition.absent, ...branches.map((each) => each.absent)),
    error: or(condition.error, ...branches.map((each) => each.error)),
  };
}

function choose(condition: Term, a: Encoding, b: Encoding): Encoding | undefined {
  if (a.kind === 'bool' && b.kind === 'bool') return { kind: 'bool', term: ite(condition, a.term, b.term) };
  if (a.kind === 'int' && b.kind === 'int') return { kind: 'int', term: ite(condition, a.term, b.term) };
  return undefined;
}
