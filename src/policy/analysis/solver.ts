/** Z3, given SMT-LIB text. It runs on threads of its own, which keep the process alive: only ever start it in a worker. */
import type { Term } from './smt.ts';

/** Values by term as SMT-LIB writes them; undefined: there is no solution; `time limit`: nobody knows. */
export type Solution = ReadonlyMap<Term, string> | undefined | 'time limit';

export type Solver = {
  /** Whether `goal` can hold, and the values of `terms` where it does. */
  readonly solve: (goal: Term, terms: readonly Term[]) => Promise<Solution>;
};

type Z3 = Awaited<ReturnType<typeof load>>;
let loaded: Promise<Z3> | undefined;

async function load() {
  const { init } = await import('z3-solver');
  return (await init()).Z3;
}

/** What only looks at it can begin while it loads. */
export const preloadSolver = (): Promise<unknown> => (loaded ??= load());

/** A solver of what the script says, each question with the time limit in ms. */
export async function createSolver(script: string, timeLimit: number): Promise<Solver> {
  loaded ??= load();
  const z3 = await loaded;
  const context = z3.mk_context(z3.mk_config());
  const run = async (text: string): Promise<string> => {
    const answer = await z3.eval_smtlib2_string(context, text);
    if (answer.includes('(error ')) throw new Error(`the solver did not understand: ${answer}`);
    return answer;
  };
  await run(`(set-option :timeout ${timeLimit})\n(declare-fun fold (Int) Int)\n${script}`);
  return {
    async solve(goal, terms) {
      const answer = await run(`(push)\n(assert ${goal})\n(check-sat)`);
      const isSolved = answer.trim() === 'sat';
      const values = isSolved && terms.length > 0 ? await run(`(get-value (${terms.join(' ')}))`) : '';
      await run('(pop)');
      if (isSolved) return new Map(readPairs(values));
      return answer.trim() === 'unsat' ? undefined : 'time limit';
    },
  };
}

/** `((s0 5) (s1 (- 3)) (s2 "a"))`. */
function readPairs(text: string): (readonly [Term, string])[] {
  const pair = /\((\w+) ("(?:[^"]|"")*"|\(- \d+\)|[^\s()]+)\)/g;
  return Array.from(text.matchAll(pair), ([, name = '', value = '']) => [name, value] as const);
}

export const integerOf = (value: string): bigint => BigInt(value.replace(/[()\s]/g, ''));

/** The text of a literal of SMT-LIB. */
export const textOf = (value: string): string =>
  value
    .slice(1, -1)
    .replaceAll('""', '"')
    .replace(/\\u(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{4}))/g, (_, braced: string, plain: string) =>
      String.fromCodePoint(Number.parseInt(braced ?? plain, 16)),
    );
