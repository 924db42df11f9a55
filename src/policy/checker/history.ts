import { costOf } from '../cost.ts';
import { tooManyDestinations, unknownHistory } from '../failure.ts';
import { application, constant, type Plan } from '../plan.ts';
import type { Expression } from '../syntax.ts';
import { children } from '../tree-builder.ts';
import { describeType, listOf, types } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import { type History, historyKey, maxNewDestinations, windowOfCall } from '../windows.ts';
import { type Checker, refuse } from './checker.ts';
import { coerce } from './coerce.ts';

type Call = Expression & { readonly kind: 'call' };
type Form = { readonly takes: string; readonly example: string; readonly type: Type };

const addresses = listOf(types.address, maxNewDestinations);
const filters = "`activity.kind == 'SIGN_TRANSACTION'`";

/** What policies may ask about the past; see `windows.ts`. */
const forms: Readonly<Record<string, Form>> = {
  spent: {
    takes: 'an asset and a window of at most 31 days, as literals',
    example: "spent('eip155:1/0x…', '24h')",
    type: types.wideInt,
  },
  spending: { takes: 'an asset, as a literal', example: "spending('eip155:1/0x…')", type: types.wideInt },
  activities: {
    takes: `a kind of activity or a condition such as ${filters}, and a window of at most 31 days as a literal`,
    example: "activities('SIGN_TRANSACTION', '24h')",
    type: types.wideInt,
  },
  sinceLast: {
    takes: `a kind of activity, an asset, or a condition such as ${filters}`,
    example: "sinceLast('SIGN_TRANSACTION')",
    type: types.duration,
  },
  newRecipients: { takes: 'nothing', example: 'newRecipients()', type: addresses },
  newContracts: { takes: 'nothing', example: 'newContracts()', type: addresses },
};

export const historyFunctions: readonly string[] = Object.keys(forms);

export function inferHistory(checker: Checker, node: Call): Plan {
  const { takes, example, type } = forms[node.name] as Form;
  const key = historyKey(node);
  if (key === undefined) {
    return refuse(checker, node, { message: `\`${node.name}\` takes ${takes}`, expected: example });
  }
  if (checker.schema.activity === undefined) {
    return refuse(checker, node, {
      message: `\`${node.name}\` is for the field \`condition\` only`,
      span: node.nameSpan,
    });
  }
  const filter = windowOfCall(node)?.filter;
  const cost = 1 + (filter ? costOf(inferFilter(checker, filter)) : 0);
  const answers: Plan = {
    op: 'path',
    source: node,
    type: { kind: 'map', key: types.string, value: types.value },
    steps: [{ field: 'history', absent: 'missing-field' }],
  };
  const apply = (history: History): Value => {
    const answer = history.get(key);
    if (answer === undefined) throw unknownHistory;
    if (answer === null) throw tooManyDestinations;
    return answer;
  };
  return application({ source: node, type, name: node.name, apply, cost, arguments: [answers] });
}

/** A condition of its own: it is evaluated for each activity that is carried out, long before the policy around it. */
function inferFilter(checker: Checker, filter: Expression): Plan {
  const nothing = constant(filter, types.none, null);
  if (asksAboutPast(filter)) {
    refuse(checker, filter, { message: 'a condition about past activities cannot ask about their past' });
    return nothing;
  }
  const plan = checker.infer(filter, { variables: new Map(), present: new Set(), depth: 0 }, types.bool);
  if (coerce(plan, types.bool)) return plan;
  const message = `the condition is ${describeType(plan.type)}`;
  return refuse(checker, filter, { message, expected: 'bool, or a literal' });
}

const asksAboutPast = (node: Expression): boolean =>
  (node.kind === 'call' && Object.hasOwn(forms, node.name)) || children(node).some(asksAboutPast);
