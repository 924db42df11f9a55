import { type ClauseCheck, checkTexts, type PolicyCheck } from '../../policy/check-texts.ts';
import { readJson } from '../read-json.ts';
import { fileArgument, print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';
import { policiesOf } from './policy-files.ts';

const help = `usage: countersign policy check FILE

Checks the policies of FILE (\`-\` is the standard input): the language of each expression, its types, the most steps that an
evaluation takes, and common holes. FILE holds a policy as create_policy takes it, a list of such, or {"policies": […]}:

  {"policyName": "…", "effect": "EFFECT_ALLOW" | "EFFECT_DENY" | "EFFECT_GUARD",
   "condition": "…", "consensus": "…", "time": "…", "language": "turnkey" | "cel"}

Exits with 1 where an expression is wrong; warnings alone do not count.`;

export const checkCommand: PolicyCommand = {
  help,
  run(args) {
    const file = fileArgument(args, help);
    const checked = policiesOf(readJson(file), file).map(({ name, texts }) => ({ name, check: checkTexts(texts) }));
    for (const { name, check } of checked) print(describe(name, check));
    if (checked.some(({ check }) => !check.valid)) process.exitCode = 1;
  },
};

function describe(name: string, { valid, clauses, warnings }: PolicyCheck): string {
  const state = valid ? clauses.map(describeClause).join(', ') || 'no expressions' : 'wrong';
  return [
    `${name}: ${valid ? 'ok' : 'error'}: ${state}`,
    ...clauses.flatMap(({ clause, problems }) => problems.map(({ text }) => indent(`${clause} ${text}`))),
    ...warnings.map(({ clause, rule, text }) => indent(`warning ${rule}: ${clause} ${text}`)),
  ].join('\n');
}

const describeClause = ({ clause, language, cost }: ClauseCheck): string =>
  `${clause} in ${language === 'cel' ? 'CEL' : "Turnkey's language"} of at most ${cost} steps`;

const indent = (text: string): string => text.replace(/^/gm, '  ');
