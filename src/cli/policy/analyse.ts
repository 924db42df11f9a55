import { parseArgs } from 'node:util';
import { analyse } from '../../policy/analysis/analyse.ts';
import { describeAnswer, describeFinding } from '../../policy/analysis/describe.ts';
import { compileOrReject, readPolicies } from '../../policy/decide-file.ts';
import type { PolicySource } from '../../policy/policy-set.ts';
import { OperatorError } from '../operator-error.ts';
import type { PolicyCommand } from '../policy.ts';
import { readJson } from '../read-json.ts';
import { print } from './arguments.ts';
import { policiesOf } from './policy-files.ts';

const help = `usage: countersign policy analyse compare BEFORE AFTER [--json] [--limit SECONDS]
       countersign policy analyse can FILE --do X [--without Y] [--json] [--limit SECONDS]
       countersign policy analyse unused FILE [--json] [--limit SECONDS]

Asks a solver about all requests there can be. Files hold policies as \`policy check\` takes them: {"policies": […]}.

compare  whether the policies of AFTER allow something that those of BEFORE do not, and the other way round
can      whether a request can be allowed for which X is true and Y is not; both are expressions that may name what
         conditions and consensus may: --do "activity.kind == 'SIGN_TRANSACTION'" --without "approvers.count() >= 2"
unused   which policies make no difference: they never match, are shadowed by denies, or repeat what others do

"yes" comes with a request that the engine itself was asked about: with --json as a case for \`policy decide\`. "no" holds
for all requests, with lists as long as is said. "unknown" names what the solver does not understand, or the time limit
(--limit, 4 s for each question to the solver). Exits with 0 where the answer is the harmless one: nothing more is
allowed, it cannot be done, every policy makes a difference; with 2 otherwise, and with 3 where that is not known.`;

export const analyseCommand: PolicyCommand = {
  help,
  async run(args) {
    const options = {
      json: { type: 'boolean' },
      limit: { type: 'string' },
      do: { type: 'string' },
      without: { type: 'string' },
    } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [what, ...files] = positionals;
    const json = values.json === true;
    const timeLimit = limitOf(values.limit);
    if (what === 'compare' && files.length === 2) return compare(files as [string, string], json, timeLimit);
    if (what === 'unused' && files.length === 1) return unused(files[0] as string, json, timeLimit);
    if (what === 'can' && files.length === 1 && values.do !== undefined) {
      return can(files[0] as string, values.do, values.without ?? 'false', json, timeLimit);
    }
    throw new OperatorError(help);
  },
};

type Answers = { readonly answer: 'yes' | 'no' | 'unknown' };

/** Of answers that all should be "no". */
function exitBy(answers: readonly Answers[]): void {
  if (answers.some(({ answer }) => answer === 'yes')) process.exitCode = 2;
  else if (answers.some(({ answer }) => answer === 'unknown')) process.exitCode = 3;
}

async function compare([before, after]: [string, string], json: boolean, timeLimit: number): Promise<void> {
  const question = { ask: 'compare', before: sourcesOf(before), after: sourcesOf(after) } as const;
  const found = await asked(analyse(question, { timeLimit }));
  if (json) print(JSON.stringify(found));
  else {
    print(`${after} allows what ${before} does not: ${describeAnswer(found.looser)}`);
    print(`${before} allows what ${after} does not: ${describeAnswer(found.stricter)}`);
  }
  exitBy([found.looser]);
}

async function can(file: string, what: string, unless: string, json: boolean, timeLimit: number): Promise<void> {
  const found = await asked(analyse({ ask: 'can', policies: sourcesOf(file), what, unless }, { timeLimit }));
  if (json) print(JSON.stringify(found));
  else {
    print(`by the policies: ${describeAnswer(found.policies)}`);
    print(`by the root quorum: ${describeAnswer(found.rootQuorum)}`);
  }
  exitBy([found.policies]);
}

async function unused(file: string, json: boolean, timeLimit: number): Promise<void> {
  const policies = sourcesOf(file);
  let count = 0;
  const found = await asked(
    analyse(
      { ask: 'unused', policies },
      {
        timeLimit,
        onFinding(finding) {
          count++;
          if (!json) print(describeFinding(finding));
          else process.stderr.write(`${count} of ${policies.length}\n`);
        },
      },
    ),
  );
  if (json) print(JSON.stringify(found));
  exitBy(
    found.map(({ verdict }) => ({ answer: verdict === 'used' ? 'no' : verdict === 'unknown' ? 'unknown' : 'yes' })),
  );
}

/** The policies of a file, each of which compiles. Throws `OperatorError`. */
export function sourcesOf(file: string): readonly PolicySource[] {
  const given = policiesOf(readJson(file), file).map((policy) => policy.given);
  const sources = readPolicies([...given], file);
  for (const source of sources) {
    const compiled = compileOrReject(source);
    if ('rejected' in compiled) throw new OperatorError(`${file}: policy ${source.id}: ${compiled.rejected.message}`);
  }
  return sources;
}

function limitOf(seconds = '4'): number {
  const limit = Number(seconds) * 1000;
  if (!(limit >= 100 && limit <= 600_000)) throw new OperatorError('--limit: expected seconds, from 0.1 to 600');
  return Math.round(limit);
}

/** What is wrong with the question is for whoever asked. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new OperatorError((error as Error).message);
  }
}
