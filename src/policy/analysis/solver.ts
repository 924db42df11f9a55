/** Z3, given SMT-LIB text. It runs on threads of its own, which keep the process alive: only ever start it in a worker. */
import { setFlagsFromString } from 'node:v8';
import type { Z3_ast, Z3_context, Z3_sort } from 'z3-solver';
import type { Sort, Term } from './smt.ts';

/** Values by symbol as SMT-LIB writes them; undefined: there is no solution; a text: nobody knows, for this reason. */
export type Solution = ReadonlyMap<Term, string> | undefined | string;

export type SolverSymbol = { readonly term: Term; readonly sort: Sort };

export type Solver = {
  /** Whether `goal` can hold, and the values of symbols where it does. */
  readonly solve: (goal: Term, symbols: Iterable<SolverSymbol>) => Solution;
};

type Loaded = Awaited<ReturnType<typeof load>>;
type Z3 = Loaded['Z3'];
let loaded: Promise<Loaded> | undefined;

/**
 * A check that waits for another thread starts one, so that there is a thread at hand for the clock of those that do not:
 * each check on this thread saves the way to another, which costs more than most checks themselves.
 */
async function load() {
  setFlagsFromString('--wasm-lazy-validation');
  const { init } = await import('z3-solver');
  const { Z3, em } = await withTableRemembered(init);
  const context = Z3.mk_context(Z3.mk_config());
  const solver = Z3.mk_simple_solver(context);
  Z3.solver_inc_ref(context, solver);
  await Z3.solver_check(context, solver);
  Z3.solver_dec_ref(context, solver);
  Z3.del_context(context);
  const call = em.ccall as (name: string, result: 'number', types: readonly 'number'[], args: unknown[]) => number;
  return { Z3, check: (...args: unknown[]) => call('Z3_solver_check', 'number', ['number', 'number'], args) };
}

/**
 * At each call between functions this build of Z3 reads its table of functions to assert that nobody has changed it, which is
 * a third of all its time. The table of what `load` instantiates remembers what it was asked for.
 */
async function withTableRemembered<T>(load: () => Promise<T>): Promise<T> {
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = (async (bytes: BufferSource, imports: WebAssembly.Imports) => {
    const made = await instantiate(bytes, imports);
    remember(made.instance.exports.__indirect_function_table as WebAssembly.Table);
    return made;
  }) as typeof instantiate;
  try {
    return await load();
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}

function remember(table: WebAssembly.Table): void {
  const known = new Array<unknown>(table.length);
  const { get, set } = WebAssembly.Table.prototype;
  Object.assign(table, {
    get: (index: number) => (known[index] ??= get.call(table, index)),
    set(index: number, value: unknown) {
      known[index] = undefined;
      set.call(table, index, value);
    },
  });
}

/** What else is to be done first can be done while it loads. */
export function preloadSolver(): void {
  loaded ??= load();
}

/** What `use` makes of a solver of what the script says, with the time limit in ms for each question. */
export async function withSolver<Result>(
  script: string,
  timeLimit: number,
  use: (solver: Solver) => Result,
): Promise<Result> {
  const solver = await createSolver(script, timeLimit);
  try {
    return use(solver);
  } finally {
    solver.end();
  }
}

async function createSolver(script: string, timeLimit: number): Promise<Solver & { readonly end: () => void }> {
  loaded ??= load();
  const { Z3: z3, check } = await loaded;
  const context = z3.mk_context(z3.mk_config());
  const parser = z3.mk_parser_context(context);
  z3.parser_context_inc_ref(context, parser);
  const solver = z3.mk_simple_solver(context);
  z3.solver_inc_ref(context, solver);
  const parameters = z3.mk_params(context);
  z3.params_inc_ref(context, parameters);
  z3.params_set_uint(context, parameters, z3.mk_string_symbol(context, 'timeout'), timeLimit);
  // Suppose of each proposition that it is false: most namespaces are absent, most policies do not match.
  z3.params_set_uint(context, parameters, z3.mk_string_symbol(context, 'phase_selection'), 0);
  z3.solver_set_params(context, solver, parameters);
  // `eval_smtlib2_string` would hand its text to another thread after having freed it.
  const assert = (text: string): void => {
    const found = z3.parser_context_from_string(context, parser, text);
    if (z3.get_error_code(context) !== 0) {
      throw new Error(`the solver did not understand: ${z3.get_error_msg(context, z3.get_error_code(context))}`);
    }
    z3.ast_vector_inc_ref(context, found);
    for (let index = 0; index < z3.ast_vector_size(context, found); index++) {
      z3.solver_assert(context, solver, z3.ast_vector_get(context, found, index));
    }
    z3.ast_vector_dec_ref(context, found);
  };
  assert(`(declare-fun fold (Int) Int)\n${script}`);
  const sorts = sortsOf(z3, context);
  return {
    solve(goal, symbols) {
      z3.solver_push(context, solver);
      try {
        assert(`(assert ${goal})`);
        const answer = check(context, solver);
        if (answer < 0) return undefined;
        if (answer === 0) return z3.solver_get_reason_unknown(context, solver);
        const model = z3.solver_get_model(context, solver);
        z3.model_inc_ref(context, model);
        const values = Array.from(symbols, ({ term, sort }): readonly [Term, string] => {
          const constant = z3.mk_const(context, z3.mk_string_symbol(context, term), sorts[sort]);
          const value = z3.model_eval(context, model, constant, true) as Z3_ast;
          return [term, z3.ast_to_string(context, value)];
        });
        z3.model_dec_ref(context, model);
        return new Map(values);
      } finally {
        z3.solver_pop(context, solver, 1);
      }
    },
    end: () => z3.del_context(context),
  };
}

const sortsOf = (z3: Z3, context: Z3_context): Readonly<Record<Sort, Z3_sort>> => ({
  Bool: z3.mk_bool_sort(context),
  Int: z3.mk_int_sort(context),
  String: z3.mk_string_sort(context),
});

export const integerOf = (value: string): bigint => BigInt(value.replace(/[()\s]/g, ''));

/** The text of a literal of SMT-LIB. */
export const textOf = (value: string): string =>
  value
    .slice(1, -1)
    .replaceAll('""', '"')
    .replace(/\\u(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{4}))/g, (_, braced: string, plain: string) =>
      String.fromCodePoint(Number.parseInt(braced ?? plain, 16)),
    );
