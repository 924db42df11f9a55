/** One question: is there a request such that … The answer is never wrong; where it is not certain, it is "unknown". */
import { compileCode } from '../compile.ts';
import type { Plan } from '../plan.ts';
import type { Language } from '../syntax.ts';
import type { Value } from '../types.ts';
import type { Facts } from '../values.ts';
import type { Mystery } from './encode.ts';
import type { Problem } from './problem.ts';
import { and, equal, integer, not, type Term } from './smt.ts';
import type { Solver } from './solver.ts';
import { symbolKey, type Unknown } from './symbols.ts';
import { readWitness, type Witness } from './witness.ts';

export type Answer =
  /** There is; the engine itself decides the witness so. */
  | { readonly answer: 'yes'; readonly witness: Witness }
  /** There is none; `upTo` are lists that were looked at only so far. */
  | { readonly answer: 'no'; readonly upTo: readonly string[] }
  | { readonly answer: 'unknown'; readonly because: readonly Unknown[] };

/** What the engine says of a witness; `facts` for looking at what the solver did not know. */
export type Check = (witness: Witness) => { readonly holds: boolean; readonly facts: Facts };

/** Solutions that are tried until one checks. */
const maxTries = 5;
const timeLimit: Unknown = { text: 'time limit', reason: 'the solver found no answer in time' };

export async function ask(solver: Solver, problem: Problem<unknown>, goal: Term, check: Check): Promise<Answer> {
  const symbols = [...problem.symbols.all.values()];
  let narrowed = and(goal, problem.hint);
  let solution = await solver.solve(narrowed, symbols);
  if (typeof solution !== 'object' && problem.hint !== 'true') {
    narrowed = goal;
    solution = await solver.solve(goal, symbols);
  }
  if (solution === undefined) return { answer: 'no', upTo: limitsOf(problem) };
  const because = new Map<string, Unknown>();
  for (let tries = 0; tries < maxTries && typeof solution === 'object'; tries++) {
    const supposed: ReadonlyMap<Term, string> = solution;
    const witness = readWitness(problem.symbols, supposed);
    const { holds, facts } = check(witness);
    if (holds) return { answer: 'yes', witness: await fewestApprovers(solver, problem, narrowed, check, witness) };
    const wrong = [...problem.mysteries.values()].flatMap((mystery) => mistakeOf(mystery, facts, supposed));
    for (const { unknown } of wrong) because.set(unknown.text, unknown);
    if (wrong.length === 0) break;
    // The solver may have supposed what no request shows; what this one shows is worth a try.
    narrowed = and(narrowed, ...wrong.map(({ truth }) => truth));
    solution = await solver.solve(narrowed, symbols);
  }
  if (solution === 'time limit') because.set(timeLimit.text, timeLimit);
  const reasons = [...(because.size > 0 ? because : problem.symbols.unknowns).values()];
  return { answer: 'unknown', because: reasons.length > 0 ? reasons : [unchecked] };
}

/** A witness of the same that as few approve as possible: it is easier to read. */
async function fewestApprovers(
  solver: Solver,
  { symbols }: Problem<unknown>,
  goal: Term,
  check: Check,
  witness: Witness,
): Promise<Witness> {
  const length = symbols.all.get(symbolKey('approvers', 'length'))?.term;
  for (let count = 1; length !== undefined && count < witness.approvers.length; count++) {
    const solution = await solver.solve(and(goal, equal(length, integer(count))), symbols.all.values());
    if (typeof solution !== 'object') continue;
    const smaller = readWitness(symbols, solution);
    if (check(smaller).holds) return smaller;
  }
  return witness;
}

/** Rather with a witness that the root quorum has nothing to do with. */
export async function askAnyQuorum(
  solver: Solver,
  problem: Problem<unknown>,
  goal: Term,
  check: Check,
): Promise<Answer> {
  const { root } = problem.options;
  const without = await ask(solver, problem, and(goal, not(root)), check);
  if (without.answer === 'yes') return without;
  const by = await ask(solver, problem, and(goal, root), check);
  return by.answer === 'no' ? without : by;
}

const unchecked: Unknown = { text: 'witness', reason: 'the engine decides it otherwise than the solver' };

const limitsOf = ({ symbols }: Problem<unknown>): readonly string[] =>
  [...symbols.bounded].map(([place, most]) => `${most} elements of ${place.replaceAll('[*]', '[…]')}`);

type Mistake = { readonly unknown: Unknown; readonly truth: Term };

/** What the solver supposed of a function against what it is. */
function mistakeOf(
  { plan, language, text, value, error }: Mystery,
  facts: Facts,
  solution: ReadonlyMap<Term, string>,
): Mistake[] {
  if (hasVariable(plan)) return [];
  const result = valueOn(plan, language, facts);
  const unknown: Unknown = { text, reason: 'this is not encoded' };
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
