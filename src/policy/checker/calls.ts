import { typeName } from '../dynamic.ts';
import { unknownSum } from '../failure.ts';
import type { Form } from '../functions/overload.ts';
import { functionTables } from '../functions/table.ts';
import { application, type Plan } from '../plan.ts';
import { compilePattern } from '../regex.ts';
import { suggest } from '../suggest.ts';
import type { Expression } from '../syntax.ts';
import { foldCase } from '../text.ts';
import { type CronProblem, type CronSpan, inCronSpan, parseCronSpan } from '../turnkey/cron-span.ts';
import { describeType, isCaseless, isDynamic, isText, types } from '../type-relations.ts';
import type { Value } from '../types.ts';
import { isAsset, normal, parseWindow, spendingKey, textOf, windowKey } from '../windows.ts';
import { type Checker, refuse, refuseName, type Scope } from './checker.ts';
import { coerce } from './coerce.ts';
import { applyOverload } from './overloads.ts';

type Call = Expression & { readonly kind: 'call' };
type Infer = (checker: Checker, node: Call, scope: Scope) => Plan;

/** Functions that the table cannot describe. */
const special: Readonly<Record<'cel' | 'turnkey' | 'dynamic', ReadonlyMap<string, Infer>>> = {
  cel: new Map<string, Infer>([
    ['matches', inferMatches],
    ['spent', inferHistory],
    ['spending', inferHistory],
    ['activities', inferHistory],
  ]),
  turnkey: new Map([
    ['CronSpan', inferCronSpan],
    ['IsGuaranteedWalletAccountInWallet', inferGuaranteed],
  ]),
  dynamic: new Map([
    ['dyn', inferDyn],
    ['type', inferTypeOf],
  ]),
};

export function inferCall(checker: Checker, node: Call, scope: Scope): Plan {
  const infer =
    special[checker.language].get(node.name) ?? (checker.dynamic ? special.dynamic.get(node.name) : undefined);
  if (infer !== undefined) return infer(checker, node, scope);
  const definition = functionTables[checker.language].get(node.name);
  const form: Form = node.receiver === null ? 'global' : 'method';
  if (definition === undefined) return refuseUnknown(checker, node);
  if (definition.form !== 'both' && definition.form !== form) {
    const expected = form === 'global' ? `x.${node.name}(…)` : `${node.name}(…)`;
    return refuse(checker, node, {
      message: `\`${node.name}\` is a ${definition.form === 'global' ? 'function' : 'method'}`,
      span: node.nameSpan,
      expected,
    });
  }
  const args = argumentsOf(node).map((argument) => checker.infer(argument, scope));
  if (args.some(({ type }) => type.kind === 'none'))
    return { op: 'constant', source: node, type: types.none, value: null };
  const plan = applyOverload(checker, definition.overloads, { source: node, name: node.name, arguments: args });
  if (plan === undefined) {
    const given = args.map(({ type }) => describeType(type)).join(', ');
    const expected = definition.overloads.map(({ parameters }) => `(${parameters.join(', ')})`).join(' or ');
    return refuse(checker, node, {
      message: `\`${node.name}\` does not take (${given})`,
      span: node.nameSpan,
      expected,
    });
  }
  if (plan.op === 'apply' && !checker.dynamic && args.every(({ op }) => op === 'constant'))
    checkConstantCall(checker, plan);
  return plan;
}

const argumentsOf = (node: Call): readonly Expression[] =>
  node.receiver === null ? node.arguments : [node.receiver, ...node.arguments];

/** A call with constants that was not folded always fails: a mistake of whoever wrote it. */
function checkConstantCall(checker: Checker, plan: Plan & { op: 'apply' }): void {
  try {
    plan.apply(...plan.arguments.map((argument) => (argument.op === 'constant' ? argument.value : null)));
  } catch (error) {
    refuse(checker, plan.source, { message: error instanceof Error ? error.message : 'this always fails' });
  }
}

function refuseUnknown(checker: Checker, node: Call): Plan {
  const names = [
    ...functionTables[checker.language].keys(),
    ...special[checker.language].keys(),
    'all',
    'exists',
    'exists_one',
    'map',
    'filter',
  ];
  const found = suggest(node.name, names);
  const message = `there is no function \`${node.name}\``;
  return refuseName(checker, node, {
    message,
    span: node.nameSpan,
    ...(found === undefined ? {} : { suggestion: found }),
  });
}

/** `text.matches(pattern)`: the pattern is constant and compiled here. */
function inferMatches(checker: Checker, node: Call, scope: Scope): Plan {
  const [textNode, patternNode, more] = argumentsOf(node);
  if (textNode === undefined || patternNode === undefined || more !== undefined) {
    return refuse(checker, node, {
      message: '`matches` takes a text and a pattern',
      span: node.nameSpan,
      expected: 'text.matches(pattern)',
    });
  }
  const [text, pattern] = [checker.infer(textNode, scope), checker.infer(patternNode, scope)];
  const base = { source: node, type: types.bool, name: 'matches', cost: 200 };
  if (checker.dynamic && (pattern.op !== 'constant' || !isText(text.type))) {
    const [anyText, anyPattern] = [coerce(text, types.string), coerce(pattern, types.string)];
    if (!anyText || !anyPattern)
      return refuse(checker, node, { message: '`matches` takes strings', span: node.nameSpan });
    return application({
      ...base,
      apply: (value: string, source: string) => compilePattern(source)(value),
      arguments: [anyText, anyPattern],
    });
  }
  const fits = isText(text.type) ? text : isDynamic(text.type) ? coerce(text, types.string) : undefined;
  if (fits === undefined) {
    if (text.type.kind === 'none') return text;
    return refuse(checker, textNode, { message: `\`matches\` of ${describeType(text.type)}`, expected: 'string' });
  }
  if (pattern.op !== 'constant' || typeof pattern.value !== 'string') {
    return refuse(checker, patternNode, {
      message: 'the pattern must be a constant string',
      expected: 'a string literal',
    });
  }
  const caseless = isCaseless(fits.type) || (text.type.kind === 'value' && text.type.caseless === true);
  try {
    const matches = compilePattern(pattern.value, caseless);
    return application({ ...base, apply: matches, arguments: [fits] });
  } catch (error) {
    return checker.dynamic
      ? application({
          ...base,
          apply: () => {
            throw error;
          },
          arguments: [fits],
        })
      : refuse(checker, patternNode, {
          message: 'the pattern is no regular expression of RE2, or too large',
          expected: 'RE2 syntax, without look-around and back references',
        });
  }
}

/** Turnkey's `CronSpan(cron, duration, zone)` about `time.now`. */
function inferCronSpan(checker: Checker, node: Call, scope: Scope): Plan {
  const texts = node.arguments.map((argument) =>
    argument.kind === 'literal' && argument.literal.type === 'string' ? argument.literal.value : null,
  );
  const [cron, duration, zone] = texts;
  if (typeof cron !== 'string' || typeof duration !== 'string' || typeof zone !== 'string' || texts.length !== 3) {
    return refuse(checker, node, {
      message: '`CronSpan` takes three string literals',
      span: node.nameSpan,
      expected: "CronSpan('0 9 * * 1-5', '8h', 'UTC')",
    });
  }
  if (checker.schema.time === undefined) {
    return refuse(checker, node, { message: '`CronSpan` is for the field `time` only', span: node.nameSpan });
  }
  const span: CronSpan | CronProblem = parseCronSpan(cron, duration, zone);
  if ('message' in span) return refuse(checker, node.arguments[span.argument] ?? node, { message: span.message });
  const time: Expression = { kind: 'name', name: 'time', span: node.span };
  const now = checker.infer(
    { kind: 'member', object: time, field: 'now', fieldSpan: node.span, span: node.span },
    scope,
  );
  return application({
    source: node,
    type: types.bool,
    name: 'CronSpan',
    apply: (at: bigint) => inCronSpan(span, at),
    total: true,
    cost: 1000,
    arguments: [now],
  });
}

/**
 * Turnkey's `IsGuaranteedWalletAccountInWallet(address, walletId)`: true only where it is certain, which it is of the account
 * that signs, in its wallet. The address may lack its 0x, as one cut out of calldata does.
 */
function inferGuaranteed(checker: Checker, node: Call, scope: Scope): Plan {
  const args = node.arguments.map((argument) => coerce(checker.infer(argument, scope), types.string));
  const [address, wallet] = args;
  if (!address || !wallet || args.length !== 2 || node.receiver !== null) {
    return refuse(checker, node, {
      message: `\`${node.name}\` takes two strings`,
      span: node.nameSpan,
      expected: `${node.name}(address, walletId)`,
    });
  }
  const bare = (text: string): string => foldCase(text).replace(/^0x/, '');
  const apply = (text: string, walletId: string, ownWallet: string, ownAddress: string): boolean =>
    ownAddress !== '' && walletId === ownWallet && bare(text) === bare(ownAddress);
  const own = [textFact(node, 'wallet', 'id'), textFact(node, 'wallet_account', 'address')];
  return application({
    source: node,
    type: types.bool,
    name: node.name,
    apply,
    total: true,
    arguments: [address, wallet, ...own],
  });
}

/** Empty where the activity does not carry it. */
const textFact = (source: Expression, root: string, field: string): Plan => ({
  op: 'path',
  source,
  type: types.string,
  steps: [
    { field: root, absent: 'default', default: {} },
    { field, absent: 'default', default: '' },
  ],
});

/** `spent(asset, window)`, `spending(asset)` and `activities(kind, window)`; see `windows.ts`. */
function inferHistory(checker: Checker, node: Call): Plan {
  const [what, window, more] = node.arguments.map(textOf);
  const length = window === undefined ? undefined : parseWindow(window);
  const ofKind = node.name === 'activities';
  const isNow = node.name === 'spending';
  const named = what !== undefined && (ofKind ? /^[A-Z][A-Z0-9_]{0,99}$/.test(what) : isAsset(what));
  const complete = named && (isNow ? node.arguments.length === 1 : length !== undefined && more === undefined);
  if (!complete || node.receiver !== null) {
    const given = ofKind ? "'SIGN_TRANSACTION'" : "'eip155:1/0x…'";
    return refuse(checker, node, {
      message: `\`${node.name}\` takes ${isNow ? 'an asset' : `${ofKind ? 'a kind of activity' : 'an asset'} and a window of at most 31 days`}, as literals`,
      span: node.span,
      expected: isNow ? `spending(${given})` : `${node.name}(${given}, '24h')`,
    });
  }
  const key = isNow
    ? spendingKey(normal('spent', what))
    : windowKey({ of: ofKind ? 'activities' : 'spent', what: normal(node.name, what), length: length as number });
  const history: Plan = {
    op: 'path',
    source: node,
    type: { kind: 'map', key: types.string, value: types.wideInt },
    steps: [{ field: 'history', absent: 'missing-field' }],
  };
  return application({
    source: node,
    type: types.wideInt,
    name: node.name,
    apply: (sums: ReadonlyMap<string, bigint>) => {
      const sum = sums.get(key);
      if (sum === undefined) throw unknownSum;
      return sum;
    },
    arguments: [history],
  });
}

function inferDyn(checker: Checker, node: Call, scope: Scope): Plan {
  const [argument] = node.arguments;
  if (argument === undefined || node.receiver !== null || node.arguments.length !== 1)
    return refuseUnknown(checker, node);
  const plan = checker.infer(argument, scope);
  return coerce(plan, types.dyn) ?? plan;
}

function inferTypeOf(checker: Checker, node: Call, scope: Scope): Plan {
  const [argument] = node.arguments;
  if (argument === undefined || node.receiver !== null || node.arguments.length !== 1)
    return refuseUnknown(checker, node);
  const plan = coerce(checker.infer(argument, scope), types.dyn);
  if (plan === undefined) return refuseUnknown(checker, node);
  return application({
    source: node,
    type: types.type,
    name: 'type',
    apply: (value: Value) => typeName(value),
    arguments: [plan],
  });
}
