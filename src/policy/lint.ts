/** Common holes of policies: what is an expression all right, and probably not what its author means. */
import { checksumAddress } from '../decode/ethereum-address.ts';
import { hexToBytes } from '../decode/hex.ts';
import type { Checked } from './check.ts';
import type { ClauseName, Effect } from './policy-set.ts';
import type { Expression, Language, Span } from './syntax.ts';
import { isAddress } from './text.ts';
import { children } from './tree-builder.ts';

export type Rule =
  | 'any-for-all'
  | 'all-for-any'
  | 'empty-all'
  | 'unbounded-value'
  | 'missing-chain-id'
  | 'case-sensitive-address'
  | 'other-signing-kinds'
  | 'incomplete-calls'
  | 'signs-anything';

export type Warning = {
  readonly rule: Rule;
  readonly clause: ClauseName;
  readonly span: Span;
  readonly message: string;
  /** What to write in its place. */
  readonly suggestion?: string;
};

export type LintedClause = { readonly name: ClauseName; readonly checked: Checked };

type Finding = Omit<Warning, 'clause'>;

/** What is known about a node besides itself. */
type Place = {
  readonly language: Language;
  /** Whether the effect takes hold where the node is true; null where neither can be said. */
  readonly positive: boolean | null;
};

/** Warnings about a policy whose clauses are right, in the order of its text. */
export function lint(effect: Effect, clauses: readonly LintedClause[]): readonly Warning[] {
  const whole = clauses.some(({ name }) => name === 'condition') ? [] : [anythingGoes(effect, clauses)].flat();
  const found = clauses.flatMap(({ name, checked }) =>
    [...(name === 'condition' ? lintWhole(effect, checked) : []), ...lintNodes(effect, checked)].map((finding) => ({
      ...finding,
      clause: name,
    })),
  );
  return [...whole, ...found];
}

/** An allow of consensus alone lets its users do everything. */
function anythingGoes(effect: Effect, clauses: readonly LintedClause[]): readonly Warning[] {
  if (effect !== 'EFFECT_ALLOW') return [];
  const message = 'without a condition this allows every activity, the signing of anything among them';
  return [{ rule: 'signs-anything', clause: clauses[0]?.name ?? 'condition', span: { start: 0, end: 0 }, message }];
}

// What a condition as a whole does not say.

const signingKinds = ['SIGN_RAW_PAYLOAD', 'SIGN_RAW_PAYLOADS', 'SIGN_TRANSACTION'];

function lintWhole(effect: Effect, { tree, namespaces }: Checked): readonly Finding[] {
  const nodes = descendants(tree);
  const paths = new Set(nodes.map(pathOf));
  const { span } = tree;
  if (effect !== 'EFFECT_ALLOW') return otherKinds(nodes, namespaces, span);
  const findings: Finding[] = [];
  if (namespaces.includes('eth.tx')) {
    const lists = ['eth.tx.calls', 'eth.tx.transfers'].filter((list) => paths.has(list));
    if (lists.length > 0 && !paths.has('eth.tx.calls_complete')) {
      const message = `\`${lists[0]}\` has what is understood of the calldata, which may do more`;
      findings.push({ rule: 'incomplete-calls', span, message, suggestion: 'eth.tx.calls_complete' });
    }
    if (!paths.has('eth.tx.value') && lists.length === 0) {
      const message = 'nothing bounds `eth.tx.value`: any amount of the native currency may be sent along';
      findings.push({ rule: 'unbounded-value', span, message, suggestion: 'eth.tx.value == 0' });
    }
    if (!paths.has('eth.tx.chain_id')) {
      const message = 'nothing names `eth.tx.chain_id`: the same address may be another contract on another chain';
      findings.push({ rule: 'missing-chain-id', span, message, suggestion: 'eth.tx.chain_id == 1' });
    }
  }
  if (namespaces.includes('userop')) findings.push(...lintOperation(paths, span));
  if (namespaces.includes('eth.eip_712') && !paths.has('eth.eip_712.domain.chain_id')) {
    const message = 'nothing names `eth.eip_712.domain.chain_id`: a name alone is no contract, nor is an address';
    findings.push({ rule: 'missing-chain-id', span, message, suggestion: 'eth.eip_712.domain.chain_id == 1' });
  }
  if (allowsSigning(nodes) && !saysWhat(namespaces, paths)) {
    const message = 'this allows the signing of anything, bare digests included';
    findings.push({ rule: 'signs-anything', span, message });
  }
  return findings;
}

/** What an allow of user operations leaves open. */
function lintOperation(paths: ReadonlySet<string | undefined>, span: Span): readonly Finding[] {
  const findings: Finding[] = [];
  const lists = ['userop.calls', 'userop.transfers'].filter((list) => paths.has(list));
  if (lists.length > 0 && !paths.has('userop.opaque') && !paths.has('userop.calls_complete')) {
    const message = `\`${lists[0]}\` has what is understood of the calldata, which may do more`;
    findings.push({ rule: 'incomplete-calls', span, message, suggestion: '!userop.opaque' });
  }
  if (!['userop.total_value', ...lists].some((path) => paths.has(path))) {
    const message = 'nothing bounds `userop.total_value`: any amount of the native currency may leave the account';
    findings.push({ rule: 'unbounded-value', span, message, suggestion: 'userop.total_value == 0' });
  }
  if (!paths.has('userop.chain_id')) {
    const message = 'nothing names `userop.chain_id`: the same address may be another contract on another chain';
    findings.push({ rule: 'missing-chain-id', span, message, suggestion: 'userop.chain_id == 1' });
  }
  return findings;
}

const allowsSigning = (nodes: readonly Expression[]): boolean =>
  [...literalsComparedWith(nodes, 'activity.kind'), ...literalsComparedWith(nodes, 'activity.type')].some(isSigning) ||
  literalsComparedWith(nodes, 'activity.action').includes('SIGN');

const isSigning = (text: string): boolean => signingKinds.includes(kindOf(text));
const kindOf = (text: string): string => text.replace(/^ACTIVITY_TYPE_/, '').replace(/_V\d+$/, '');

/** Whether a condition looks at what is signed, and not only at who signs. */
const saysWhat = (namespaces: readonly string[], paths: ReadonlySet<string | undefined>): boolean =>
  namespaces.some((name) => /^(?:eth|solana|tron|bitcoin|tempo)\.|^(?:payload|userop)$/.test(name)) ||
  paths.has('activity.params.encoding') ||
  paths.has('activity.params.hash_function');

function otherKinds(nodes: readonly Expression[], namespaces: readonly string[], span: Span): readonly Finding[] {
  const kinds = [...literalsComparedWith(nodes, 'activity.kind'), ...literalsComparedWith(nodes, 'activity.type')];
  const named = signingKinds.filter((kind) => kinds.some((text) => kindOf(text) === kind));
  const open = signingKinds.filter((kind) => !named.includes(kind));
  if (named.length > 0 && open.length > 0) {
    const message = `this stops ${named.join(' and ')} alone: ${open.join(' and ')} can sign the same digest`;
    return [{ rule: 'other-signing-kinds', span, message, suggestion: "activity.action == 'SIGN'" }];
  }
  if (named.length === 0 && namespaces.includes('eth.tx') && !namespaces.includes('payload')) {
    const message =
      'this sees Ethereum transactions alone: SIGN_RAW_PAYLOAD and SIGN_RAW_PAYLOADS can sign their digest';
    return [{ rule: 'other-signing-kinds', span, message }];
  }
  return [];
}

/** Texts that `path` is compared with for equality. */
function literalsComparedWith(nodes: readonly Expression[], path: string): readonly string[] {
  return nodes.flatMap((node) => {
    if (node.kind !== 'binary' || !['==', 'in'].includes(node.operator)) return [];
    const sides = [node.left, node.right];
    return sides.some((side) => pathOf(side) === path) ? sides.flatMap(textsIn) : [];
  });
}

const textsIn = (node: Expression): readonly string[] => {
  if (node.kind === 'list') return node.items.flatMap(textsIn);
  return node.kind === 'literal' && node.literal.type === 'string' ? [node.literal.value] : [];
};

// What single sub-expressions say.

/** What is signed in one go: one element that a rule does not see is as good as none. */
const signedLists: ReadonlySet<string> = new Set([
  'eth.tx.calls',
  'eth.tx.transfers',
  'userop.calls',
  'userop.transfers',
  'eth.eip_712.known.calls',
  'eth.eip_712.known.transfers',
  'solana.tx.transfers',
  'solana.tx.spl_transfers',
  'solana.tx.instructions',
  'bitcoin.tx.outputs',
  'tron.tx.contract',
  'tempo.tx.calls',
]);
/** Lists that have an element wherever they are. */
const neverEmpty: ReadonlySet<string> = new Set(['eth.tx.calls', 'approvers', 'credentials']);

function lintNodes(effect: Effect, { tree, language }: Checked): readonly Finding[] {
  const sized = new Set(descendants(tree).map(sizedList));
  const visit = (node: Expression, place: Place): readonly Finding[] => {
    const below = (part: Expression, positive = place.positive) => visit(part, { ...place, positive });
    switch (node.kind) {
      case 'unary':
        return below(node.operand, node.operator === '!' && place.positive !== null ? !place.positive : null);
      case 'binary': {
        const isLogic = node.operator === '&&' || node.operator === '||';
        const parts = [node.left, node.right].flatMap((part) => below(part, isLogic ? place.positive : null));
        return [...addressLiterals(node), ...parts];
      }
      case 'macro': {
        const parts = node.predicate ? below(node.predicate) : [];
        return [...lintMacro(effect, node, place, sized), ...parts];
      }
      case 'conditional':
        return [...below(node.condition, null), ...below(node.whenTrue), ...below(node.whenFalse)];
      default:
        return children(node).flatMap((part) => below(part, null));
    }
  };
  return visit(tree, { language, positive: true });
}

function lintMacro(
  effect: Effect,
  { macro, range, span }: Expression & { kind: 'macro' },
  { language, positive }: Place,
  sized: ReadonlySet<string | undefined>,
): readonly Finding[] {
  const list = pathOf(range);
  if (list === undefined || positive === null) return [];
  const any = language === 'cel' ? 'exists' : 'any';
  const [isAny, isAll] = [macro === 'exists', macro === 'all'];
  // An allow has to hold for every element, a deny for any; behind `!` it is the other way round.
  const wantsAll = (effect === 'EFFECT_ALLOW') === positive;
  if (isAny && wantsAll && signedLists.has(list)) {
    const message = `one element of \`${list}\` is enough here, and every other one may be what it likes`;
    return [{ rule: 'any-for-all', span, message, suggestion: 'all' }];
  }
  if (isAll && !wantsAll && signedLists.has(list)) {
    const message = `one element of \`${list}\` that is otherwise is enough to get past this`;
    return [{ rule: 'all-for-any', span, message, suggestion: any }];
  }
  if (isAll && wantsAll && !neverEmpty.has(list) && !sized.has(list)) {
    const message = `\`all\` holds for an empty list: with no element in \`${list}\` this says nothing`;
    const suggestion = language === 'cel' ? `size(${list}) > 0` : `${list}.count() > 0`;
    return [{ rule: 'empty-all', span, message, suggestion }];
  }
  return [];
}

/** The list that a node takes the size of. */
function sizedList(node: Expression): string | undefined {
  if (node.kind !== 'call' || (node.name !== 'count' && node.name !== 'size')) return undefined;
  const list = node.receiver ?? node.arguments[0];
  return list && pathOf(list);
}

/** `wallet_account.address` compares exactly, and is shown with the capitals of EIP-55. */
function addressLiterals(node: Expression & { kind: 'binary' }): readonly Finding[] {
  const sides = [node.left, node.right];
  if (!sides.some((side) => pathOf(side) === 'wallet_account.address')) return [];
  return sides
    .flatMap((side) => (side.kind === 'list' ? side.items : [side]))
    .flatMap(({ span, ...literal }) => {
      if (literal.kind !== 'literal' || literal.literal.type !== 'string' || !isAddress(literal.literal.value))
        return [];
      const right = checksumAddress(hexToBytes(literal.literal.value) as Buffer);
      if (right === literal.literal.value) return [];
      const message = '`wallet_account.address` compares exactly: in this case it never matches';
      return [{ rule: 'case-sensitive-address' as const, span, message, suggestion: `'${right}'` }];
    });
}

const descendants = (node: Expression): readonly Expression[] => [node, ...children(node).flatMap(descendants)];

/** `eth.tx.to` of such a chain of fields. */
function pathOf(node: Expression): string | undefined {
  if (node.kind === 'name') return node.name;
  if (node.kind !== 'member') return undefined;
  const object = pathOf(node.object);
  return object === undefined ? undefined : `${object}.${node.field}`;
}
