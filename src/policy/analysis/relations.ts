/** What holds between the facts of every request that there can be. Only what is certain: it decides what is answered "no". */
import { activityKind } from '../activity-kind.ts';
import { activityClass, activityKinds } from '../schema/activities.ts';
import { exposedParameters } from '../schema/parameters.ts';
import { foldCase } from '../text.ts';
import type { Type } from '../types.ts';
import { parseWindow } from '../windows.ts';
import { typesOf } from './limits.ts';
import { schema } from './schema.ts';
import { and, apply, equal, implies, integer, ite, not, or, type Term, text } from './smt.ts';
import { type FactSymbol, itemsAt, type Role, type Symbols, symbolKey, symbolOf, textId } from './symbols.ts';

const string: Type = { kind: 'string' };
const find = ({ all }: Symbols, place: string, role: Role = 'value'): FactSymbol | undefined =>
  all.get(symbolKey(place, role));

export const isKind = (symbols: Symbols, kinds: Iterable<string>): Term => {
  const { term } = symbolOf(symbols, 'activity.kind', 'value', string);
  return or(...Array.from(kinds, (kind) => equal(term, textId(symbols, kind))));
};

/** Also those that no expression asks about but decisions do. */
export function relate(symbols: Symbols): void {
  relateKinds(symbols);
  relateSigned(symbols);
  relateSigners(symbols);
  relateApprovals(symbols);
  relateCalldata(symbols);
  relateWindows(symbols);
  const now = find(symbols, 'now');
  // No request is older than this program.
  if (now) symbols.script.assert(apply('>=', now.term, integer(BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n)));
  for (const { role, type, sort, term } of [...symbols.all.values()]) {
    if (role !== 'value' || type.kind !== 'address' || sort !== 'String') continue;
    const isAddress = and(equal(apply('str.len', term), '42'), apply('str.prefixof', text('0x'), term));
    symbols.script.assert(or(equal(term, text('')), isAddress));
  }
}

/** What holds of all texts that are known by now; to be said last. */
export function closeTexts(symbols: Symbols): void {
  for (const known of [...symbols.texts.keys()]) textId(symbols, foldCase(known));
  relateTypes(symbols);
  relateCases(symbols);
}

function relateKinds(symbols: Symbols): void {
  const { script } = symbols;
  script.assert(isKind(symbols, activityKinds));
  for (const name of ['resource', 'action'] as const) {
    const symbol = find(symbols, `activity.${name}`);
    if (!symbol) continue;
    const groups = Map.groupBy(activityKinds, (kind) => activityClass(kind)?.[name] ?? '');
    const each = [...groups].map(([value, kinds]) =>
      and(equal(symbol.term, textId(symbols, value)), isKind(symbols, kinds)),
    );
    script.assert(or(...each));
  }
  for (const { place, role, term } of [...symbols.all.values()]) {
    const [, name] = /^activity\.params\.(\w+)$/.exec(place) ?? [];
    if (role !== 'present' || name === undefined) continue;
    const kinds = Object.entries(exposedParameters).filter(([, names]) => names.includes(name));
    script.assert(
      implies(
        term,
        isKind(
          symbols,
          kinds.map(([kind]) => kind),
        ),
      ),
    );
  }
}

/** `activity.type` is a kind with prefix and version: one of those that are known, or another where not all of them are. */
function relateTypes(symbols: Symbols): void {
  const { script, texts } = symbols;
  const type = find(symbols, 'activity.type');
  if (!type) return;
  for (const [known, id] of [...texts]) {
    const kind = activityKind(known);
    const isType = typesOf(kind).includes(known) && activityKinds.includes(kind);
    const is = equal(type.term, integer(id));
    script.assert(isType ? implies(is, isKind(symbols, [kind])) : not(is));
  }
  const all = symbols.limits.choices.get('activity.type') ?? [];
  if (!all.every((each) => texts.has(each))) return;
  script.assert(or(...all.map((each) => equal(type.term, textId(symbols, each)))));
}

const signingKinds = activityKinds.filter((kind) => activityClass(kind)?.action === 'SIGN');
const rawKinds = ['SIGN_RAW_PAYLOAD', 'SIGN_RAW_PAYLOADS'];
const sendingKinds = ['SIGN_TRANSACTION', 'ETH_SEND_TRANSACTION', 'SOL_SEND_TRANSACTION'];
const chains = ['eth', 'solana', 'tron', 'bitcoin', 'tempo'];

/** What is signed is one thing, which is a transaction or not. */
function relateSigned(symbols: Symbols): void {
  const places = chains.flatMap((chain) => {
    const type = schema[chain]?.type;
    return type?.kind === 'struct' ? Object.keys(type.fields).map((name) => `${chain}.${name}`) : [];
  });
  const signed = places.flatMap((place) => find(symbols, place, 'present') ?? []);
  const never = (others: readonly string[]): Term =>
    isKind(
      symbols,
      signingKinds.filter((kind) => !others.includes(kind)),
    );
  for (const [index, { place, term }] of signed.entries()) {
    const [usual, others] = place.endsWith('.tx') ? [sendingKinds, rawKinds] : [rawKinds, sendingKinds];
    symbols.script.assert(implies(term, never(others)));
    symbols.supposed.add(implies(term, isKind(symbols, usual)));
    for (const other of signed.slice(index + 1)) symbols.script.assert(not(and(term, other.term)));
  }
  const payload = find(symbols, 'payload', 'present');
  if (payload) symbols.script.assert(implies(payload.term, never(sendingKinds)));
  const operation = find(symbols, 'userop', 'present');
  if (operation) symbols.script.assert(implies(operation.term, never([...rawKinds, ...sendingKinds])));
}

function relateSigners(symbols: Symbols): void {
  const { script } = symbols;
  const [wallet, account, key, tx] = ['wallet', 'wallet_account', 'private_key', 'eth.tx'].map((place) =>
    find(symbols, place, 'present'),
  );
  if (wallet && account) script.assert(implies(account.term, wallet.term));
  if (account && key) script.assert(not(and(account.term, key.term)));
  const [id, walletId] = [find(symbols, 'wallet.id'), find(symbols, 'wallet_account.wallet_id')];
  if (id && walletId && account && id.sort === walletId.sort)
    script.assert(implies(account.term, equal(id.term, walletId.term)));
  const [from, address] = [find(symbols, 'eth.tx.from'), find(symbols, 'wallet_account.address')];
  if (from?.sort === 'Int' && address?.sort === 'Int' && tx && account) {
    script.assert(implies(and(tx.term, account.term), equal(from.term, apply('fold', address.term))));
  }
}

/** Who started the activity approves it; nobody approves twice, and everybody with one credential. */
function relateApprovals(symbols: Symbols): void {
  const { script } = symbols;
  const own = approverIds(symbols);
  script.assert(apply('>=', (find(symbols, 'approvers', 'length') as FactSymbol).term, '1'));
  if (own.length > 1) script.assert(apply('distinct', ...own));
  const credentials = find(symbols, 'credentials', 'length');
  if (!credentials) return;
  script.assert(equal(credentials.term, (find(symbols, 'approvers', 'length') as FactSymbol).term));
  const ids = own.map((_, index) => symbolOf(symbols, `credentials[${index}].id`, 'value', string).term);
  if (ids.length > 1) script.assert(apply('distinct', ...ids));
  for (const [index, id] of own.entries()) {
    const user = find(symbols, `credentials[${index}].user_id`);
    if (user && user.sort === (find(symbols, `approvers[${index}].id`) as FactSymbol).sort)
      script.assert(equal(user.term, id));
  }
}

function approverIds(symbols: Symbols): readonly Term[] {
  const type = schema.approvers?.type as Type & { kind: 'list' };
  return itemsAt(symbols, 'approvers', type).map(
    (_, index) => symbolOf(symbols, `approvers[${index}].id`, 'value', string).term,
  );
}

/** The selector is the beginning of the data. */
function relateCalldata(symbols: Symbols): void {
  const { script, wantString, asString } = symbols;
  const names = ['eth.tx.data', 'eth.tx.selector', 'eth.tx.function_signature'];
  const [data, selector, signature] = names.map((place) => find(symbols, place));
  if (data?.sort === 'String') script.assert(apply('str.prefixof', text('0x'), data.term));
  if (!data || !(selector || signature)) return;
  if (names.some((name) => !asString.has(name))) {
    for (const name of names) wantString.add(name);
    return;
  }
  const length = apply('str.len', data.term);
  const isSelector = ({ term }: FactSymbol): Term =>
    and(equal(apply('str.len', term), '10'), apply('str.prefixof', term, data.term));
  const isEmpty = ({ term }: FactSymbol): Term => equal(term, text(''));
  if (selector) script.assert(ite(apply('<', length, '10'), isEmpty(selector), isSelector(selector)));
  if (signature) script.assert(or(isEmpty(signature), isSelector(signature)));
}

/** A longer window holds all that a shorter one does. */
function relateWindows(symbols: Symbols): void {
  const windows = [...symbols.all.values()].flatMap(({ place, role, term }) => {
    const [, of, window = ''] = /^history\["((?:spent|activities)\(.*), '(\w+)'\)"\]$/.exec(place) ?? [];
    return role === 'value' && of !== undefined ? [{ of, length: parseWindow(window) ?? 0, term }] : [];
  });
  for (const short of windows) {
    for (const long of windows) {
      if (short.of === long.of && short.length < long.length) symbols.script.assert(apply('<=', short.term, long.term));
    }
  }
}

/** Lower case, of the texts that are known; what compares without case is in lower case already. */
function relateCases(symbols: Symbols): void {
  const { script, texts, all } = symbols;
  for (const [known, id] of texts) script.assert(equal(apply('fold', integer(id)), textId(symbols, foldCase(known))));
  for (const { role, type, sort, term } of all.values()) {
    const isFolded = role === 'value' && (type.kind === 'address' || type.kind === 'caseless');
    if (isFolded && sort === 'Int') script.assert(equal(apply('fold', term), term));
  }
}

const usualLength = 3;

/** Lists are short, and texts that are folded in lower case, unless they are known: what witnesses are made of. */
export function suppose(symbols: Symbols): Term {
  const mixed = [...symbols.texts.keys()].filter((known) => known !== foldCase(known));
  const each = [...symbols.folded].map((term) => {
    const isKnown = mixed.map((known) => equal(term, textId(symbols, known)));
    return or(equal(apply('fold', term), term), ...isKnown);
  });
  const lengths = [...symbols.all.values()].filter(({ role }) => role === 'length');
  const short = lengths.map(({ term }) => apply('<=', term, String(usualLength)));
  return and(...symbols.supposed, ...each, ...short);
}
