import { typeName } from '../dynamic.ts';
import type { Form } from '../functions/overload.ts';
import { functionTables } from '../functions/table.ts';
import { application, type Plan } from '../plan.ts';
import { compilePattern } from '../regex.ts';
import { suggest } from '../suggest.ts';
import type { Expression, Language } from '../syntax.ts';
import { foldCase } from '../text.ts';
import { type CronProblem, type CronSpan, inCronSpan, parseCronSpan } from '../turnkey/cron-span.ts';
import { describeType, isCaseless, isDynamic, isText, types } from '../type-relations.ts';
import type { Value } from '../types.ts';
import { type Checker, refuse, refuseName, type Scope } from './checker.ts';
import { coerce } from './coerce.ts';
import { historyFunctions, inferHistory } from './history.ts';
import { applyOverload } from './overloads.ts';

type Call = Expression & { readonly kind: 'call' };
type Infer = (checker: Checker, node: Call, scope: Scope) => Plan;

/** Functions that the table cannot describe. */
const special: Readonly<Record<'cel' | 'turnkey' | 'dynamic', ReadonlyMap<string, Infer>>> = {
  cel: new Map<string, Infer>([
    ['matches', inferMatches],
    ...historyFunctions.map((name): [string, Infer] => [name, inferHistory]),
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

/** All that can be called, but for the macros. */
export const functionNames = (language: Language): readonly string[] => [
  ...functionTables[language].keys(),
  ...special[language].keys(),
];

function refuseUnknown(checker: Checker, node: Call): Plan {
  const names = [...functionNames(checker.language), 'all', 'exists', 'exists_one', 'map', 'filter'];
  const found = otherNames.get(node.name) ?? suggest(node.name, names);
  return refuseName(checker, node, {
    message: `there is no function \`${node.name}\``,
    span: node.nameSpan,
    ...(found !== undefined && { suggestion: found }),
  });
}

/** What Turnkey's language and others call what CEL has too. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['count', 'size'],
  ['length', 'size'],
  ['len', 'size'],
  ['any', 'exists'],
  ['some', 'exists'],
  ['every', 'all'],
  ['includes', 'contains'],
  ['toLowerCase', 'lowerAscii'],
  ['CaseInsensitiveString', 'lowerAscii'],
  ['Timestamp', 'timestamp'],
]);

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
