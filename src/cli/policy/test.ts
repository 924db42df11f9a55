import type { Coverage, Uncovered } from '../../policy/coverage.ts';
import { type TestResult, testFile } from '../../policy/test-file.ts';
import { readJson } from '../read-json.ts';
import { fileArgument, print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';
import { withPolicies } from './policy-files.ts';

const help = `usage: countersign policy test FILE

Decides the cases of FILE and compares what comes out with what is expected. FILE holds

  {"policies": […] | "OTHER-FILE",          as \`policy check\` takes them; a path is relative to FILE
   "cases": [{"id": "…", "facts": {…}, "approvers": […], "credentials": […], "rootQuorum": {…},
              "expect": "allow" | "deny" | "implicit-deny" | "error" | "rejected-at-creation"
                      | {"outcome": "…", "pending": true, "decidedBy": "…"}}]}

with cases as \`policy decide\` takes them. Says which sub-expressions were never true or never false. Exits with 1 where a
case fails.`;

export const testCommand: PolicyCommand = {
  help,
  run(args) {
    const file = fileArgument(args, help);
    const { results, coverage } = testFile(withPolicies(readJson(file), file));
    for (const result of results) print(describe(result));
    const failed = results.filter(({ failures }) => failures.length > 0).length;
    print(`\n${results.length - failed} of ${results.length} cases passed`);
    print(describeCoverage(coverage));
    if (failed > 0) process.exitCode = 1;
  },
};

const describe = ({ id, failures }: TestResult): string =>
  failures.length === 0 ? `ok   ${id}` : [`FAIL ${id}`, ...failures.map((failure) => `     ${failure}`)].join('\n');

const describeCoverage = ({ covered, all, uncovered }: Coverage): string =>
  [
    `${covered} of ${all} values of sub-expressions tried`,
    ...uncovered.map(
      (part) =>
        `  ${part.policyId} ${part.clause} ${part.line}:${part.column} ${neverOf(part)} \`${oneLine(part.text)}\``,
    ),
  ].join('\n');

const neverOf = ({ never }: Uncovered): string =>
  never.length === 2 ? 'never evaluated' : `never ${never[0] ? 'true' : 'false'}`;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
