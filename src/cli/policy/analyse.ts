import { parseArgs } from 'node:util';
import { type AnswerTo, analyse, type Question } from '../../policy/analysis/analyse.ts';
import { describeAnswer, describeFinding } from '../../policy/analysis/describe.ts';
import { compileOrReject, readPolicies } from '../../policy/decide-file.ts';
import type { PolicySource } from '../../policy/policy-set.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { ask, callerOf } from '../client.ts';
import { OperatorError } from '../operator-error.ts';
import { readRootFile } from '../root-file.ts';
import type { Settings } from '../settings.ts';
import { print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';
import { sourcesOf } from './policy-files.ts';

const help = `usage: countersign policy analyse compare BEFORE AFTER
       countersign policy analyse can POLICIES --do X [--without Y]
       countersign policy analyse unused POLICIES

Asks a solver about all requests that there can be. BEFORE, AFTER and POLICIES are files as \`policy check\` takes them.

compare  whether AFTER allows a request that BEFORE does not, and the other way round
can      whether a request for which X is true and Y is not (or is an error) can be allowed. X and Y are expressions of
         either language that may name all that conditions and consensus may:
           --do "activity.kind == 'SIGN_TRANSACTION'" --without "approvers.count() >= 2"
unused   which policies make no difference: they never match, are shadowed by denies, or repeat what others do

  --organization ID  in place of the first file: the policies of now, of the organization of root.json or of a
                     sub-organization of it, asked of the running service
  --limit SECONDS    for each question to the solver, from 0.1 to 600 (4)
  --json             one JSON object; what goes on is on the standard error

yes      with a request that shows it, which the engine itself has decided so; with --json it is a case of \`policy decide\`
no       there is no such request
unknown  with what stands in the way and its place: what the solver does not know, the time limit, or lists too long to
         look into

Exits with 0 where the answer is the harmless one: AFTER allows nothing more, it cannot be done by the policies, every policy
makes a difference; with 2 where it is the other one, with 3 where it is unknown, and with 1 where nothing could be asked.`;

const options = {
  do: { type: 'string' },
  without: { type: 'string' },
  organization: { type: 'string' },
  limit: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const analyseCommand: PolicyCommand = {
  help,
  async run(args, settings) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const { organization, limit, json = false } = values;
    const [what, ...files] = positionals;
    const isComplete = files.length === (what === 'compare' ? 2 : 1) - (organization === undefined ? 0 : 1);
    const isAsked = what === 'can' ? values.do !== undefined : values.do === undefined && values.without === undefined;
    if (!isComplete || !isAsked || (what !== 'compare' && what !== 'can' && what !== 'unused'))
      throw new OperatorError(help);
    const timeLimit = limitOf(limit);
    const named = files.map((file): Named => ({ name: file, policies: sourcesOf(file) }));
    const sets = organization === undefined ? named : [await policiesOfNow(settings, organization), ...named];
    const [first, second] = sets as [Named, Named];
    if (what === 'compare') return compare(first, second, timeLimit, json);
    if (what === 'unused') return unused(first, timeLimit, json);
    return can(first, values.do ?? '', values.without ?? 'false', timeLimit, json);
  },
};

type Named = { readonly name: string; readonly policies: readonly PolicySource[] };

async function policiesOfNow(settings: Settings, organizationId: string): Promise<Named> {
  const caller = callerOf({ ...readRootFile(settings.dataDir), organizationId });
  const { policies: given } = await ask<{ policies: readonly JsonObject[] }>(caller, 'list_policies', {});
  const texts = given.map(({ policyName = null, policyId = null, effect = null, ...rest }) => {
    const clauses = ['condition', 'consensus', 'time', 'language'].filter((name) => typeof rest[name] === 'string');
    return { id: policyName || policyId, effect, ...Object.fromEntries(clauses.map((name) => [name, rest[name]])) };
  });
  const policies = readPolicies(texts as JsonObject[], organizationId);
  for (const policy of policies) {
    const compiled = compileOrReject(policy);
    if ('rejected' in compiled) throw new OperatorError(`policy ${policy.id}: ${compiled.rejected.message}`);
  }
  return { name: organizationId, policies };
}

async function compare(before: Named, after: Named, timeLimit: number, json: boolean): Promise<void> {
  const found = await asked({ ask: 'compare', before: before.policies, after: after.policies }, timeLimit);
  if (json) print(JSON.stringify(found));
  else {
    print(`${after.name} allows what ${before.name} does not: ${describeAnswer(found.looser)}`);
    print(`${before.name} allows what ${after.name} does not: ${describeAnswer(found.stricter)}`);
  }
  exitBy([found.looser.answer]);
}

async function can({ policies }: Named, what: string, unless: string, timeLimit: number, json: boolean): Promise<void> {
  const found = await asked({ ask: 'can', policies, what, unless }, timeLimit);
  if (json) print(JSON.stringify(found));
  else {
    print(`by the policies: ${describeAnswer(found.policies)}`);
    print(`by the root quorum: ${describeAnswer(found.rootQuorum)}`);
  }
  exitBy([found.policies.answer]);
}

async function unused({ policies }: Named, timeLimit: number, json: boolean): Promise<void> {
  let count = 0;
  const found = await asked({ ask: 'unused', policies }, timeLimit, (finding) => {
    count += 1;
    if (json) process.stderr.write(`${count} of ${policies.length}\n`);
    else print(describeFinding(finding));
  });
  if (json) print(JSON.stringify({ policies: found }));
  exitBy(found.map(({ verdict }) => (verdict === 'used' ? 'no' : verdict === 'unknown' ? 'unknown' : 'yes')));
}

/** By answers that all should be "no". */
function exitBy(answers: readonly ('yes' | 'no' | 'unknown')[]): void {
  process.exitCode = answers.includes('yes') ? 2 : answers.includes('unknown') ? 3 : 0;
}

function limitOf(seconds = '4'): number {
  const limit = Number(seconds) * 1000;
  if (!(limit >= 100 && limit <= 600_000)) throw new OperatorError('--limit: expected seconds, from 0.1 to 600');
  return Math.round(limit);
}

/** A sign of life in ms. */
const patience = 5000;

/** What is wrong with the question is for whoever asked. */
async function asked<Asked extends Question>(
  question: Asked,
  timeLimit: number,
  onFinding: (finding: AnswerTo['unused'][number]) => void = () => {},
): Promise<AnswerTo[Asked['ask']]> {
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  const waiting = setInterval(() => process.stderr.write(`still asking the solver, for ${seconds()} s\n`), patience);
  try {
    return await analyse(question, { timeLimit, onFinding });
  } catch (error) {
    throw new OperatorError((error as Error).message);
  } finally {
    clearInterval(waiting);
  }
}
