/** One question: is there a request such that … The answer is never wrong; where it is not certain, it is "unknown". */
import { compileCode } from '../compile.ts';
import type { Plan } from '../plan.ts';
import type { Language } from '../syntax.ts';
import type { Value } from '../types.ts';
import type { Facts } from '../values.ts';
import type { Mystery } from './encode.ts';
import type { Problem } from './problem.ts';
import { and, apply, equal, integer, not, type Term } from './smt.ts';
import type { Solver } from './solver.ts';
import { symbolKey, type Unknown } from './symbols.ts';
import { readWitness, type Witness } from './witness.ts';

export type Answer =
  /** There is; the engine itself decides the witness so. */
  | { readonly answer: 'yes'; readonly witness: Witness }
  /** There is none. */
  | { readonly answer: 'no' }
  | { readonly answer: 'unknown'; readonly because: readonly Unknown[] };

/** What the engine says of a witness; `facts` for looking at what the solver did not know. */
export type Check = (witness: Witness) => { readonly holds: boolean; readonly facts: Facts };

/** Solutions that are tried until one checks. */
const maxTries = 5;
/** Why the solver itself does not know. */
const giveUp = (reason: string): Unknown =>
  /timeout|cancel|resource/.test(reason)
    ? { text: 'time limit', reason: 'the solver found no answer in time' }
    : { text: 'solver', reason: `it gave up: ${reason}` };

export function ask(solver: Solver, problem: Problem<unknown>, goal: Term, check: Check): Answer {
  const symbols = [...problem.symbols.all.values()];
  let narrowed = and(goal, problem.hint);
  let solution = solver.solve(narrowed, symbols);
  if (typeof solution !== 'object' && problem.hint !== 'true') {
    narrowed = goal;
    solution = solver.solve(goal, symbols);
  }
  if (solution === undefined) return none(problem);
  const because = new Map<string, Unknown>();
  for (let tries = 0; tries < maxTries && typeof solution === 'object'; tries++) {
    const supposed: ReadonlyMap<Term, string> = solution;
    const witness = readWitness(problem.symbols, supposed);
    const { holds, facts } = check(witness);
    if (holds) return { answer: 'yes', witness: fewestApprovers(solver, problem, narrowed, check, witness) };
    const wrong = [...problem.mysteries.values()].flatMap((mystery) => mistakeOf(mystery, facts, supposed));
    for (const { unknown } of wrong) because.set(unknown.text, unknown);
    if (wrong.length === 0) break;
    // The solver may have supposed what no request shows; what this one shows is worth a try.
    narrowed = and(narrowed, ...wrong.map(({ truth }) => truth));
    solution = solver.solve(narrowed, symbols);
  }
  if (typeof solution === 'string') because.set('solver', giveUp(solution));
  const { unknowns, doubts } = problem.symbols;
  const reasons = [...(because.size > 0 ? because : new Map([...unknowns, ...doubts])).values()];
  return { answer: 'unknown', because: reasons.length > 0 ? reasons : [unchecked] };
}

const teams = [1, 2, 3, 4, 8, 16];

/** A witness of the same that as few approve as possible: it is easier to read. */
function fewestApprovers(
  solver: Solver,
  { symbols }: Problem<unknown>,
  goal: Term,
  check: Check,
  witness: Witness,
): Witness {
  const length = symbols.all.get(symbolKey('approvers', 'length'))?.term;
  for (const most of teams) {
    if (length === undefined || most >= witness.approvers.length) break;
    const solution = solver.solve(and(goal, apply('<=', length, integer(most))), symbols.all.values());
    if (typeof solution !== 'object') continue;
    const smaller = readWitness(symbols, solution);
    if (check(smaller).holds) return smaller;
  }
  return witness;
}

/** Rather with a witness that the root quorum has nothing to do with. */
export function askAnyQuorum(solver: Solver, problem: Problem<unknown>, goal: Term, check: Check): Answer {
  const { root } = problem.options;
  if (solver.solve(goal, []) === undefined) return none(problem);
  const without = ask(solver, problem, and(goal, not(root)), check);
  if (without.answer === 'yes') return without;
  const by = ask(solver, problem, and(goal, root), check);
  return by.answer === 'no' ? without : by;
}

/** There is none: only lists could be longer than what was looked at. */
const none = ({ symbols: { bounded } }: Problem<unknown>): Answer =>
  bounded.size === 0 ? { answer: 'no' } : { answer: 'unknown', because: Array.from(bounded, tooLong) };

/** The solver took for independent what is not. */
const unchecked: Unknown = { text: 'witness', reason: 'the engine decides it otherwise than the solver' };

const tooLong = ([place, most]: readonly [string, number]): Unknown => ({
  text: place.replaceAll('[*]', '[…]'),
  reason: `there is none with at most ${most} elements, and longer lists are not looked into`,
});

type Mistake = { readonly unknown: Unknown; readonly truth: Term };

/** What the solver supposed of a function against what it is. */
function mistakeOf(
  { plan, language, unknown, value, error }: Mystery,
  facts: Facts,
  solution: ReadonlyMap<Term, string>,
): Mistake[] {
  if (hasVariable(plan)) return [];
  const result = valueOn(plan, language, facts);
  const fails = solution.get(error) === 'true';
  if (result === undefined) return fails || error === 'false' ? [] : [{ unknown, truth: error }];
  if (fails) return [{ unknown, truth: not(error) }];
  if (value.kind === 'bool' && typeof result === 'boolean' && solution.get(value.term) !== String(result)) {
    return [{ unknown, truth: result ? value.term : not(value.term) }];
  }
  if (value.kind === 'int' && typeof result === 'bigint' && solution.get(value.term) !== integer(result)) {
    return [{ unknown, truth: equal(value.term, integer(result)) }];
  }
  return [];
}

/** Undefined where it fails. */
function valueOn(plan: Plan, language: Language, facts: Facts): Value | undefined {
  try {
    return compileCode(plan, language)(facts);
  } catch {
    return undefined;
  }
}

function hasVariable(plan: Plan): boolean {
  switch (plan.op) {
    case 'variable':
    case 'loop':
      return true;
    case 'apply':
      return plan.arguments.some(hasVariable);
    case 'field':
    case 'has':
      return hasVariable(plan.object);
    case 'and':
    case 'or':
      return plan.operands.some(hasVariable);
    case 'conditional':
      return [plan.condition, plan.whenTrue, plan.whenFalse].some(hasVariable);
    case 'list':
      return plan.items.some(hasVariable);
    case 'map':
      return plan.entries.flat().some(hasVariable);
    default:
      return false;
  }
}
